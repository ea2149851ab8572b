"""Operating characteristics of the whole decision, by simulation: shares of verdicts, coverage, replicates used."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from analyzer.stats.critical import inflation, looks, rank_test_from
from analyzer.stats.moderation import moderate_family
from analyzer.stats.sequential import PILOT
from analyzer.stats.simulate import Cell, Draws, critical_t, draw, standard_groups, t_and_df

__all__ = ["Shares", "decide_auto", "decide_fixed", "shares"]

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

NOISE, NEGLIGIBLE, FAULT, INCONCLUSIVE = range(4)
_CHUNK = 2_000
_INSIDE_TAIL = 0.2


@dataclass(frozen=True, slots=True)
class Shares:
    """What a cell gives.

    Parameters
    ----------
    draws
        Simulated analyses.
    noise, negligible, fault, inconclusive
        Shares of verdicts, 0 to 1.
    looked_odd
        Share of FAULT among the draws with some metric more than 2 true sd from its mean; NaN where there is none.
    single_coverage, simultaneous_coverage
        Of the per-metric 95 % prediction interval (mean over metrics) and of the simultaneous one (t procedure); NaN
        for auto.
    mean_replicates
        Replicates used.
    """

    draws: int
    noise: float
    negligible: float
    fault: float
    inconclusive: float
    looked_odd: float
    single_coverage: float
    simultaneous_coverage: float
    mean_replicates: float


def shares(
    cell: Cell,
    draws: int,
    rng: np.random.Generator,
    *,
    alpha_null: float,
    auto: bool = False,
    rows: ArrayLike | None = None,
    correlation: ArrayLike | None = None,
    margin_steps: float = 3.0,
) -> Shares:
    """Shares of the four verdicts in one cell, from the null arm alone (no audit, no history, no replay).

    Parameters
    ----------
    cell
        What is simulated; with ``auto`` its n is the cap.
    draws
        Simulated analyses, in chunks.
    rng
        Source of randomness.
    alpha_null
        The null's share of alpha.
    auto
        The sequential design instead of a fixed N.
    rows, correlation
        As in `draw`.
    margin_steps
        Margin in robust sd of the steps (3: ``auto`` margin); without history every margin is that many sqrt(2) true
        sd.

    Returns
    -------
    Shares
    """
    verdicts, used, odd, single, joint = [], [], [], [], []
    for start in range(0, draws, _CHUNK):
        d = draw(cell, min(_CHUNK, draws - start), rng, rows=rows, correlation=correlation)
        margin = margin_steps * (np.full(d.observed.shape, np.sqrt(2)) if d.step_sd is None else d.step_sd)
        if auto:
            verdict, n = decide_auto(d, alpha_null, margin)
        else:
            verdict, n = decide_fixed(d, alpha_null, margin), np.full(len(d.observed), cell.n)
            one, all_in = _coverage(d, alpha_null)
            single.append(one)
            joint.append(all_in)
        verdicts.append(verdict)
        used.append(n)
        odd.append((np.abs(d.observed) > 2).any(axis=1))
    v, looked = np.concatenate(verdicts), np.concatenate(odd)
    return Shares(
        draws=draws,
        noise=float((v == NOISE).mean()),
        negligible=float((v == NEGLIGIBLE).mean()),
        fault=float((v == FAULT).mean()),
        inconclusive=float((v == INCONCLUSIVE).mean()),
        looked_odd=float((v[looked] == FAULT).mean()) if looked.any() else float("nan"),
        single_coverage=float(np.mean(single)) if single else float("nan"),
        simultaneous_coverage=float(np.mean(joint)) if joint else float("nan"),
        mean_replicates=float(np.concatenate(used).mean()),
    )


def decide_fixed(d: Draws, alpha: float, margin: Array) -> NDArray[np.int_]:
    """Verdict codes of a fixed N, shape (B,), by the procedure that this N calls for."""
    n, _m = d.null.shape[1:]
    significant, inside = _t_decision(d, alpha, margin, None, sequential=False)
    if n >= rank_test_from(alpha):
        own, scores = _leave_one_out(d)
        p = (1 + (scores[:, :, None] >= own[:, None, :]).sum(axis=1)) / (n + 1)
        significant = p <= alpha + 1e-12
    return _verdict(significant, inside)


def decide_auto(d: Draws, alpha: float, margin: Array) -> tuple[NDArray[np.int_], NDArray[np.int_]]:
    """Verdict codes and replicates used by the sequential design, each of shape (B,); as `sequential.next_action`."""
    count, last = len(d.observed), min(d.null.shape[1], looks()[-1])
    verdict, used = np.full(count, -1), np.full(count, last)
    exceeded = np.zeros(count, dtype=bool)
    centre, sd = _pilot(d)
    own = (np.abs(d.observed - centre) / sd).max(axis=1)
    for n in range(min(PILOT, last), last + 1):
        if n > PILOT:
            exceeded |= (np.abs(d.null[:, n - 1] - centre) / sd).max(axis=1) >= own
        significant, inside = _t_decision(d, alpha, margin, n, sequential=True)
        now = _verdict(significant, inside)
        stop = exceeded & (now == NOISE)
        if n in looks() or n == last:
            stop |= (now == FAULT) | (now == NEGLIGIBLE)
        if n == last:
            stop[:] = True
        fresh = stop & (verdict < 0)
        verdict[fresh], used[fresh] = now[fresh], n
    return verdict, used


def _t_decision(d: Draws, alpha: float, margin: Array, use: int | None, *, sequential: bool) -> tuple[Flags, Flags]:
    shift, se, df = t_and_df(d, use=use)
    m = shift.shape[1]
    factors = _factors(d, df, use, alpha, sequential)
    p = 2 * stats.t.sf(np.abs(shift) / se / factors[:, None], df)
    inside = np.abs(shift) + critical_t(_INSIDE_TAIL, df) * se <= margin
    order = np.argsort(p, axis=1)
    sorted_p = np.take_along_axis(p, order, axis=1)
    passed = np.logical_and.accumulate(sorted_p <= alpha / (m - np.arange(m)), axis=1)  # Holm
    significant = np.zeros(p.shape, dtype=bool)
    np.put_along_axis(significant, order, passed, axis=1)
    return significant, inside


def _factors(d: Draws, df: Array, use: int | None, alpha: float, sequential: bool) -> Array:
    """Factor of each draw: plain, moderated, or the larger where only some priors entered."""
    n, m = (d.null.shape[1] if use is None else use), df.shape[1]
    moderated = df > n - 1 + 1e-9
    kinds = {k: inflation(n, alpha, family=m, moderated=k, sequential=sequential).factor for k in (False, True)}
    some, every = moderated.any(axis=1), moderated.all(axis=1)
    return np.where(every, kinds[True], np.where(some, max(kinds.values()), kinds[False]))


def _pilot(d: Draws) -> tuple[Array, Array]:
    pilot = d.null[:, :PILOT]
    m = pilot.shape[2]
    prior = None if d.step_sd is None else d.step_sd / np.sqrt(2)
    sd = moderate_family(
        pilot.std(axis=1, ddof=1), pilot.shape[1] - 1, prior, d.prior_df, np.zeros(m), groups=standard_groups(m)
    ).sd
    return pilot.mean(axis=1), sd


def _leave_one_out(d: Draws) -> tuple[Array, Array]:
    """|z| of the observed row (B, m) and max |z| of each replicate (B, N), every row left out once."""
    rows = np.concatenate([d.observed[:, None], d.null], axis=1)
    count, m = rows.shape[1:]
    total, square = rows.sum(axis=1, keepdims=True), (rows**2).sum(axis=1, keepdims=True)
    mean = (total - rows) / (count - 1)
    sd = np.sqrt(np.maximum((square - rows**2 - (count - 1) * mean**2) / (count - 2), 0))
    prior = None if d.step_sd is None else d.step_sd[:, None] / np.sqrt(2)
    sd = moderate_family(sd, count - 2, prior, d.prior_df, np.zeros(m), groups=standard_groups(m)).sd
    z = np.abs(rows - mean) / sd
    return z[:, 0], z[:, 1:].max(axis=2)


def _verdict(significant: Flags, inside: Flags) -> NDArray[np.int_]:
    fault = (significant & ~inside).any(axis=1)
    clean = inside.all(axis=1)
    some = significant.any(axis=1)
    return np.where(fault, FAULT, np.where(clean & some, NEGLIGIBLE, np.where(clean, NOISE, INCONCLUSIVE)))


def _coverage(d: Draws, alpha: float) -> tuple[float, float]:
    shift, se, df = t_and_df(d)
    m = shift.shape[1]
    factors = _factors(d, df, None, alpha, False)
    single = np.abs(shift) <= critical_t(0.025, df) * se
    joint = (np.abs(shift) <= factors[:, None] * critical_t(alpha / 2 / m, df) * se).all(axis=1)
    return float(single.mean()), float(joint.mean())
