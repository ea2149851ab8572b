"""The decision on many simulated analyses at once, as the analysis itself decides on one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from analyzer.calibration.simulate import Draws, Spread, critical_t, null_spread
from analyzer.domain.levels import EQUIVALENCE_BETA, INTERVAL_LEVEL
from analyzer.stats.critical import inflation, looks, rank_test_from
from analyzer.stats.moderation import moderate_family
from analyzer.stats.sequential import PILOT

__all__ = [
    "FAULT",
    "INCONCLUSIVE",
    "NEGLIGIBLE",
    "NOISE",
    "Nulls",
    "coverage",
    "decide_auto",
    "decide_fixed",
]

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

NOISE, NEGLIGIBLE, FAULT, INCONCLUSIVE = range(4)


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """The nulls at one number of replicates; ``reach`` is how far equivalence looks, t(0.8, df) se."""

    n: int
    null: Spread
    reach: Array
    some: Flags
    every: Flags

    def factors(self, alpha: float, *, sequential: bool) -> Array:
        """Factor of each draw, shape (B, 1): plain, moderated, or the larger where only some priors entered."""
        m = self.reach.shape[1]
        kinds = {
            k: inflation(self.n, alpha, family=m, moderated=k, sequential=sequential).factor for k in (False, True)
        }
        mixed = np.where(self.some, max(kinds.values()), kinds[False])
        return np.asarray(np.where(self.every, kinds[True], mixed)[:, None])


class Nulls:
    """What is computed once for all rows that are judged against the same simulated nulls.

    Parameters
    ----------
    d
        The draws.
    auto
        Whether the sequential design will look at them.
    """

    def __init__(self, d: Draws, *, auto: bool) -> None:
        self._draws = d
        self._looks: dict[int, Look] = {}
        if auto:
            self.centre, self.sd = _pilot(d)
            later = np.abs(d.null[:, PILOT:] - self.centre[:, None]) / self.sd[:, None]
            self.scores = later.max(axis=2)  # of the replicates after the pilot, in their order

    def look(self, n: int) -> Look:
        """The nulls of the first n replicates."""
        if n not in self._looks:
            null = null_spread(self._draws, use=n)
            moderated: Flags = np.asarray(null.df > n - 1 + 1e-9)
            reach = critical_t(EQUIVALENCE_BETA, null.df) * null.se
            self._looks[n] = Look(n, null, reach, np.asarray(moderated.any(axis=1)), np.asarray(moderated.all(axis=1)))
        return self._looks[n]


def decide_fixed(d: Draws, alpha: float, margin: Array, nulls: Nulls | None = None) -> NDArray[np.int_]:
    """Verdict codes of a fixed N, shape (B,), by the procedure that this N calls for."""
    n = d.null.shape[1]
    nulls = nulls or Nulls(d, auto=False)
    significant, inside = _t_decision(d, alpha, margin, nulls.look(n), sequential=False)
    if n >= rank_test_from(alpha):
        own, scores = _leave_one_out(d)
        p = (1 + (scores[:, :, None] >= own[:, None, :]).sum(axis=1)) / (n + 1)
        significant = p <= alpha + 1e-12
    return _verdict(significant, inside)


def decide_auto(
    d: Draws, alpha: float, margin: Array, nulls: Nulls | None = None
) -> tuple[NDArray[np.int_], NDArray[np.int_]]:
    """Verdict codes and replicates used by the sequential design, each of shape (B,); as `sequential.next_action`."""
    count, last = len(d.observed), min(d.null.shape[1], looks()[-1])
    verdict, used = np.full(count, -1), np.full(count, last)
    exceeded = np.zeros(count, dtype=bool)
    nulls = nulls or Nulls(d, auto=True)
    own = (np.abs(d.observed - nulls.centre) / nulls.sd).max(axis=1)
    for n in range(min(PILOT, last), last + 1):
        if n > PILOT:
            exceeded |= nulls.scores[:, n - PILOT - 1] >= own
        significant, inside = _t_decision(d, alpha, margin, nulls.look(n), sequential=True)
        now = _verdict(significant, inside)
        stop = exceeded & (now == NOISE)
        if n in looks() or n == last:
            stop |= (now == FAULT) | (now == NEGLIGIBLE)
        if n == last:
            stop[:] = True
        fresh = stop & (verdict < 0)
        verdict[fresh], used[fresh] = now[fresh], n
    return verdict, used


def _t_decision(d: Draws, alpha: float, margin: Array, look: Look, *, sequential: bool) -> tuple[Flags, Flags]:
    shift = np.abs(d.observed - look.null.mean)
    m = shift.shape[1]
    t = shift / look.null.se / look.factors(alpha, sequential=sequential)
    # Holm rejects nothing whose p exceeds alpha, and no t quantile lies below the normal one: most rows need no p.
    far = (t >= stats.norm.isf(alpha / 2)).any(axis=1)
    p = 2 * stats.t.sf(t[far], look.null.df[far])
    order = np.argsort(p, axis=1)
    passed = np.logical_and.accumulate(np.take_along_axis(p, order, axis=1) <= alpha / (m - np.arange(m)), axis=1)
    rejected = np.zeros(p.shape, dtype=bool)
    np.put_along_axis(rejected, order, passed, axis=1)
    significant = np.zeros(t.shape, dtype=bool)
    significant[far] = rejected
    return significant, shift + look.reach <= margin


def _pilot(d: Draws) -> tuple[Array, Array]:
    pilot = d.null[:, :PILOT]
    sd = moderate_family(
        pilot.std(axis=1, ddof=1),
        pilot.shape[1] - 1,
        d.prior_sd,
        d.prior_df,
        np.zeros(pilot.shape[2]),
        groups=d.groups,
    ).sd
    return pilot.mean(axis=1), sd


def _leave_one_out(d: Draws) -> tuple[Array, Array]:
    """|z| of the observed row (B, m) and max |z| of each replicate (B, N), every row left out once."""
    rows = np.concatenate([d.observed[:, None], d.null], axis=1)
    count, m = rows.shape[1:]
    total, square = rows.sum(axis=1, keepdims=True), (rows**2).sum(axis=1, keepdims=True)
    mean = (total - rows) / (count - 1)
    sd = np.sqrt(np.maximum((square - rows**2 - (count - 1) * mean**2) / (count - 2), 0))
    prior = None if d.prior_sd is None else d.prior_sd[:, None]
    sd = moderate_family(sd, count - 2, prior, d.prior_df, np.zeros(m), groups=d.groups).sd
    z = np.abs(rows - mean) / sd
    return z[:, 0], z[:, 1:].max(axis=2)


def _verdict(significant: Flags, inside: Flags) -> NDArray[np.int_]:
    fault = (significant & ~inside).any(axis=1)
    clean = inside.all(axis=1)
    some = significant.any(axis=1)
    return np.where(fault, FAULT, np.where(clean & some, NEGLIGIBLE, np.where(clean, NOISE, INCONCLUSIVE)))


def coverage(d: Draws, alpha: float, look: Look) -> tuple[float, float]:
    """Of the 95 % interval of one metric, and of the simultaneous one."""
    shift, m = np.abs(d.observed - look.null.mean), d.observed.shape[1]
    single = shift <= critical_t((1 - INTERVAL_LEVEL) / 2, look.null.df) * look.null.se
    critical = look.factors(alpha, sequential=False) * critical_t(alpha / 2 / m, look.null.df)
    return float(single.mean()), float((shift <= critical * look.null.se).all(axis=1).mean())
