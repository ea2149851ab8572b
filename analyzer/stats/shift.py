"""Results of comparing an observed row with its null: one metric, and the family."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analyzer.domain.evidence import Interval, Significance, Size

__all__ = ["MetricShift", "NullComparison"]


@dataclass(frozen=True, slots=True)
class MetricShift:
    """One metric of the observed row against the null. Units are those of the metric; None where not computable.

    Parameters
    ----------
    name, deciding
        The column, and whether it belongs to the family that decides (after columns were dropped).
    before, observed
        Value at the checkpoint's epoch and at the resumed epoch.
    null_mean, null_sd
        Mean and plain sample sd of the finite replicates.
    sd, df, prior_used
        Sd in the test, its degrees of freedom, and whether the history entered it.
    jump
        observed - before = expected_seam + shift.
    expected_seam, expected_seam_interval
        null_mean - before, with its two-sided t confidence interval (per metric).
    shift, shift_interval
        observed - null_mean, with its two-sided t confidence interval (per metric).
    prediction_interval
        Where one new healthy epoch falls, *simultaneously* over the family, at level 1 - alpha: outside it is what the
        first step of Holm rejects.
    single_interval
        The same for this metric alone, at the confidence intervals' level.
    p, p_adjusted
        Two-sided, before and after the correction; adjusted only for deciding metrics.
    margin
        The jump the user cares about.
    equivalence_bound
        |shift| + t(0.8, df) se: the shift is *inside* where this is at most the margin.
    minimum_detectable_jump
        Shift that this N, family and alpha see with power 0.8.
    significant, size
        The two judgements.
    note
        Why something is missing or unusual; empty otherwise.
    """

    name: str
    deciding: bool
    before: float | None
    observed: float
    null_mean: float | None
    null_sd: float | None
    sd: float | None
    df: float | None
    prior_used: bool
    jump: float | None
    expected_seam: float | None
    expected_seam_interval: Interval | None
    shift: float | None
    shift_interval: Interval | None
    prediction_interval: Interval | None
    single_interval: Interval | None
    p: float | None
    p_adjusted: float | None
    margin: float | None
    equivalence_bound: float | None
    minimum_detectable_jump: float | None
    significant: Significance
    size: Size
    note: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class NullComparison:
    """An observed row against the null, all metrics; carries its null sample.

    Parameters
    ----------
    metrics
        One entry a column, in order.
    procedure
        "t" (inflated critical values, Holm) or "rank" (exact leave-one-out max-|z|), or "none" (too few replicates).
    n, n_diverged
        Replicates, and how many of them diverged.
    observed_diverged
        Whether the observed row diverged.
    alpha
        Level of the whole family.
    family
        Names of the metrics that decide.
    inflation
        Factor on the t critical values.
    calibrated
        Whether that factor was tabulated for this alpha.
    omnibus_p, omnibus
        Smallest adjusted p (t) or the p of max-|z| (rank), and whether it is at most alpha.
    p_min
        Smallest p that N exchangeable replicates can give, 1 / (N + 1).
    rank_from
        N from which the exact rank test decides.
    null
        Shape (N, m), the null sample.
    null_scores
        Shape (N,), max-|z| of each replicate in the rank test; empty with "t".
    notes
        Sentences for the report: dropped columns, diverged replicates, priors raised.
    """

    metrics: tuple[MetricShift, ...]
    procedure: str
    n: int
    n_diverged: int
    observed_diverged: bool
    alpha: float
    family: tuple[str, ...]
    inflation: float
    calibrated: bool
    omnibus_p: float | None
    omnibus: Significance
    p_min: float
    rank_from: int
    null: NDArray[np.float64]
    null_scores: NDArray[np.float64]
    notes: tuple[str, ...]

    def metric(self, name: str) -> MetricShift:
        """One metric by its name; KeyError where there is none."""
        for m in self.metrics:
            if m.name == name:
                return m
        raise KeyError(name)

    @property
    def deciding(self) -> tuple[MetricShift, ...]:
        """The metrics of the family."""
        return tuple(m for m in self.metrics if m.deciding)

    @property
    def all_inside(self) -> bool:
        """Whether every deciding metric is inside its margin."""
        return bool(self.deciding) and all(m.size is Size.INSIDE for m in self.deciding)

    @property
    def some_fault(self) -> bool:
        """Whether some deciding metric is significant and not inside its margin."""
        return any(m.significant is Significance.YES and m.size is not Size.INSIDE for m in self.deciding)
