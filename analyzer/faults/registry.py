"""Every intervention by its id."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from analyzer.errors import UsageError
from analyzer.faults.base import Intervention
from analyzer.faults.loader import ConstantLoader

__all__ = ["REGISTRY", "make"]

REGISTRY: Mapping[str, type[Intervention]] = {c.id: c for c in (ConstantLoader,)}


def make(fault_id: str, parameters: Mapping[str, Any]) -> Intervention:
    """Build the intervention of that id; UsageError names the ids where there is none."""
    if fault_id not in REGISTRY:
        raise UsageError(f"There is no fault {fault_id!r}.", f"Known: {', '.join(sorted(REGISTRY))}.")
    return REGISTRY[fault_id](**parameters)
