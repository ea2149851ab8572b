"""Every fault by its id, found in the files of this folder."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import analyzer.faults as folder
from analyzer.errors import UsageError
from analyzer.faults.fault import Family, Fault

__all__ = ["fault_of", "faults", "make"]


@cache
def _import_all() -> None:
    for module in pkgutil.iter_modules(folder.__path__, "analyzer.faults."):
        importlib.import_module(module.name)


def faults() -> Mapping[str, type[Fault]]:
    """Every fault by its id, family by family.

    Raises
    ------
    ValueError
        Two faults have one id: none is ever dropped silently.
    """
    _import_all()
    order = list(Family)
    found: dict[str, type[Fault]] = {}
    for fault in sorted(_below(Fault), key=lambda f: order.index(f.family)):
        if found.setdefault(fault.id, fault) is not fault:
            raise ValueError(f"Two faults have the id {fault.id!r}: {found[fault.id].__name__}, {fault.__name__}.")
    return found


def _below(fault: type[Fault]) -> Iterator[type[Fault]]:
    for further in fault.__subclasses__():
        yield further
        yield from _below(further)


def fault_of(fault_id: str) -> type[Fault]:
    """The fault of that id.

    Raises
    ------
    UsageError
        There is none.
    """
    known = faults()
    if fault_id not in known:
        raise UsageError(f"There is no fault {fault_id!r}.", f"Known: {', '.join(sorted(known))}.")
    return known[fault_id]


def make(fault_id: str, parameters: Mapping[str, Any]) -> Fault:
    """The fault of that id with those parameters, ready to be injected.

    Raises
    ------
    UsageError
        There is no such fault, or it does not take these parameters.
    """
    found = fault_of(fault_id)
    try:
        return found(**parameters)
    except TypeError as e:
        raise UsageError(f"The fault {fault_id} does not take {dict(parameters)}: {e}.") from e
