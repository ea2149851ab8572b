"""What people and other tools do with the same numbers, as score functions: a rule accuses where its score exceeds 1.

Every rule sees the deciding metrics of one resume: `history` (T, m), the comparable epochs before the seam, `null`
(N, m), the healthy replicates of its own analysis, `observed` (m,), and `sign` (m,), +1 where a rise is bad. None of
them corrects for the number of metrics, as their sources do not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import stats


@dataclass(frozen=True, eq=False)
class Seen:
    """One resume as a rule sees it; `loss` says which metrics are losses."""

    history: np.ndarray
    null: np.ndarray
    observed: np.ndarray
    sign: np.ndarray
    loss: np.ndarray


def rule_of_thumb(s: Seen) -> float:
    """A loss up by 0.1 or mAP down by 0.03 against the last epoch (forum advice)."""
    worse = s.sign * (s.observed - s.history[-1])
    return float(np.max(worse / np.where(s.loss, 0.1, 0.03)))


def three_sigma(s: Seen) -> float:
    """Three sd of the last ten epochs around their mean, either direction."""
    last = s.history[-10:]
    return float(np.max(np.abs(s.observed - last.mean(axis=0)) / np.maximum(3 * last.std(axis=0, ddof=1), 1e-12)))


def _pooled_t(left: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, int]:
    """Student's t of one further value against a sample: pooled variance has the sample's df."""
    n = len(left)
    sd = np.maximum(left.std(axis=0, ddof=1), 1e-12)
    return (right - left.mean(axis=0)) / (sd * np.sqrt(1 + 1 / n)), n - 1


def otava(s: Seen, level: float = 0.001) -> float:
    """Student's t, the new point against the window before it, at Apache Otava's default max_pvalue of 0.001."""
    t, df = _pooled_t(s.history, s.observed)
    return float(np.max(np.abs(t)) / stats.t.isf(level / 2, df))


def otava_at_5_percent(s: Seen) -> float:
    """The same at 5 %."""
    return otava(s, 0.05)


def deepcrime(s: Seen) -> float:
    """GLM (Wald z) p < 0.05 and Cohen's d >= 0.5, against the replicates (Humbatova et al. 2021, DeepCrime)."""
    t, _ = _pooled_t(s.null, s.observed)
    d = np.abs(s.observed - s.null.mean(axis=0)) / np.maximum(s.null.std(axis=0, ddof=1), 1e-12)
    return float(np.max(np.minimum(np.abs(t) / stats.norm.isf(0.025), d / 0.5)))


def mlperf_rcp(s: Seen) -> float:
    """Pooled t, one-sided 5 % in the adverse direction, against the replicates (MLPerf training's RCP checker)."""
    t, df = _pooled_t(s.null, s.observed)
    return float(np.max(s.sign * t) / stats.t.isf(0.05, df))


def megatron(s: Seen) -> float:
    """1.5 times the largest deviation of a replicate from the replicates' mean."""
    mean = s.null.mean(axis=0)
    largest = np.maximum(np.abs(s.null - mean).max(axis=0), 1e-12)
    return float(np.max(np.abs(s.observed - mean) / (1.5 * largest)))


RULES: dict[str, Callable[[Seen], float]] = {
    "rule of thumb": rule_of_thumb,
    "three sigma of the history": three_sigma,
    "Otava (p < 0.001, on the history)": otava,
    "Otava at 5 %": otava_at_5_percent,
    "DeepCrime": deepcrime,
    "MLPerf RCP": mlperf_rcp,
    "Megatron": megatron,
}
