"""Turn permitted names into the real classes, each checked to be what its name says; imports torch and Ultralytics."""

from __future__ import annotations

import enum
import importlib
import pathlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from analyzer.errors import CheckpointError
from analyzer.runs.allowlist import Use, permitted

__all__ = ["resolve_globals"]


def resolve_globals(path: Path, named: Iterable[str]) -> list[Any]:
    """Entries for ``torch.serialization.safe_globals``.

    Parameters
    ----------
    path
        The checkpoint, for messages.
    named
        Full names of globals, as found by the scan.

    Returns
    -------
    list
        (object, full name) pairs; what torch permits by itself is left out.

    Raises
    ------
    CheckpointError
        The installed packages lack a class, or the name leads to something else than a class of that module.
    """
    entries: list[Any] = []
    for full in named:
        module, _, name = full.rpartition(".")
        use = permitted(module, name)
        special = _special(module, name)
        if special is not None:
            entries.append((special, full))
        elif use is Use.MAKE or full in _CHECKED:
            entries.append((_class(path, module, name), full))
        if full == "numpy.dtype":
            import numpy as np

            # The classes of dtype instances are made at run time and are named nowhere in the file.
            entries += [type(np.dtype(code)) for code in ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "?")]
    return entries


_CHECKED = frozenset(
    {"ultralytics.utils.IterableSimpleNamespace", "torchvision.transforms.functional.InterpolationMode"}
)


def _class(path: Path, module: str, name: str) -> type:
    """A class by its name: one that is defined in that very module, never something that the module merely imports."""
    try:
        found = getattr(importlib.import_module(module), name, None)
    except ImportError:
        found = None
    if found is None:
        what = f"{path} holds a {module}.{name}, which the installed packages do not have."
        raise CheckpointError(what, "Install the Ultralytics version that wrote it.")
    if not isinstance(found, type) or found.__module__ != module or found.__qualname__ != name:
        raise CheckpointError(f"{path} is not loaded: {module}.{name} is no class of that module.")
    return found


def _special(module: str, name: str) -> object | None:
    """Stand-ins for plain data: paths of either system, numpy scalars, dates, and a harmless getattr."""
    full = f"{module}.{name}"
    if module in ("pathlib", "pathlib._local"):
        return pathlib.PurePath if name.startswith("Pure") else type(Path())
    if module == "datetime":
        return _class(Path(), module, name)
    if full == "builtins.getattr":
        return _getattr
    if full == "numpy.dtype":
        import numpy as np

        return np.dtype
    if full in ("numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar"):
        import numpy as np

        return np.float64(0).__reduce__()[0]
    return None


def _getattr(owner: object, name: str) -> object:
    """The member of an enumeration; nothing else has a reason to be in a checkpoint."""
    if isinstance(owner, type) and issubclass(owner, enum.Enum) and name in owner.__members__:
        return owner.__members__[name]
    raise CheckpointError(f"The checkpoint asks for the attribute {name!r} of {owner!r}, which is refused.")
