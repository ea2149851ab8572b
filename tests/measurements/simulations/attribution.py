"""Error rates of ``--before RUN`` and of changed arguments, by simulation: ``make measure-attribution``.

The rows are recorded healthy replicates (data/replicates), drawn anew for every arm of every draw; nothing is trained.
One argument was changed; it moves train/box_loss by 0, 2, 4 or 8 sd of a training and nothing else. A hidden fault
beside it moves the same column. Arms on the same seeds share ``rho`` of their noise; with 0 the pairing gains nothing.
Three questions, each with the functions and the level that the command uses:

1. the row against new trainings *as configured* (it does not depend on the effect);
2. the parts of the jump: does the 95 % interval cover the truth, and does it leave 0 out;
3. a resume with changed arguments: is their effect called a FAULT (significant, and not inside the ``auto`` margin).
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from scipy import stats

from analyzer.domain.evidence import Evidence, Size
from analyzer.domain.levels import NULL_SHARE
from analyzer.domain.metrics import metrics_of
from analyzer.pipeline.analysis.evidence import changed_size
from analyzer.stats.arms import compare_arms
from analyzer.stats.attribution import attribute
from analyzer.stats.history import auto_margin, history_noise
from analyzer.stats.null import shift_tests
from analyzer.verdict import decide
from tests import ROOT

HERE = Path(__file__).resolve().parent
ROWS = ROOT / "data" / "replicates"
ALPHA, UNIT = 0.05, 1e-5
REPLICATES, RHO = (3, 5, 10), (0.0, 0.8)
EFFECTS, HIDDEN = (0.0, 2.0, 4.0, 8.0), (0.0, 4.0, 8.0)  # sd, on the first metric
HISTORY = 20


class Source:
    """Recorded rows of one checkpoint."""

    def __init__(self, file: Path) -> None:
        kept = json.loads(file.read_text(encoding="utf-8"))
        deciding = [m for m in metrics_of(kept["columns"]) if m.deciding]
        self.names = tuple(m.name for m in deciding)
        self.rows = np.array(kept["rows"])[:, [kept["columns"].index(n) for n in self.names]]
        self.mean, self.sd = self.rows.mean(axis=0), self.rows.std(axis=0, ddof=1)
        self.step = np.eye(len(self.names))[0] * self.sd  # one sd of the first metric

    def margins(self, rng: np.random.Generator) -> np.ndarray:
        """The `auto` margins of a history of 20 such epochs."""
        past = self.rows[rng.integers(len(self.rows), size=HISTORY)]
        noise = [history_noise(past[:, j], unit=UNIT) for j in range(len(self.names))]
        return np.array([np.nan if (m := auto_margin(n)) is None else m for n in noise])


def arms(source: Source, n: int, rho: float, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Plain resumes, new trainings, the same as configured (without its effect), and an observed row; own rows each."""
    drawn = source.rows[rng.permutation(len(source.rows))[: 3 * n + 1]]
    plain, restarted, other, observed = drawn[:n], drawn[n : 2 * n], drawn[2 * n : 3 * n], drawn[-1]
    configured = source.mean + rho * (restarted - source.mean) + np.sqrt(1 - rho**2) * (other - source.mean)
    return plain, restarted, configured, observed


def verdict(source: Source, null: np.ndarray, observed: np.ndarray, margins: np.ndarray) -> str:
    """The row against new trainings as configured, as the command judges it: no prior from the history."""
    compared = shift_tests(
        null, observed, names=source.names, deciding=np.ones(len(source.names), dtype=bool),
        alpha_null=ALPHA * NULL_SHARE, units=np.full(len(source.names), UNIT), margins=margins,
    )  # fmt: skip
    evidence = Evidence(metrics=tuple((m.significant, m.size) for m in compared.deciding), omnibus=compared.omnibus)
    return decide(evidence, names=[m.name for m in compared.deciding]).verdict.value


def tally(source: Source, n: int, rho: float, draws: int, rng: np.random.Generator) -> Counter[str]:
    """Counts of everything asked, over the draws."""
    found: Counter[str] = Counter(draws=draws, cells=draws * len(source.names))
    units, past = np.full(len(source.names), UNIT), SimpleNamespace(metrics=metrics_of(source.names))
    for _ in range(draws):
        plain, restarted, configured, observed = arms(source, n, rho, rng)
        margins = source.margins(rng)
        for hidden in HIDDEN:
            found[f"{verdict(source, configured, observed + hidden * source.step, margins)} hidden {hidden:g}"] += 1
        for effect in EFFECTS:
            moved = configured + effect * source.step
            split = attribute(source.mean, observed + effect * source.step, restarted, moved,
                              alone={"argument": moved}, without={}, resumed=plain)  # fmt: skip
            for j, parts in enumerate(split):
                for part in parts:
                    assert part.interval is not None
                    truth = effect * source.step[j] if part.part == "argument" else 0.0
                    if effect == EFFECTS[-1]:  # every other effect moves truth and interval alike
                        found[f"covered {part.part}"] += part.interval.low <= truth <= part.interval.high
                    if part.part == "argument" and j == 0:
                        found[f"0 left out, effect {effect:g}"] += not part.interval.low <= 0 <= part.interval.high
            differences = compare_arms(restarted, moved, names=source.names, paired=True, units=units,
                                       margins=margins, level=1 - ALPHA)  # fmt: skip
            size = changed_size({d.name: d for d in differences}, past)
            found[f"changed arguments accused, effect {effect:g}"] += size is Size.NOT_INSIDE
            found[f"changed arguments called small, effect {effect:g}"] += size is Size.INSIDE
    return found


def coverage_of_means(sources: list[Source], draws: int = 20_000) -> list[dict[str, Any]]:
    """Coverage of the t interval of an arm's mean, metric by metric: what every part but *unexplained* rests on."""
    found = []
    for n in REPLICATES:
        shares = []
        for i, source in enumerate(sources):
            rng = np.random.default_rng([n, i])
            drawn = source.rows[np.argsort(rng.random((draws, len(source.rows))), axis=1)[:, :n]]
            half = stats.t.isf(0.025, n - 1) * drawn.std(axis=1, ddof=1) / np.sqrt(n)
            shares.append((np.abs(drawn.mean(axis=1) - source.mean) <= half).mean(axis=0))
        found.append({"n": n, "draws": draws, "mean": round(float(np.mean(shares)), 4),
                      "worst metric and checkpoint": round(float(np.min(shares)), 4)})  # fmt: skip
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=500, help="of each checkpoint and cell")
    parser.add_argument("--out", type=Path, default=HERE / "attribution.json")
    options = parser.parse_args()
    sources = [Source(file) for file in sorted(ROWS.glob("*.json"))]
    cells: list[dict[str, Any]] = []
    for rho in RHO:
        for n in REPLICATES:
            counts = [tally(s, n, rho, options.draws, np.random.default_rng([n, i])) for i, s in enumerate(sources)]
            total = sum(counts, Counter())
            worst = max(c["FAULT hidden 0"] / c["draws"] for c in counts)
            shares = {
                k: round(v / total["cells" if k.startswith("covered") else "draws"], 4)
                for k, v in sorted(total.items()) if k not in ("draws", "cells")
            }  # fmt: skip
            cells.append({"n": n, "rho": rho, "draws": total["draws"], "worst FAULT, no fault": worst, **shares})
            print(json.dumps(cells[-1]), flush=True)
    document = {"made_by": "make measure-attribution", "alpha": ALPHA, "checkpoints": len(sources), "cells": cells,
                "coverage of the mean of an arm": coverage_of_means(sources)}  # fmt: skip
    options.out.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
