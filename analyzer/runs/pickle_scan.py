"""Read the pickle of a checkpoint without running or importing anything: classes become inert stand-ins.

The tensors stay in the file. Only names that :mod:`analyzer.runs.allowlist` permits get through; another one is refused
by name.
"""

from __future__ import annotations

import datetime
import io
import pathlib
import pickle
import pickletools
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from analyzer.runs.allowlist import Use, permitted

__all__ = [
    "BROKEN", "DType", "Inert", "RefusedGlobal", "Tensor", "encode", "joined_path", "refuse_huge_numbers", "scalar",
    "scan_pickle",
]  # fmt: skip

#: What a damaged pickle can raise in the standard unpickler.
BROKEN = (
    pickle.UnpicklingError, EOFError, ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError,
    MemoryError, OverflowError, AssertionError, NotImplementedError,
)  # fmt: skip

_LARGEST = 10**300


class RefusedGlobal(pickle.UnpicklingError):
    """The pickle names something that is not on the allow-list, or calls what may only be made."""

    def __init__(self, name: str, why: str = "") -> None:
        super().__init__(f"{name} {why}".strip())
        self.name = name


class Tensor:
    """Stand-in for a tensor: its shape, and where its numbers lie in the archive."""

    def __init__(self, shape: tuple[int, ...] = (), storage: object = None, offset: object = 0) -> None:
        self.shape = shape
        self.storage = storage  # ("storage", "HalfStorage", key, device, elements), as the pickle says
        self.offset = offset


class _NeverCalled(type):
    """Metaclass of stand-ins: they can be made by ``__new__``, not called, as nn.Modules are pickled."""

    def __call__(cls, *args: object, **kwargs: object) -> Any:
        """Refuse."""
        raise RefusedGlobal(cls.__qualname__, "is called, which no real checkpoint does")


class Inert(metaclass=_NeverCalled):
    """Stand-in for an instance of a permitted class; its pickled attributes are in ``__dict__``."""

    def __new__(cls, *args: object) -> Inert:
        """Make an empty one, whatever the arguments."""
        return object.__new__(cls)

    def __setstate__(self, state: object) -> None:
        if isinstance(state, tuple):  # (dict, slots)
            state = {k: v for part in state if isinstance(part, dict) for k, v in part.items()}
        if isinstance(state, dict):
            self.__dict__.update({str(k): v for k, v in state.items()})


class _Namespace:
    """Stand-in for IterableSimpleNamespace: called without arguments, then filled."""

    def __init__(self, *args: object) -> None:
        self.__dict__.update(args[0] if args and isinstance(args[0], dict) else {})


class DType:
    """Stand-in for numpy.dtype."""

    def __init__(self, code: str, *args: object) -> None:
        self.code = str(code)
        self.order: Literal["<", ">"] = "<"

    def __setstate__(self, state: tuple[object, ...]) -> None:
        self.order = ">" if len(state) > 1 and state[1] == ">" else "<"


def scalar(dtype: object, raw: object = b"") -> object:
    """Stand-in for numpy's maker of scalars: a number or a truth value."""
    if not isinstance(dtype, DType) or dtype.code[:1] not in "fiub" or not isinstance(raw, bytes):
        raise RefusedGlobal("numpy scalar", "of an unexpected type")
    return np.frombuffer(raw, dtype=np.dtype(dtype.code).newbyteorder(dtype.order))[0].item()


def encode(text: str, encoding: str = "latin1") -> bytes:
    """Stand-in for ``codecs.encode``, as protocol 2 keeps bytes."""
    if encoding not in ("latin1", "latin-1", "utf-8"):
        raise RefusedGlobal("_codecs.encode", f"with {encoding!r}")
    return text.encode(encoding)


def _rebuild_tensor(*args: Any) -> Tensor:
    shape = tuple(args[2]) if len(args) > 2 and isinstance(args[2], (tuple, list)) else ()
    return Tensor(shape, *args[:2])


def _rebuild_parameter(*args: object) -> object:
    return args[0] if args else Tensor()


def _getattr(owner: object, name: str) -> str:
    if not isinstance(owner, type) or name.startswith("_"):
        raise RefusedGlobal("builtins.getattr", f"of {name!r}")
    return f"{owner.__qualname__}.{name}"


def _text(*args: object) -> str:
    return ", ".join(map(str, args))


class _Member(str):
    """Stand-in for an enumeration: made of a value, or asked for a name (python before 3.11.4 stores members so)."""

    __slots__ = ()

    def __new__(cls, *args: object) -> _Member:
        return super().__new__(cls, _text(*args))


def joined_path(*parts: object) -> str:
    """Stand-in for a path of either system."""
    return str(pathlib.PurePosixPath(*map(str, parts)))


_REAL: dict[str, Callable[..., object]] = {
    "collections.OrderedDict": OrderedDict,
    "builtins.set": set,
    "builtins.frozenset": frozenset,
    "builtins.bytearray": bytearray,
    "builtins.complex": complex,
    "builtins.getattr": _getattr,
    "_codecs.encode": encode,
    "torch.Size": lambda *args: tuple(args[0]) if args else (),
    "torch._utils._rebuild_tensor_v2": _rebuild_tensor,
    "torch._utils._rebuild_parameter": _rebuild_parameter,
    "torch._utils._rebuild_parameter_with_state": _rebuild_parameter,
    "torch.nn.parameter.Parameter": _rebuild_parameter,
    "numpy.dtype": DType,
    "torchvision.transforms.functional.InterpolationMode": _Member,
    "numpy.core.multiarray.scalar": scalar,
    "numpy._core.multiarray.scalar": scalar,
    "ultralytics.utils.IterableSimpleNamespace": _Namespace,
    "datetime.datetime": datetime.datetime,
    "datetime.date": datetime.date,
    "datetime.timedelta": datetime.timedelta,
    "datetime.timezone": datetime.timezone,
}


class _Storage(str):
    """Stand-in for a typed storage class, which a pickle names but never calls."""

    __slots__ = ()


class _Scanner(pickle.Unpickler):
    def __init__(self, raw: bytes, trust: bool) -> None:
        super().__init__(io.BytesIO(raw))
        self.trust = trust
        self.named: dict[str, None] = {}
        self._made: dict[str, Any] = {}

    def persistent_load(self, pid: object) -> object:
        """Leave the storages in the file."""
        return pid

    def find_class(self, module: str, name: str) -> Any:
        module = {"__builtin__": "builtins", "copy_reg": "copyreg"}.get(module, module)  # protocol 2 keeps old names
        full = f"{module}.{name}"
        use = permitted(module, name)
        if use is None and not self.trust:
            raise RefusedGlobal(full)
        self.named[full] = None
        if use is Use.CALL and module == "torch" and name.endswith("Storage"):
            return _Storage(name)
        if use is Use.CALL:
            return _REAL.get(full, joined_path if module.startswith("pathlib") else _text)
        if full not in self._made:
            self._made[full] = _NeverCalled(name, (Inert,), {"__module__": module, "__qualname__": name})
        return self._made[full]


def scan_pickle(raw: bytes, *, trust: bool = False) -> tuple[object, tuple[str, ...]]:
    """Unpickle with stand-ins.

    Parameters
    ----------
    raw
        The pickle (``data.pkl`` of the archive).
    trust
        Let unknown classes through as stand-ins too; still nothing is imported or run.

    Returns
    -------
    tuple
        The object, and the full names of all globals that it names.

    Raises
    ------
    RefusedGlobal
        A global is not permitted, or is used in a way that is not.
    pickle.UnpicklingError, EOFError, ValueError, TypeError, KeyError, IndexError, AttributeError
        The pickle is broken.
    """
    refuse_huge_numbers(raw)
    scanner = _Scanner(raw, trust)
    return scanner.load(), tuple(scanner.named)


def refuse_huge_numbers(raw: bytes) -> None:
    """Raise UnpicklingError for a pickle whose damaged numbers would cost memory, or fail wherever they are used."""
    for opcode, argument, _ in pickletools.genops(raw):
        # A damaged number here makes the unpickler reserve up to 64 GB for its memo: a minute lost, or memory.
        if opcode.name in ("PUT", "LONG_BINPUT") and argument is not None and argument > len(raw):
            raise pickle.UnpicklingError(f"memo index {argument} in a pickle of {len(raw)} bytes")
        if type(argument) is int and abs(argument) > _LARGEST:  # no float holds it: an error wherever it is used
            raise pickle.UnpicklingError("a number of hundreds of digits")
