"""Arrays of one comparison, checked: what is usable, what diverged, what is missing and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analyzer.domain.metrics import is_train_loss
from analyzer.stats.moderation import Prior

__all__ = ["CONSTANT_UNITS", "Inputs", "check"]

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

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
    deciding: Flags
    usable: Flags
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
    unit = np.zeros(m) if units is None else np.asarray(units, dtype=np.float64)
    found = _look(x, row, None if diverged is None else np.asarray(diverged, dtype=bool), observed_diverged)
    finite = np.where(found.usable, x[~found.gone], 0.0)
    near: Flags = np.zeros(m, dtype=bool)
    if len(finite) and not observed_diverged:
        near = (np.ptp(finite, axis=0) == 0) & (np.abs(row - finite[0]) <= CONSTANT_UNITS * unit * (1 + 1e-9))
    why = {
        "no replicate has this metric": found.missing,
        "some replicates lack this metric": found.holes,
        "the observed row lacks this metric": found.absent,
        "constant in the null and in the observed row": near & found.usable,
    }
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
        groups=np.array([0 if is_train_loss(name) else 1 for name in names]),
        deciding=np.asarray(deciding, dtype=bool) & ~near,
        usable=found.usable,
        diverged=int(found.gone.sum()),
        observed_diverged=observed_diverged,
        notes={name: text for text, which in why.items() for name, flag in zip(names, which, strict=True) if flag},
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Look:
    """Which replicates diverged, shape (N,), and what is missing where, shape (m,)."""

    gone: Flags
    missing: Flags  # in every replicate
    holes: Flags  # in some that did not diverge
    absent: Flags  # in the observed row

    @property
    def usable(self) -> Flags:
        return ~(self.missing | self.holes | self.absent)


def _look(x: Array, row: Array, diverged: Flags | None, observed_diverged: bool) -> _Look:
    missing = ~np.isfinite(x).any(axis=0) if len(x) else np.ones(x.shape[1], dtype=bool)
    bad = ~np.isfinite(x) & ~missing
    gone: Flags = np.asarray(bad.any(axis=1)) if diverged is None else diverged
    holes: Flags = np.asarray(bad[~gone].any(axis=0)) if len(x) else np.zeros(x.shape[1], dtype=bool)
    return _Look(gone, np.asarray(missing), holes, ~np.isfinite(row) & (not observed_diverged))
