"""What a fault is: everything that is known about one, in one class.

A new fault is one file in this folder (and its test): :mod:`analyzer.faults.registry` finds it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar

from analyzer.domain.evidence import Severity
from analyzer.faults.clues import Clues, Hypothesis, OtherFile

__all__ = ["TRAINING", "Attempt", "Family", "Fault", "Situation", "in_training", "ranked_files", "trained_model"]


class Family(str, Enum):
    """Faults that show in the same part of the row; simulated faults are trained family by family."""

    RATES = "rates"
    OPTIMIZER = "optimizer"
    VALIDATION = "validation"
    FILES = "files"
    IMAGES = "images"
    DATA = "data"
    LOADER = "loader"  # no row tells such a fault: it is seen in the replicates alone


class Situation(Enum):
    """Which columns of the run's row and of its repeat differ, and how: it sets the order of what is tried."""

    RATES_ALIKE = "all learning rates differ by one factor"
    RATES_APART = "the learning rates differ, each by its own"
    VALIDATION = "only validation differs"
    BATCH_KNOWN = "a checkpoint after the resume names another batch"
    FAR_LOWER = "the train losses are much lower"
    LOWER = "the train losses are hardly lower"
    HIGHER = "the train losses are hardly higher"
    FAR_HIGHER = "the train losses are much higher"
    HALF_GIVEN = "another fault gave the training columns; what gives the rest?"
    SIMULATED = "no repeat is exact: what only a simulated fault can show"


TRAINING = (Situation.FAR_LOWER, Situation.LOWER, Situation.HIGHER, Situation.FAR_HIGHER)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One way in which a fault may have made the row.

    Parameters
    ----------
    give
        Its hypotheses, with parameters read from the clues; none where they rule it out.
    rank
        In which situations it is tried, and its place there, the smallest first.
    """

    give: Callable[[Clues], Iterator[Hypothesis]]
    rank: Mapping[Situation, float]


def in_training(far_lower: float, lower: float, higher: float, far_higher: float) -> dict[Situation, float]:
    """Ranks where the train losses differ.

    A lost state moves them little, images and weights move them more; another validation set draws other random
    numbers before training starts, so it moves them as another seed does.
    """
    return dict(zip(TRAINING, (far_lower, lower, higher, far_higher), strict=True))


class Fault:
    """One fault: its words, what may have made a row by it, and how it is injected into a replicate.

    The hooks work on copies: `edit_args`, `edit_data` and `edit_checkpoint` before Ultralytics sees the checkpoint
    copy; `at_start` on the trainer of every replicate, after reseeding and before its first batch; `at_batch` before
    each batch. No hook draws from a random generator that the training uses: a repeat under a fault must stay exact.

    Attributes
    ----------
    id
        As among the causes of a report.
    family
        Where it shows.
    row
        What the first resumed row shows.
    audit
        How the audit sees it, where it can.
    searched
        Which parameters the fault search tries; empty where none is tried.
    remedy
        What to do, in one sentence.
    untried
        Why no hypothesis tries it, where none does.
    severity, seen, finding_remedy
        Of its entry among the findings of the audit: the most that it can weigh (None: no entry), what the state shows,
        and what to do where that is not `remedy`.
    """

    id: ClassVar[str]
    family: ClassVar[Family]
    row: ClassVar[str]
    audit: ClassVar[str]
    searched: ClassVar[str] = ""
    remedy: ClassVar[str]
    untried: ClassVar[str] = ""
    severity: ClassVar[Severity | None] = None
    seen: ClassVar[str] = ""
    finding_remedy: ClassVar[str] = ""

    @classmethod
    def attempts(cls) -> Sequence[Attempt]:
        """The ways in which it may have made a row; none where no row tells it."""
        return ()

    @classmethod
    def strengths(cls, tried: Hypothesis) -> Iterator[Hypothesis]:
        """Other strengths of a hypothesis that only simulated faults try."""
        yield from ()

    def edit_args(self, args: dict[str, Any]) -> None:
        """Change the training arguments of the checkpoint copy in place."""

    def edit_data(self, data: dict[str, Any]) -> None:
        """Change the mapping of the data yaml in place; not called for classification, whose data is a folder."""

    def edit_checkpoint(self, payload: dict[str, Any]) -> None:
        """Change the payload of the checkpoint copy in place."""

    def at_start(self, trainer: Any) -> None:
        """Change the trainer of a replicate in place, after reseeding."""

    def at_batch(self, trainer: Any) -> None:
        """Change the trainer in place before each batch."""


def trained_model(trainer: Any) -> Any:
    """The model that a trainer trains; on several GPUs it is wrapped (``DistributedDataParallel``)."""
    return getattr(trainer.model, "module", trainer.model)


def ranked_files(fault: str, files: Sequence[OtherFile]) -> Iterator[Hypothesis]:
    """That fault by each file: best.pt before older epochs, the newest first; three at most."""
    ranked = sorted((f for f in files if f.epoch), key=lambda f: (f.path.name != "best.pt", -f.epoch))
    for other in ranked[:3]:
        file = {"path": str(other.path), "sha256": other.sha256}
        yield Hypothesis(((fault, file),), f"{other.path.name} (epoch {other.epoch}) lies in the run")
