"""Load a yaml with the safe loader: nothing is built or run, and what goes wrong is a clear error."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from analyzer.errors import DriftError, RunError
from analyzer.files import LFS_HINT, is_lfs_pointer, read_regular

__all__ = ["load_yaml"]

_LIMIT = 5_000_000  # bytes; a real one has a few kB, and aliases can blow up larger ones
_DEPTH = 100  # levels; libyaml's composer calls itself for each one and takes the process down at some thousands
_LARGEST = 10**300
_UNPRINTABLE = re.compile("[^\\x09\\x0A\\x0D\\x20-\\x7E\\x85\\xA0-\\uD7FF\\uE000-\\uFFFD\\U00010000-\\U0010ffff]")


def load_yaml(path: Path, error: type[DriftError] = RunError) -> object:
    """Load one yaml document.

    Parameters
    ----------
    path
        The file.
    error
        Class of the error to raise.

    Returns
    -------
    object
        As the safe loader gives it; special characters are taken out first, as Ultralytics does.

    Raises
    ------
    DriftError
        Of the class ``error``: missing, a directory, too large, no text, no yaml, or with python objects.
    """
    if path.is_dir():
        raise error(f"{path} is a directory, not a yaml file.")
    try:
        if path.stat().st_size > _LIMIT:
            raise error(f"{path} is too large for such a yaml file ({path.stat().st_size} bytes).")
        raw = read_regular(path)
    except OSError as e:
        raise error(f"{path} cannot be read: {e.strerror}.") from e
    if is_lfs_pointer(raw):
        raise error(f"{path} is a Git LFS pointer, not the file itself.", LFS_HINT)
    if b"\x00" in raw:
        raise error(f"{path} is a binary file, not a yaml file.")
    try:
        text = _UNPRINTABLE.sub("", raw.decode("utf-8-sig"))
    except UnicodeDecodeError as e:
        raise error(f"{path} is no text file (byte {e.start} is not UTF-8).") from e
    try:
        _refuse_deep(text)
        loaded: object = yaml.load(text, Loader=_Loader)
    except yaml.constructor.ConstructorError as e:
        raise error(f"{path} holds an object that is not loaded: {e.problem}.", "Delete that line in a copy.") from e
    except (yaml.YAMLError, ValueError, RecursionError, TypeError) as e:
        mark = getattr(e, "problem_mark", None)
        where = f" (line {mark.line + 1})" if mark else ""
        raise error(f"{path} is no valid yaml{where}.", "Compare it with the file of another run.") from e
    return loaded


_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Base):  # type: ignore[misc]
    """The safe loader without numbers that no float holds: they would end in an error wherever they are used."""

    def whole(self, node: yaml.ScalarNode) -> int:
        value = int(self.construct_yaml_int(node))
        if abs(value) > _LARGEST:
            raise yaml.constructor.ConstructorError(None, None, "a number of hundreds of digits", node.start_mark)
        return value


_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.whole)


def _refuse_deep(text: str) -> None:
    """Raise RecursionError for a document nested too deeply; reading its events needs no recursion."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEPTH:
            raise RecursionError
