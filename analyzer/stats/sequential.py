"""As few replicates as the evidence allows, error rates kept: a pure state machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analyzer.domain.evidence import Significance, Size
from analyzer.domain.metrics import is_train_loss
from analyzer.stats.critical import looks
from analyzer.stats.moderation import Prior, moderate_family
from analyzer.stats.null import shift_tests
from analyzer.stats.shift import NullComparison

__all__ = ["Continue", "PathPoint", "Stop", "StopReason", "next_action", "pilot_scores"]

Array = NDArray[np.float64]

PILOT = 5  # replicates whose mean and sd standardise all later scores


class StopReason(str, Enum):
    """Why no further replicate is made."""

    FAULT = "significant beyond the sequential boundary and not inside the margin"
    NEGLIGIBLE = "significant beyond the sequential boundary, every metric inside its margin"
    NOISE = "a healthy replicate lies further out than the observed row, and every metric is inside its margin"
    NO_MARGIN = (
        "a healthy replicate lies further out than the observed row; without margins more replicates settle nothing"
    )
    CAP = "the largest number of replicates is reached"
    CERTAIN = "a certain cause was found"


@dataclass(frozen=True, slots=True)
class PathPoint:
    """The evidence at one number of replicates.

    Parameters
    ----------
    n
        Replicates so far.
    look
        Whether the fault boundary was tested here.
    score
        max |z| of the n-th replicate on the frozen pilot (None within the pilot).
    observed_score
        The same of the observed row.
    p_noise
        Besag-Clifford p so far: an upper limit that only falls while no replicate lies further out.
    p_fault
        Smallest adjusted p of the t procedure at the sequential boundary.
    all_inside
        Whether every deciding metric is inside its margin.
    """

    n: int
    look: bool
    score: float | None
    observed_score: float | None
    p_noise: float | None
    p_fault: float | None
    all_inside: bool


@dataclass(frozen=True, slots=True, eq=False)
class Continue:
    """Make ``n_more`` further replicates, then ask again."""

    n_more: int
    reason: str
    path: tuple[PathPoint, ...]
    comparison: NullComparison | None


@dataclass(frozen=True, slots=True, eq=False)
class Stop:
    """Enough. ``comparison`` is the final decision on all replicates made."""

    reason: StopReason
    path: tuple[PathPoint, ...]
    comparison: NullComparison
    p_noise: float | None


def pilot_scores(
    null: ArrayLike,
    observed: ArrayLike,
    *,
    columns: ArrayLike,
    units: ArrayLike,
    prior_sd: ArrayLike | None,
    prior_df: ArrayLike | None,
    groups: ArrayLike | None,
) -> tuple[Array, float]:
    """Scores max |z| of the replicates after the pilot and of the observed row, standardised on the frozen pilot.

    Given the pilot, the observed row and the later replicates are exchangeable if the resume is healthy, whatever
    their distribution.

    Parameters
    ----------
    null, observed
        Shapes (N, m) and (m,), N > 5.
    columns
        Shape (m,), bool: which metrics count.
    units, prior_sd, prior_df, groups
        As in `moderate_family`.

    Returns
    -------
    tuple
        Shape (N - 5,) scores, infinite for a diverged replicate; the observed score.
    """
    x, row, use = (
        np.asarray(null, dtype=np.float64),
        np.asarray(observed, dtype=np.float64),
        np.asarray(columns, dtype=bool),
    )
    pilot = x[:PILOT]
    pilot = pilot[np.isfinite(pilot[:, use]).all(axis=1)]
    if len(pilot) < 2 or not use.any():
        return np.full(len(x) - PILOT, np.nan), float("nan")
    centre = pilot.mean(axis=0)
    sd = moderate_family(pilot.std(axis=0, ddof=1), len(pilot) - 1, prior_sd, prior_df, units, groups=groups).sd
    with np.errstate(divide="ignore", invalid="ignore"):
        later = np.where(x[PILOT:] == centre, 0.0, np.abs(x[PILOT:] - centre) / sd)[:, use]
        mine = np.where(row == centre, 0.0, np.abs(row - centre) / sd)[use]
    later = np.where(np.isfinite(later), later, np.inf)
    return later.max(axis=1), float(np.where(np.isfinite(mine), mine, np.inf).max())


def next_action(
    null_so_far: ArrayLike,
    observed: ArrayLike,
    *,
    names: Sequence[str],
    deciding: ArrayLike,
    alpha_null: float,
    certain_cause: bool = False,
    cap: int | None = None,
    **comparison: Any,
) -> Stop | Continue:
    """Decide whether another replicate is worth its epoch.

    Noise side (Besag and Clifford 1991 with h = 1): the first replicate after the pilot whose score reaches the
    observed
    one ends the search for a fault, p = 1 / l after l of them. Fault side: group-sequential boundary for the t
    statistic at
    `looks`, the observed row held fixed; the factor on the critical values is simulated such that all looks together
    keep alpha. Stopping for noise cannot raise that rate.

    Parameters
    ----------
    null_so_far
        Shape (N, m), N >= 0, all replicates in the order in which they were made.
    observed, names, deciding, alpha_null
        As in `shift_tests`.
    certain_cause
        A hard finding or fingerprint hit: stops at once where 2 replicates give its size.
    cap
        Largest N, at most and by default the last look.
    **comparison
        Further arguments of `shift_tests` (before, units, priors, margins, diverged, observed_diverged,
        interval_level).

    Returns
    -------
    Stop or Continue
        With the path of the evidence at every N so far from the pilot on.

    References
    ----------
    Besag and Clifford (1991), doi 10.1093/biomet/78.2.301; group-sequential boundaries: Pocock (1977),
    doi 10.1093/biomet/64.2.191 (same nominal level at each look, here by simulation).
    """
    x = np.asarray(null_so_far, dtype=np.float64).reshape(-1, len(names))
    n, last = len(x), min(cap or looks()[-1], looks()[-1])
    arguments = {"names": names, "deciding": deciding, "alpha_null": alpha_null, "sequential": True, **comparison}
    if certain_cause and n >= 2:
        return Stop(StopReason.CERTAIN, (), _compare(x, observed, arguments), None)
    if n < min(PILOT, last):
        return Continue(min(PILOT, last) - n, "the pilot is not complete", (), None)
    path: list[PathPoint] = []
    for k in range(min(PILOT, last), n + 1):
        result = _compare(x[:k], observed, arguments)
        path.append(_point(x[:k], observed, result, arguments, last))
        stop = _stop(path, result, k, last)
        if stop is not None and (k == n or stop in (StopReason.FAULT, StopReason.NEGLIGIBLE)):
            return Stop(stop, tuple(path), result, path[-1].p_noise)
    return Continue(1, _why(path[-1]), tuple(path), result)


def _compare(x: Array, observed: ArrayLike, arguments: dict[str, Any]) -> NullComparison:
    own = dict(arguments)
    if own.get("diverged") is not None:
        own["diverged"] = np.asarray(own["diverged"], dtype=bool)[: len(x)]
    return shift_tests(x, observed, **own)


def _point(x: Array, observed: ArrayLike, result: NullComparison, arguments: dict[str, Any], last: int) -> PathPoint:
    n = len(x)
    scores, mine = np.empty(0), float("nan")
    if n > PILOT:
        m = x.shape[1]
        priors: Sequence[Prior | None] = arguments.get("priors") or [None] * m
        units = arguments.get("units")
        scores, mine = pilot_scores(
            x,
            observed,
            columns=[e.deciding for e in result.metrics],
            units=np.zeros(m) if units is None else units,
            prior_sd=[np.nan if q is None else q.sd for q in priors],
            prior_df=[np.nan if q is None else q.df for q in priors],
            groups=[0 if is_train_loss(name) else 1 for name in arguments["names"]],
        )
    beyond = np.flatnonzero(scores >= mine)
    p_noise = None if not len(scores) else 1 / (beyond[0] + 1) if len(beyond) else 1 / (len(scores) + 1)
    return PathPoint(
        n=n,
        look=n in looks() or n == last,
        score=float(scores[-1]) if len(scores) else None,
        observed_score=mine if len(scores) else None,
        p_noise=p_noise,
        p_fault=result.omnibus_p,
        all_inside=result.all_inside,
    )


def _stop(path: Sequence[PathPoint], result: NullComparison, n: int, last: int) -> StopReason | None:
    point = path[-1]
    significant = result.omnibus is Significance.YES
    if point.look and result.some_fault:
        return StopReason.FAULT
    if point.look and significant and result.all_inside:
        return StopReason.NEGLIGIBLE
    if n >= last:
        return StopReason.CAP
    exceeded = any(p.score is not None and p.observed_score is not None and p.score >= p.observed_score for p in path)
    if exceeded and not significant:
        if result.all_inside:
            return StopReason.NOISE
        if all(m.size is Size.UNKNOWN for m in result.deciding):
            return StopReason.NO_MARGIN
    return None


def _why(point: PathPoint) -> str:
    if point.p_noise is None or point.score is None:
        return "no replicate after the pilot yet"
    if point.all_inside:
        return "no replicate lies as far out as the observed row yet"
    return "some metric is not inside its margin yet"
