"""Frozen dataclasses to JSON values and back, by their type hints; NaN and infinity become null."""

# ruff: noqa: PLR0911  (JSON values and type hints have no narrower type; one return a kind is clearest)

from __future__ import annotations

import dataclasses
import math
import types
import typing
from collections.abc import Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

__all__ = ["decode", "encode"]

T = TypeVar("T")


def encode(value: Any) -> Any:
    """Turn a value into what ``json.dumps(..., allow_nan=False)`` takes.

    Parameters
    ----------
    value
        Dataclasses, enums, paths, mappings, sequences, numpy arrays and scalars, numbers, strings, None.

    Returns
    -------
    Any
        dict, list, str, int, float, bool or None; anything unknown as its ``str``.

    Examples
    --------
    >>> encode({"a": (1.0, float("nan")), "p": Path("x")})
    {'a': [1.0, None], 'p': 'x'}
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        shown = [f.name for f in dataclasses.fields(value) if f.metadata.get("in report", True)]
        return {name: encode(getattr(value, name)) for name in shown}
    if isinstance(value, Enum):
        return encode(value.value)
    if isinstance(value, (np.ndarray, np.generic)):
        return encode(value.tolist())
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(k): encode(v) for k, v in value.items()}
    if isinstance(value, Sequence | set | frozenset):
        return [encode(v) for v in value]
    return str(value)


def decode(kind: type[T], value: Any) -> T:
    """Build a value of a type from what `encode` made of it.

    Parameters
    ----------
    kind
        A dataclass, an enum, a path, a plain type, or a hint made of them.
    value
        The JSON value.

    Raises
    ------
    KeyError, TypeError, ValueError
        Where the value does not fit; missing fields take their defaults.
    """
    return typing.cast(T, _decode(kind, value))


def _decode(hint: Any, value: Any) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return value
    if origin in (typing.Union, types.UnionType):
        inner = [a for a in arguments if a is not type(None)]
        return None if value is None else _decode(inner[0], value)
    if origin is tuple:
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return tuple(_decode(arguments[0], v) for v in value)
        return tuple(_decode(a, v) for a, v in zip(arguments, value, strict=True))
    if origin is np.ndarray:
        return np.array([] if value is None else value, dtype=typing.get_args(arguments[1])[0])
    if origin is not None and issubclass(origin, Mapping):
        key, item = arguments
        return {_decode(key, k): _decode(item, v) for k, v in value.items()}
    return _decode_class(hint, value)


def _decode_class(hint: Any, value: Any) -> Any:
    if dataclasses.is_dataclass(hint):
        hints = typing.get_type_hints(hint)
        known = {f.name for f in dataclasses.fields(hint)}
        return typing.cast(Any, hint)(**{k: _decode(hints[k], v) for k, v in value.items() if k in known})
    if hint is float:
        return math.nan if value is None else value  # a whole number stays one: the document comes back as it was
    if hint is int:
        return int(value)
    if isinstance(hint, type) and issubclass(hint, (Enum, Path)):
        return hint(value)
    return value
