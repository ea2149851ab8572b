"""An epoch that still runs against the replicates: the running losses at one look."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analyzer.stats.moderation import Prior
from analyzer.stats.null import shift_tests
from analyzer.stats.shift import NullComparison

__all__ = ["early_look", "pooled_priors"]

Array = NDArray[np.float64]

PRIOR_DF = 8.0  # at most: what the inflation factors of moderated tests were simulated with


def pooled_priors(null: ArrayLike, marks: Sequence[int], look: int) -> list[Prior | None]:
    """What the other parts of the same epochs say about the spread of the running means at one look.

    Between two looks lies a part of the epoch, and the mean loss of a part varies between replicates by
    sigma^2 / batches. Each part after this look gives an estimate of sigma^2 with N - 1 degrees of freedom that shares
    no batch with the running mean; at the last look, which has none after it, those before it are taken. Their mean is
    a prior on the variance at this look, sigma^2 / marks[look].

    Parameters
    ----------
    null
        Shape (N, L, m), running means of m losses after ``marks[l]`` batches; finite.
    marks
        L increasing numbers of batches.
    look
        Which of them, from 0.

    Returns
    -------
    list
        m priors on the sd of one running mean, with at most 8 degrees of freedom; None where there is no other part.
        The prior is doubted where the replicates contradict it (`moderate_family`).
    """
    x = np.asarray(null, dtype=np.float64)
    n = np.asarray(marks, dtype=np.float64)
    sums = x * n[:, None]
    sizes = np.diff(n, prepend=0.0)
    parts = np.diff(sums, axis=1, prepend=0.0) / sizes[:, None]
    others = np.arange(len(n)) > look
    if not others.any():
        others = np.arange(len(n)) < look
    if len(x) < 2 or not others.any():
        return [None] * x.shape[2]
    per_batch = (parts.var(axis=0, ddof=1) * sizes[:, None])[others].mean(axis=0)
    df = min(PRIOR_DF, float(others.sum() * (len(x) - 1)))
    return [Prior(float(np.sqrt(v / n[look])), df) if v > 0 else None for v in per_batch]


def early_look(
    null: ArrayLike,
    observed: ArrayLike,
    marks: Sequence[int],
    look: int,
    *,
    names: Sequence[str],
    alpha: float,
    margins: ArrayLike | None = None,
    diverged: ArrayLike | None = None,
) -> NullComparison:
    """Test the running losses at one look, Holm over the losses; several looks have to share their alpha.

    Parameters
    ----------
    null
        Shape (N, L, m), running means of the replicates; NaN after a divergence.
    observed
        Shape (m,), those of the live run at this look.
    marks, look
        As in `pooled_priors`.
    names
        m columns.
    alpha
        Rate of false alarms of this look, in (0, 1).
    margins
        Shape (m,), the shift of an epoch's mean that matters, metric units; NaN where there is none.
    diverged
        Shape (N,), bool: replicates that diverged.

    Returns
    -------
    NullComparison
        As of `shift_tests`, in both directions.
    """
    x = np.asarray(null, dtype=np.float64)
    gone = np.zeros(len(x), dtype=bool) if diverged is None else np.asarray(diverged, dtype=bool)
    return shift_tests(
        x[:, look],
        observed,
        names=names,
        deciding=np.ones(len(names), dtype=bool),
        alpha_null=alpha,
        priors=pooled_priors(x[~gone], marks, look),
        margins=margins,
        diverged=gone,
    )
