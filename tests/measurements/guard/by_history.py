"""How often the guard, judging by history, accuses ordinary epochs of public runs.

``python -m tests.measurements.guard.by_history FOLDER [SEAMS_A_RUN]``

FOLDER as for public_runs.py. In each run without a visible seam some epochs are taken as if training had been resumed
there; the K = 3 rows that follow are judged as the guard judges them. No training was resumed, so every FAULT is false.
Prints the numbers of docs/GUARD.md.
"""

import sys
from pathlib import Path

import numpy as np

from analyzer.domain.evidence import Verdict
from analyzer.pipeline.analysis.case import Observed
from analyzer.pipeline.analysis.regime import Regime
from analyzer.pipeline.guard.check import judged_by_history
from analyzer.stats.history import MIN_EPOCHS, auto_margin, history_noise
from tests.measurements.public_runs import load

K, ALPHA = 3, 0.05


def past_of(run, last):
    """The regime that ends with row `last`; None where it is too short to say anything."""
    start = run.schedule.regime_start(run.history.epochs[: last + 1])
    values = run.values[start : last + 1]
    if len(values) < MIN_EPOCHS:
        return None
    metrics = tuple(m for m in run.history.metrics if m.deciding)
    noise = tuple(history_noise(values[:, j], unit=run.units[j]) for j in range(values.shape[1]))
    margins = [auto_margin(n) for n in noise]
    return Regime(
        metrics,
        values,
        noise,
        tuple(None if n is None else n.prior for n in noise),
        np.array([np.nan if m is None else m for m in margins]),
        tuple("none" if m is None else "auto" for m in margins),
        run.units,
        False,
    )


def first_fault(run, last):
    """Which of the K looks accuses first, from 1; 0 for none; None where nothing can be said."""
    past = past_of(run, last)
    if past is None:
        return None
    for step in range(1, K + 1):
        observed = Observed(run.values[last + step : last + step + 1], run.values[last])
        decision, _ = judged_by_history(past, observed, step, ALPHA / K, certain=False)
        if decision.verdict is Verdict.FAULT:
            return step
    return 0


def main(folder, each=2):
    outcomes, accused = [], set()
    for run in load(folder):
        rows = range(MIN_EPOCHS, len(run.history) - K)
        if run.closed_row is not None:  # the K rows lie on one side of the epoch in which mosaic closes
            rows = [r for r in rows if not r < run.closed_row <= r + K]
        rng = np.random.default_rng(0)
        for last in rng.permutation(np.array(rows, dtype=int))[:each]:
            found = first_fault(run, int(last))
            if found is not None:
                outcomes.append(found)
                accused |= {run.repo} if found else set()
    counts = np.bincount(outcomes, minlength=K + 1)
    n = len(outcomes)
    print(f"{n} pseudo-seams; FAULT in {n - counts[0]} ({(n - counts[0]) / n:.1%}, nominal at most {ALPHA:.0%});")
    print(f"first at look 1, 2, 3: {counts[1:].tolist()}; repositories with one: {len(accused)}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))
