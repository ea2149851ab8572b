"""Evidence as numbers and as enumerations, and the verdict that is made from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

__all__ = [
    "Cause",
    "Certainty",
    "Decision",
    "Evidence",
    "Finding",
    "Interval",
    "MetricEvidence",
    "Replay",
    "Revalidation",
    "SeamCheck",
    "Severity",
    "Significance",
    "Size",
    "Verdict",
]


class Verdict(str, Enum):
    """What the analysis says."""

    NOISE = "NOISE"
    NEGLIGIBLE = "NEGLIGIBLE"  # real, below the margin
    FAULT = "FAULT"
    INCONCLUSIVE = "INCONCLUSIVE"


class Significance(str, Enum):
    """Whether a shift is more than noise at the family's adjusted level."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"  # not tested: no null, or too few replicates


class Size(str, Enum):
    """Where a shift lies against its margin (equivalence)."""

    INSIDE = "inside"  # |d| + t(0.8, df) se <= m
    NOT_INSIDE = "not inside"
    UNKNOWN = "unknown"  # no margin


class SeamCheck(str, Enum):
    """The null mean against the history's one-step prediction."""

    WITHIN = "within"
    ADVERSE = "adverse"  # worse than the history predicts, at its share of alpha
    UNKNOWN = "unknown"


class Replay(str, Enum):
    """The user's own resume again."""

    SAME = "same"
    OTHER = "other"
    NOT_POSSIBLE = "not possible"
    NOT_RUN = "not run"


class Revalidation(str, Enum):
    """The checkpoint's own weights on the user's data."""

    AGREES = "agrees"
    DISAGREES = "disagrees"
    NOT_RUN = "not run"


class Severity(str, Enum):
    """Weight of an audit finding."""

    HARD = "hard"  # certain: FAULT whatever the metrics say
    WARNING = "warning"
    INFORMATION = "information"


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding of the audit.

    Parameters
    ----------
    id
        From the catalogue, e.g. ``lr-jump``, ``changed-arguments``.
    severity
        How much it weighs.
    evidence
        What was seen, with numbers.
    remedy
        What to do, in one sentence.
    fault
        Id of the fault that it is a sign of, where that is another: a batch among `changed-arguments` is
        `batch-changed`.
    """

    id: str
    severity: Severity
    evidence: str
    remedy: str
    fault: str = ""

    @property
    def cause(self) -> str:
        """Id under which it stands among the causes."""
        return self.fault or self.id


class Certainty(str, Enum):
    """How sure a cause is, the surest first."""

    CERTAIN = "certain"  # seen in the state, or its row was reproduced
    LIKELY = "likely"  # half of the row was reproduced
    POSSIBLE = "possible"  # something is odd that may matter


@dataclass(frozen=True, slots=True)
class Cause:
    """Why the row is as it is.

    Parameters
    ----------
    id
        Of the fault, as in docs/FAULTS.md.
    certainty
        How sure.
    evidence
        What speaks for it, one sentence each.
    remedy
        What to do, in one sentence; empty where nothing needs to be done.
    """

    id: str
    certainty: Certainty
    evidence: tuple[str, ...]
    remedy: str


@dataclass(frozen=True, slots=True)
class Interval:
    """A range with its nominal level.

    Parameters
    ----------
    low, high
        Ends, in metric units.
    level
        Nominal, e.g. 0.95.
    kind
        "prediction" (where one new epoch falls) or "confidence" (of a parameter); never mixed up.
    """

    low: float
    high: float
    level: float
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricEvidence:
    """Everything that is known about one metric at the first epoch after the seam. Units are those of the metric.

    The statistics fill it; the analysis adds the effect of changed arguments, the margin's source and the verdict. None
    stands for what cannot be computed.

    Parameters
    ----------
    name
        Column.
    deciding
        Whether it belongs to the deciding family.
    before, observed
        Value at the checkpoint's epoch and at the first resumed epoch; `before` is None where its row is missing.
    jump
        observed - before.
    null_mean, null_sd
        Of the arm against which the shift is measured (plain sample sd).
    sd, df
        The (history-moderated) standard deviation used in the test and its degrees of freedom.
    expected_seam
        Healthy null mean - before: what any healthy resume of this checkpoint does.
    changed_arguments
        Mean of *as configured* - mean of *healthy*; None where no argument differs.
    unexplained_shift
        observed - null_mean.
    prediction_interval
        Where one new healthy epoch falls.
    p, p_adjusted
        Two-sided, before and after Holm over the deciding family; None where not tested.
    margin, margin_source
        The jump the user cares about and where it comes from ("auto", "given").
    minimum_detectable_jump
        What this N, alpha and spread see with power 0.8.
    significant, size, verdict
        The decision on this metric.
    reason
        In words.
    single_interval
        Prediction interval of this metric alone, at the level of the confidence intervals; `prediction_interval` holds
        *simultaneously* over the family, at 1 - alpha: outside it is what the first step of Holm rejects.
    equivalence_bound
        |shift| + t(0.8, df) se: the shift is *inside* where this is at most the margin.
    """

    name: str
    deciding: bool
    before: float | None = None
    observed: float
    jump: float | None = None
    null_mean: float | None = None
    null_sd: float | None = None
    sd: float | None = None
    df: float | None = None
    expected_seam: float | None = None
    expected_seam_interval: Interval | None = None
    changed_arguments: float | None = None
    changed_arguments_interval: Interval | None = None
    unexplained_shift: float | None = None
    shift_interval: Interval | None = None
    prediction_interval: Interval | None = None
    p: float | None = None
    p_adjusted: float | None = None
    margin: float | None = None
    margin_source: str = ""
    minimum_detectable_jump: float | None = None
    significant: Significance = Significance.UNKNOWN
    size: Size = Size.UNKNOWN
    verdict: Verdict | None = None
    reason: str = ""
    single_interval: Interval | None = field(default=None, metadata={"in report": False})
    equivalence_bound: float | None = field(default=None, metadata={"in report": False})


@dataclass(frozen=True, slots=True)
class Evidence:
    """Enumerated evidence: all that the verdict may look at.

    Parameters
    ----------
    metrics
        (significant, size) of each deciding metric of the null arm.
    omnibus
        Significance of the max-|z| test over the whole family.
    seam
        Null mean against history.
    certain_cause
        A hard finding or a fingerprint hit.
    changed_arguments
        Size of the effect of allowed argument changes; None where nothing differs.
    revalidation, replay
        Outcome of those steps.
    diverged
        The resumed run holds NaN or infinite where the epochs before it did not.
    null_diverges
        Some healthy replicate diverged: a resume of this checkpoint is not safe, whatever this one did.
    borrowed
        The replicates are those of another checkpoint, since that of the seam is gone; `seam` then tells how they lie
        against that checkpoint's own history.
    """

    metrics: tuple[tuple[Significance, Size], ...]
    omnibus: Significance = Significance.UNKNOWN
    seam: SeamCheck = SeamCheck.UNKNOWN
    certain_cause: bool = False
    changed_arguments: Size | None = None
    revalidation: Revalidation = Revalidation.NOT_RUN
    replay: Replay = Replay.NOT_RUN
    diverged: bool = False
    null_diverges: bool = False
    borrowed: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict with the rule that gave it.

    Parameters
    ----------
    verdict
        What is said.
    rule
        Short id of the deciding rule, e.g. ``significant-not-inside``.
    reasons
        Sentences for the user, the decisive one first.
    settle
        What would settle it, where it is INCONCLUSIVE.
    """

    verdict: Verdict
    rule: str
    reasons: tuple[str, ...]
    settle: tuple[str, ...] = ()
