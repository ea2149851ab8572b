"""What a fuzz case is: the bytes of a file, how they were made, and every reading of them that would be right."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from analyzer.errors import DriftError

ERROR = "error"  # refused with one clear sentence


@dataclass(frozen=True)
class Case:
    """One damaged (or sound) file.

    Parameters
    ----------
    mutation
        Name of what was done.
    data
        Content of the file.
    right
        Readings that are right, in comparable form; ERROR among them where it may be refused.
    """

    mutation: str
    data: bytes
    right: tuple[Any, ...]


@dataclass(frozen=True)
class Target:
    """A kind of file: how its cases are made, and how the code under test reads one."""

    name: str
    draw: Callable[[Random], Case]
    read: Callable[[Path], Any]


@dataclass(frozen=True)
class Wrong:
    """A case whose reading is not right."""

    seed: str
    mutation: str
    got: Any
    right: tuple[Any, ...]


def campaign(target: Target, n: int, seed: int, folder: Path) -> tuple[dict[str, dict[str, int]], list[Wrong]]:
    """Run n cases; each can be drawn again from its seed alone.

    Returns
    -------
    tuple
        Mutation to the number of cases, of those read and of those refused; and the wrong ones.
    """
    table: dict[str, dict[str, int]] = {}
    wrong: list[Wrong] = []
    for i in range(n):
        name = f"{seed}/{target.name}/{i}"
        case = target.draw(Random(name))
        got = reading(target, case, folder / f"{target.name}.case")
        row = table.setdefault(case.mutation, {"cases": 0, "read": 0, "refused": 0})
        row["cases"] += 1
        row["refused" if got == ERROR else "read"] += 1
        if got not in case.right:
            wrong.append(Wrong(name, case.mutation, got, case.right))
    return table, wrong


def reading(target: Target, case: Case, file: Path) -> Any:
    """What the code under test makes of a case; an exception that is no clear sentence is a reading of its own."""
    file.write_bytes(case.data)
    try:
        return target.read(file)
    except DriftError as e:
        return ERROR if e.what and "\n" not in e.what and "Traceback" not in e.what else f"unclear: {e.what!r}"
    except Exception as e:
        return f"crash: {type(e).__name__}: {e}"


def comparable(value: Any) -> Any:
    """A value in which NaN equals NaN and 1 is not True, as plain tuples."""
    if isinstance(value, dict):
        return ("dict", *sorted(((str(k), comparable(v)) for k, v in value.items()), key=str))
    if isinstance(value, (list, tuple)):
        return (type(value).__name__, *(comparable(v) for v in value))
    if isinstance(value, float) and math.isnan(value):
        return "nan"
    return (type(value).__name__, value)


def flipped(random: Random, data: bytes) -> bytes:
    """The data with one to three bytes changed."""
    changed = bytearray(data)
    for _ in range(random.randint(1, 3)):
        at = random.randrange(len(changed))
        changed[at] ^= random.randint(1, 255)
    return bytes(changed)


def cut(random: Random, data: bytes) -> bytes:
    """The data without its end."""
    return data[: random.randrange(len(data))]
