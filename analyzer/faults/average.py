"""Faults of the averaged weights (EMA)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from analyzer.domain.evidence import Severity
from analyzer.faults.clues import Clues, Hypothesis
from analyzer.faults.fault import Attempt, Family, Fault, Situation

__all__ = ["EmaReset"]


class EmaReset(Fault):
    """The EMA's update counter is set back, so that it follows the trained weights closely again.

    Parameters
    ----------
    updates
        What the counter says at the first resumed batch.
    raw
        True: the EMA is a plain copy of the trained weights after every step, and its counter runs on.
    """

    id = "ema-reset"
    family = Family.VALIDATION
    row = "Train losses are the same, validation is not."
    audit = "The EMA's counter after the seam against the one before it."
    searched = "The counter set to 0; an EMA that copies the weights."
    remedy = "Resume again without replacing trainer.ema; validation recovers after some thousand updates."
    severity = Severity.HARD
    seen = "The EMA's update counter after the seam is smaller than before it."

    @classmethod
    def attempts(cls) -> Sequence[Attempt]:
        """The counter at 0, unless it is known to have run on; a plain copy of the weights."""
        return (Attempt(cls._reset, {Situation.VALIDATION: 1, Situation.HALF_GIVEN: 1}),)

    @classmethod
    def _reset(cls, clues: Clues) -> Iterator[Hypothesis]:
        if clues.updates is None:
            yield Hypothesis(((cls.id, {"updates": 0}),), "only validation differs")
        yield Hypothesis(((cls.id, {"raw": True}),), "only validation differs")

    def __init__(self, updates: int = 0, raw: bool = False) -> None:
        self.updates = updates
        self.raw = raw

    def at_start(self, trainer: Any) -> None:
        """Set counter or decay; the EMA's weights are the trained ones at every resume."""
        if trainer.ema is None:
            return  # on several GPUs older versions keep one on the first rank alone
        if self.raw:
            trainer.ema.decay = lambda updates: 0.0
        else:
            trainer.ema.updates = self.updates
