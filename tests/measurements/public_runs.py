"""How often the history rules accuse ordinary epochs of public runs.

``python -m tests.measurements.public_runs FOLDER``

FOLDER holds ``index.csv`` and ``runs/ID/results.csv`` (and ``args.yaml``). Runs with a visible seam or
epoch anomaly are left out. Prints the tables of docs/METHOD.md.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from analyzer.domain.evidence import SeamCheck
from analyzer.domain.run import History
from analyzer.errors import DriftError
from analyzer.runs.args import read_args
from analyzer.runs.results import read_history
from analyzer.runs.schedule import Schedule
from analyzer.stats.screen import residual_scores, screen_run
from analyzer.stats.seam import observed_against_history


@dataclass(frozen=True)
class Ordinary:
    name: str
    repo: str
    history: History
    names: tuple[str, ...]
    sign: np.ndarray
    closed_row: int | None
    schedule: Schedule

    @property
    def values(self) -> np.ndarray:
        return np.stack([self.history.column(n) for n in self.names], axis=1)

    @property
    def units(self) -> np.ndarray:
        return np.array([self.history.unit(n) for n in self.names])


def load(folder: Path) -> list[Ordinary]:
    runs = []
    with (folder / "index.csv").open(newline="") as handle:
        rows = list(csv.DictReader(handle))
    for row in rows:
        if int(row["n_time_drops"]) or int(row["n_epoch_anomalies"]):
            continue
        directory = folder / "runs" / row["id"]
        try:
            history = read_history(directory / "results.csv")
            args = read_args(directory / "args.yaml") if (directory / "args.yaml").exists() else {}
        except DriftError:
            continue
        deciding = [m for m in history.metrics if m.deciding]
        epochs = history.epochs
        total = int(args.get("epochs") or row["epochs_in_args"] or len(epochs))
        close = int(args.get("close_mosaic", 10) if row["ultralytics_family"] == "v8+" else 0)
        if not deciding or len(epochs) < 2 or (np.diff(epochs) != 1).any():
            continue
        warmup = float(args.get("warmup_epochs") or 3.0)
        schedule = Schedule.told({"epochs": total, "close_mosaic": close, "warmup_epochs": warmup})
        at = np.flatnonzero(epochs == schedule.closed_from) if schedule.closed_from is not None else np.array([])
        runs.append(
            Ordinary(
                row["id"], row["repo"], history, tuple(m.name for m in deciding),
                np.array([m.adverse_sign for m in deciding]), int(at[0]) if len(at) else None, schedule,
            )
        )  # fmt: skip
    return runs


def by_repository(values: list[tuple[str, float]]) -> tuple[float, float, int]:
    """Plain mean, mean of repository means, number of repositories."""
    groups = defaultdict(list)
    for repo, value in values:
        groups[repo].append(value)
    return float(np.mean([v for _, v in values])), float(np.mean([np.mean(g) for g in groups.values()])), len(groups)


def tail(runs: list[Ordinary]) -> dict[str, float]:
    """Exceedance of the per-epoch score, pooled with each repository weighing the same."""
    per_repo = defaultdict(list)
    for run in runs:
        starts = [] if run.closed_row is None else [run.closed_row]
        pairs = [
            residual_scores(run.values[:, j], starts=starts, unit=float(run.units[j]))[0] for j in range(len(run.names))
        ]
        scores = np.abs(np.stack(pairs, axis=1))
        ok = np.isfinite(scores).any(axis=1)
        if ok.any():
            per_repo[run.repo].append(np.nanmax(scores[ok], axis=1))
    pooled = [np.concatenate(g) for g in per_repo.values()]
    result = {"repositories": len(pooled), "epochs": int(sum(map(len, pooled)))}
    for s in (3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 100):
        result[f"P(score > {s})"] = round(float(np.mean([np.mean(g > s) for g in pooled])), 6)
        result[f"pooled P(score > {s})"] = round(float(np.mean(np.concatenate(pooled) > s)), 6)
    return result


def screening(runs: list[Ordinary], alpha: float) -> dict[str, float]:
    flags = []
    for run in runs:
        starts = [] if run.closed_row is None else [run.closed_row]
        found = screen_run(
            run.values, names=run.names, adverse_sign=run.sign, alpha=alpha, units=run.units, starts=starts
        )
        if found.judged:
            flags.append((run.repo, float(bool(found.alarms))))
    plain, repo, n = by_repository(flags)
    return {
        "alpha": alpha,
        "runs": len(flags),
        "runs with alarm": plain,
        "mean over repositories": repo,
        "repositories": n,
    }


def one_epoch(runs: list[Ordinary], alpha: float, each: int, rng: np.random.Generator) -> dict[str, float]:
    """observed_against_history at random ordinary epochs, regimes cut as in an analysis; crossings apart."""
    flags, crossing = [], []
    for run in runs:
        values, epochs = run.values, run.history.epochs
        rows = np.arange(12, len(epochs))
        chosen = rng.choice(rows, min(each, len(rows)), replace=False) if len(rows) else []
        for row in {*map(int, chosen), *([run.closed_row] if run.closed_row else [])}:
            start = run.schedule.regime_start(epochs[:row])
            crosses = row == run.closed_row
            checked = observed_against_history(
                values[start:row], values[row], names=run.names, adverse_sign=run.sign, alpha=alpha, units=run.units,
                new_regime=crosses,
            )  # fmt: skip
            if checked.status is not SeamCheck.UNKNOWN:
                (crossing if crosses else flags).append((run.repo, float(checked.status is SeamCheck.ADVERSE)))
    out = {"alpha": alpha, "epochs": len(flags)}
    out["ADVERSE"], out["ADVERSE, mean over repositories"], out["repositories"] = by_repository(flags)
    out["crossings"] = len(crossing)
    if crossing:
        out["crossings ADVERSE"] = by_repository(crossing)[0]
    return out


def closing(runs: list[Ordinary]) -> dict[str, list[float]]:
    """Change over the first epoch without mosaic against the trend, relative to the value, by kind of metric."""
    changes = defaultdict(list)
    for run in runs:
        if not run.closed_row or run.closed_row < 12:
            continue
        for j, name in enumerate(run.names):
            x = run.values[:, j]
            predicted = residual_scores(x)[1][run.closed_row]
            if np.isfinite(predicted) and predicted > 0 and np.isfinite(x[run.closed_row]):
                changes[name.split("(")[0]].append(x[run.closed_row] / predicted - 1)
    return {
        k: [len(v), *np.round(np.quantile(v, [0.05, 0.25, 0.5, 0.75, 0.95]), 3).tolist()]
        for k, v in sorted(changes.items())
        if len(v) >= 10
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--each", type=int, default=5, help="random epochs a run for the one-epoch rule")
    options = parser.parse_args()
    runs = load(options.folder)
    report = {
        "runs": len(runs),
        "tail": tail(runs),
        "closing (n, 5 %, 25 %, median, 75 %, 95 %)": closing(runs),
        "screening": [screening(runs, a) for a in (0.05, 0.1, 0.2)],
        "one epoch": [one_epoch(runs, a, options.each, np.random.default_rng(1)) for a in (0.05, 0.01)],
    }
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
