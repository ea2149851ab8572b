"""Every intervention by its id."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from analyzer.errors import UsageError
from analyzer.faults.base import Intervention
from analyzer.faults.checkpoints import HeadRebuilt, NotAResume, WeightsReplaced, WrongCheckpoint
from analyzer.faults.data import AugmentationChanged, BatchChanged, MosaicState, WrongData
from analyzer.faults.loader import ConstantLoader
from analyzer.faults.optimizer import EmaReset, LrJump, OptimizerChanged, OptimizerLost, WarmupRepeated

__all__ = ["REGISTRY", "make"]

REGISTRY: Mapping[str, type[Intervention]] = {
    c.id: c
    for c in (
        NotAResume,
        WeightsReplaced,
        WrongCheckpoint,
        OptimizerLost,
        OptimizerChanged,
        LrJump,
        WarmupRepeated,
        EmaReset,
        MosaicState,
        AugmentationChanged,
        WrongData,
        BatchChanged,
        HeadRebuilt,
        ConstantLoader,
    )
}


def make(fault_id: str, parameters: Mapping[str, Any]) -> Intervention:
    """Build the intervention of that id; UsageError names the ids, or the parameters that do not fit."""
    if fault_id not in REGISTRY:
        raise UsageError(f"There is no fault {fault_id!r}.", f"Known: {', '.join(sorted(REGISTRY))}.")
    try:
        return REGISTRY[fault_id](**parameters)
    except TypeError as e:
        raise UsageError(f"The fault {fault_id} does not take {dict(parameters)}: {e}.") from e
