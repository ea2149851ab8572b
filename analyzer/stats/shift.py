"""Result of comparing an observed row with its null."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analyzer.domain.evidence import MetricEvidence, Significance, Size

__all__ = ["NullComparison"]


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

    metrics: tuple[MetricEvidence, ...]
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

    def metric(self, name: str) -> MetricEvidence:
        """One metric by its name; KeyError where there is none."""
        for m in self.metrics:
            if m.name == name:
                return m
        raise KeyError(name)

    @property
    def deciding(self) -> tuple[MetricEvidence, ...]:
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
