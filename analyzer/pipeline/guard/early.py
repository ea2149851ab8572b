"""Judge a resumed epoch while it runs: batch by batch against the stored replay, at the marks against the null."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analyzer.domain.evidence import Decision, Evidence, MetricEvidence, Verdict
from analyzer.domain.replicate import Outcome, Replicate
from analyzer.domain.within import Within
from analyzer.pipeline.analysis.evidence import inside_of, metric_evidence
from analyzer.pipeline.analysis.regime import read_regime
from analyzer.pipeline.analysis.resume_point import as_configured, running_resume_point
from analyzer.pipeline.guard.check import roots_of
from analyzer.pipeline.guard.stored import studies_of
from analyzer.stats.early import early_look
from analyzer.verdict import decide

__all__ = ["EarlyCheck", "Watch", "watch_for", "watch_with"]

Array = NDArray[np.float64]

_MIN_REPLICATES = 2  # fewer have no spread
_SAME = 1e-5  # relative: losses that agree to the digits that Ultralytics prints count as the same


@dataclass(frozen=True, slots=True, eq=False)
class EarlyCheck:
    """What the epoch showed after some batches.

    Parameters
    ----------
    batch, of
        How many batches were done, of how many.
    against
        Name of the study, followed by what of it was the comparison.
    replicates
        How many; 0 for a replay.
    alpha
        What this look may spend; 0 where nothing is left to chance.
    decision
        Verdict, rule and reasons.
    metrics
        Evidence loss by loss; empty for a replay.
    notes
        What the test says of itself, e.g. that its level is below the calibrated ones.
    """

    batch: int
    of: int
    against: str
    replicates: int
    alpha: float
    decision: Decision
    metrics: tuple[MetricEvidence, ...] = ()
    notes: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The check as plain JSON."""
        fault = self.decision.verdict is Verdict.FAULT
        return {
            "batch": self.batch,
            "of": self.of,
            "against": self.against,
            "replicates": self.replicates,
            "alpha": self.alpha,
            "verdict": "FAULT" if fault else None,  # the epoch is not over: nothing else can be said yet
            "rule": self.decision.rule if fault else "",
            "reasons": list(self.decision.reasons) if fault else [],
            "notes": list(self.notes),
            "losses": [
                {
                    "name": m.name,
                    "observed": m.observed if np.isfinite(m.observed) else None,
                    "expected": m.null_mean,
                    "p_adjusted": m.p_adjusted,
                    "margin": m.margin,
                }
                for m in self.metrics
            ],
        }


@dataclass(frozen=True, slots=True, eq=False)
class Watch:
    """What a resumed epoch is compared with while it runs.

    Parameters
    ----------
    study
        Name of the study.
    batches
        Of the epoch.
    names
        m train losses.
    marks
        L numbers of batches.
    null
        Shape (N, L, m), running means of the replicates; N = 0 where there is no null.
    diverged
        Shape (N,), bool.
    rates
        Learning rates at each mark, the same in all replicates; empty where they are not compared.
    margins
        Shape (m,), NaN where there is none.
    alpha
        Over all looks.
    replay
        Every batch of the run's own resume; None where there is none.
    """

    study: str
    batches: int
    names: tuple[str, ...]
    marks: tuple[int, ...]
    null: Array
    diverged: NDArray[np.bool_]
    rates: Mapping[int, Mapping[str, float]]
    margins: Array
    alpha: float
    replay: Within | None

    @property
    def has_null(self) -> bool:
        """Whether there are enough replicates to compare with, so that the looks spend their alpha."""
        return len(self.null) >= _MIN_REPLICATES

    def losses_alone(self) -> Watch:
        """The same without the comparison of learning rates: what the statistics see by themselves."""
        return replace(self, rates={})

    def batch(self, done: int, row: Mapping[str, float]) -> EarlyCheck | None:
        """Compare one batch with the replay; the check where the run has left it."""
        if self.replay is None:
            return None
        expected = self.replay.after[done]
        left = [k for k, v in expected.items() if k in row and not _agree(row[k], v)]
        if not left:
            return None
        worst = max(left, key=lambda k: abs(row[k] - expected[k]) / max(abs(expected[k]), 1e-12))
        reason = (
            f"Batch {done} of {self.batches} left the stored replay of this very resume: {worst} is {row[worst]:.6g}, "
            f"the replay has {expected[worst]:.6g}. Same checkpoint, arguments, seed and packages: what the training "
            "does was changed since."
        )
        decision = Decision(Verdict.FAULT, "replay-left", (reason,))
        return EarlyCheck(done, self.batches, f"{self.study} (replay)", 0, 0.0, decision)

    def look(self, done: int, row: Mapping[str, float]) -> EarlyCheck | None:
        """Compare the running losses at a mark with the null; None where there is none, or this is no mark of it."""
        if done not in self.marks or not self.has_null:
            return None
        j, share = self.marks.index(done), self.alpha / len(self.marks)  # Bonferroni
        observed = np.array([row.get(n, np.nan) for n in self.names])
        compared = early_look(
            self.null,
            observed,
            self.marks,
            j,
            names=self.names,
            alpha=share,
            margins=self.margins,
            diverged=self.diverged,
        )
        rates = self._other_rates(done, row)
        evidence = Evidence(
            metrics=tuple((m.significant, m.size) for m in compared.deciding),
            omnibus=compared.omnibus,
            certain_cause=bool(rates),
            diverged=any(n in row and not np.isfinite(row[n]) for n in self.names)
            and bool(np.isfinite(self.null[:, j]).all()),
        )
        decision = decide(evidence, names=[m.name for m in compared.deciding])
        if rates:
            decision = Decision(decision.verdict, decision.rule, (rates, *decision.reasons[1:]))
        metrics = tuple(metric_evidence(m, "auto") for m in compared.metrics)
        return EarlyCheck(done, self.batches, self.study, len(self.null), share, decision, metrics, compared.notes)

    def _other_rates(self, done: int, row: Mapping[str, float]) -> str:
        """The learning rate follows from the schedule, so every healthy resume has the same one; where it differs."""
        expected = self.rates.get(done, {})
        other = [k for k, v in expected.items() if k in row and not _agree(row[k], v)]
        if not other:
            return ""
        first = other[0]
        return (
            f"The learning rate {first} is {row[first]:.6g} after batch {done}, where every healthy resume of this "
            f"checkpoint has {expected[first]:.6g}."
        )


def _agree(a: float, b: float) -> bool:
    return bool(a == b or abs(a - b) <= _SAME * max(abs(a), abs(b)) or (np.isnan(a) and np.isnan(b)))


def watch_for(run: Path, checkpoint: Path, *, first: int, batches: int, alpha: float, seed: int | None) -> Watch | None:
    """What the store has for the first resumed epoch of this run; None where it has nothing.

    Parameters
    ----------
    run
        The run directory; its args.yaml is that of the resume already.
    checkpoint
        The kept seam checkpoint.
    first
        The resumed epoch, as results.csv counts.
    batches
        Of that epoch.
    alpha
        Rate of false alarms over all looks.
    seed
        Of the run, where a replay of it can be exact (CPU, one process); else None.

    Raises
    ------
    DriftError
        The run or the checkpoint cannot be read.
    """
    point = running_resume_point(run, checkpoint, first)
    assert point.checkpoint is not None
    roots = roots_of(run, point.train_args)
    best: tuple[str, tuple[Replicate, ...]] = ("", ())
    replay: tuple[str, Within | None] = ("", None)
    device = point.run.args.get("device")
    for kept in studies_of(roots, point.checkpoint.sha256, as_configured(point.diff), device):
        found = kept.inside(batches)
        best = max(best, (kept.name, found), key=lambda pair: len(pair[1]))
        if replay[1] is None and seed is not None:
            replay = kept.name, kept.replay(seed, batches)
    if len(best[1]) < _MIN_REPLICATES and replay[1] is None:
        return None
    regime = read_regime(point, ())
    margins = dict(zip(regime.names, map(float, regime.margins), strict=True))
    return watch_with(best[1], batches, study=best[0] or replay[0], margins=margins, alpha=alpha, replay=replay[1])


def watch_with(
    null: tuple[Replicate, ...],
    batches: int,
    *,
    study: str,
    margins: Mapping[str, float],
    alpha: float,
    replay: Within | None = None,
) -> Watch:
    """What a resumed epoch is compared with, from the replicates themselves.

    Parameters
    ----------
    null
        Replicates whose first epoch was kept from inside; may be empty.
    batches
        Of the epoch.
    study
        Its name.
    margins
        Column to the shift of an epoch's mean that matters; a loss that is missing has none.
    alpha
        Rate of false alarms over all looks.
    replay
        Every batch of the run's own resume.
    """
    marks, names, cube = inside_of(null)
    first = null[0].epochs[0].within if null else None
    rates = {n: {k: v for k, v in first.after[n].items() if k.startswith("lr/")} for n in marks} if first else {}
    return Watch(
        study=study,
        batches=batches,
        names=names,
        marks=marks,
        null=cube,
        diverged=np.array([r.outcome is Outcome.DIVERGED for r in null], dtype=np.bool_),
        rates=rates,
        margins=np.array([margins.get(n, np.nan) for n in names]),
        alpha=alpha,
        replay=replay,
    )
