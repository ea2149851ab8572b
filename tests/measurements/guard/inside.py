"""What a part of an epoch shows, with nulls of their own: ``make measure-inside``, after `make measure-guard`.

Trains 110 healthy and 60 faulty halves of the epoch that `make measure-guard` resumes (`inside_rows.py`), so that there
are 200 healthy ones with seeds of their own. Then:

1. ``drift analyze --fraction F``: one look at the last mark within F, at the null's share of alpha, with the margins
   that the run's history gives. Healthy and null are drawn from the 200 (draws share replicates), and once more in
   groups that share none;
2. the alarm of the guard, its check of the rates off: the losses that its 40 healthy resumes logged, and the faulty
   halves, each at all looks against five replicates that no other resume of its kind has.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from analyzer.domain.evidence import Evidence, Verdict
from analyzer.domain.levels import NULL_SHARE
from analyzer.domain.replicate import Replicate
from analyzer.domain.within import batches_of
from analyzer.integrations.guard import EARLY_SHARE
from analyzer.pipeline.analysis.evidence import inside_of
from analyzer.pipeline.guard.early import watch_with
from analyzer.stats.early import early_look
from analyzer.verdict import decide
from tests.measurements.guard.inside_rows import FAULTS, halves, margins_of, whole

ALPHA, NULL = 0.05, 5
FRACTIONS, SIZES = (0.1, 0.25, 0.5), (3, 5, 10)
OUT = Path(__file__).with_name("inside.json")


class Halves:
    """Running means of all halves: marks, losses, and values of shape (rows, marks, losses) by kind."""

    def __init__(self, kinds: dict[str, tuple[Replicate, ...]]) -> None:
        self.replicates = kinds
        every = [r for rows in kinds.values() for r in rows]
        first = every[0].epochs[0].within
        assert first is not None
        self.batches = first.batches
        self.marks, self.names, cube = inside_of(every)
        starts = np.cumsum([0, *map(len, kinds.values())])
        self.rows = {kind: cube[a:b] for kind, a, b in zip(kinds, starts[:-1], starts[1:], strict=True)}

    def accused(self, null: np.ndarray, row: np.ndarray, fraction: float, margins: np.ndarray) -> bool:
        """Whether ``--fraction`` says FAULT, by the losses alone."""
        last = batches_of(fraction, self.batches)
        look = sum(n <= last for n in self.marks) - 1
        seen = self.marks[: look + 1]  # replicates of a part stop there
        compared = early_look(null[:, : look + 1], row[look], seen, look, names=self.names,
                              alpha=ALPHA * NULL_SHARE, margins=margins)  # fmt: skip
        evidence = Evidence(metrics=tuple((m.significant, m.size) for m in compared.deciding), omnibus=compared.omnibus)
        return decide(evidence, names=[m.name for m in compared.deciding]).verdict is Verdict.FAULT


def fractions(found: Halves, margins: np.ndarray, draws: int) -> list[dict[str, Any]]:
    """FAULT by fraction, size of the null and kind of row; a faulty row meets a null drawn anew every time."""
    healthy, cells = found.rows["healthy"], []
    for fraction in FRACTIONS:
        for n in SIZES:
            rng, counts = np.random.default_rng(n), {}
            picks = [rng.permutation(len(healthy))[: n + 1] for _ in range(draws)]
            judged = [found.accused(healthy[p[1:]], healthy[p[0]], fraction, margins) for p in picks]
            counts["healthy"] = round(float(np.mean(judged)), 4)
            for kind in FAULTS:
                rows = found.rows[kind]
                hits = [found.accused(healthy[p[1:]], rows[i % len(rows)], fraction, margins)
                        for i, p in enumerate(picks[: draws // 2])]  # fmt: skip
                counts[kind] = round(float(np.mean(hits)), 4)
            apart = healthy[: len(healthy) // (n + 1) * (n + 1)].reshape(-1, n + 1, *healthy.shape[1:])
            own = [found.accused(group[1:], group[0], fraction, margins) for group in apart]
            cells.append({"fraction": fraction, "replicates": n, "draws": draws, **counts,
                          "healthy, groups that share none": [int(sum(own)), len(own)]})  # fmt: skip
            print(json.dumps(cells[-1]), flush=True)
    return cells


def alarm(work: Path, found: Halves, margins: np.ndarray) -> dict[str, Any]:
    """All looks of the guard, its check of the rates off, each resume against a null that no other of its kind has."""
    null, known = found.replicates["healthy"], dict(zip(found.names, map(float, margins), strict=True))
    live: dict[str, list[dict[int, Mapping[str, float]]]] = {"guarded, healthy": guarded(work)}
    for kind in FAULTS:
        live[kind] = [dict(r.epochs[0].within.after) for r in found.replicates[kind] if r.epochs[0].within is not None]
    shown: dict[str, Any] = {}
    for kind, resumes in live.items():
        at: list[int | None] = []
        for i, rows in enumerate(resumes[: len(null) // NULL]):
            own = tuple(null[NULL * i : NULL * (i + 1)])
            watch = watch_with(own, found.batches, study="own", margins=known, alpha=EARLY_SHARE * ALPHA).losses_alone()
            checks = [(batch, watch.look(batch, rows[batch])) for batch in watch.marks]
            at.append(next((b for b, c in checks if c is not None and c.decision.verdict is Verdict.FAULT), None))
        hits = [b for b in at if b is not None]
        shown[kind] = {
            "resumes": len(at),
            "FAULT inside the epoch": len(hits),
            "within 10 % of the batches": sum(10 * b <= found.batches for b in hits),
            "at batch": {str(b): hits.count(b) for b in sorted(set(hits))},
        }
    return shown


def guarded(work: Path) -> list[dict[int, Mapping[str, float]]]:
    """What the guard logged of its healthy resumes: losses at every look."""
    files = (work / "outcomes").glob("healthy-[0-9]*.json")
    reports = [json.loads(p.read_text(encoding="utf-8")) for p in sorted(files)]
    return [{c["batch"]: {x["name"]: x["observed"] for x in c["losses"]} for c in r["early"]} for r in reports]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("work") / "alarm")
    parser.add_argument("--draws", type=int, default=2000)
    options = parser.parse_args()
    work = options.work.resolve()
    kinds = halves(work)
    kinds["healthy"] = (*whole(work), *kinds["healthy"])
    found = Halves(kinds)
    margins = margins_of(work, found.names)
    document = {
        "made_by": "make measure-inside",
        "alpha": ALPHA,
        "rows": {kind: len(rows) for kind, rows in kinds.items()},
        "fraction": fractions(found, margins, options.draws),
        "alarm": alarm(work, found, margins),
    }
    OUT.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(document["alarm"], indent=1))


if __name__ == "__main__":
    main()
