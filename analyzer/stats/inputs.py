"""Arrays of one comparison, checked: what is usable, what diverged, what is missing and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analyzer.stats.moderation import Prior

__all__ = ["CONSTANT_UNITS", "Inputs", "check"]

Array = NDArray[np.float64]

CONSTANT_UNITS = 10.0  # a column constant in the null decides only beyond this many rounding units


@dataclass(frozen=True, slots=True, eq=False)
class Inputs:
    """Arrays of one comparison after checks; see `shift_tests`."""

    names: tuple[str, ...]
    null: Array  # (N, m) all replicates
    finite: Array  # (N - diverged, m)
    observed: Array
    before: Array
    units: Array
    margins: Array
    prior_sd: Array
    prior_df: Array
    groups: NDArray[np.int_]
    deciding: NDArray[np.bool_]
    usable: NDArray[np.bool_]
    diverged: int
    observed_diverged: bool
    notes: dict[str, str]


def check(
    null: ArrayLike,
    observed: ArrayLike,
    names: Sequence[str],
    deciding: ArrayLike,
    before: ArrayLike | None,
    units: ArrayLike | None,
    priors: Sequence[Prior | None] | None,
    margins: ArrayLike | None,
    diverged: ArrayLike | None,
    observed_diverged: bool,
) -> Inputs:
    """Check and complete the arguments of `shift_tests`, which describes them."""
    m = len(names)
    x = np.asarray(null, dtype=np.float64).reshape(-1, m)
    row = np.asarray(observed, dtype=np.float64)
    missing = ~np.isfinite(x).any(axis=0) if len(x) else np.ones(m, dtype=bool)
    notes: dict[str, str] = {}
    bad = ~np.isfinite(x) & ~missing
    gone = bad.any(axis=1) if diverged is None else np.asarray(diverged, dtype=bool)

    def remark(which: ArrayLike, why: str) -> None:
        notes.update({name: why for name, flag in zip(names, np.asarray(which), strict=True) if flag})

    holes = bad[~gone].any(axis=0) if len(x) else missing
    remark(missing, "no replicate has this metric")
    remark(holes & ~missing, "some replicates lack this metric")
    absent = ~np.isfinite(row) & (not observed_diverged)
    remark(absent, "the observed row lacks this metric")
    usable = ~(missing | holes | absent)
    finite = np.where(usable, x[~gone], 0.0)
    unit = np.zeros(m) if units is None else np.asarray(units, dtype=np.float64)
    if len(finite) and not observed_diverged:
        near = (np.ptp(finite, axis=0) == 0) & (np.abs(row - finite[0]) <= CONSTANT_UNITS * unit * (1 + 1e-9))
        remark(near & usable, "constant in the null and in the observed row")
    else:
        near = np.zeros(m, dtype=bool)
    known = [None] * m if priors is None else list(priors)
    return Inputs(
        names=tuple(names),
        null=x,
        finite=finite,
        observed=row,
        before=np.full(m, np.nan) if before is None else np.asarray(before, dtype=np.float64),
        units=unit,
        margins=np.full(m, np.nan) if margins is None else np.asarray(margins, dtype=np.float64),
        prior_sd=np.array([np.nan if q is None else q.sd for q in known]),
        prior_df=np.array([np.nan if q is None else q.df for q in known]),
        groups=np.array([0 if name.startswith("train/") else 1 for name in names]),
        deciding=np.asarray(deciding, dtype=bool) & ~near,
        usable=usable,
        diverged=int(gone.sum()),
        observed_diverged=observed_diverged,
        notes=notes,
    )
