"""Scores what measure.py made: ``python -m tests.measurements.diagnosis.score --work work/diagnosis``.

A fault is *named* where its id is first in ``diagnosis.causes``. The epochs to a certain cause are those of the replay
and of the hypotheses that were tried; replicates say how large a shift is and are not counted. Writes
tests/measurements/diagnosis/diagnosis.json, which docs/FAULTS.md shows.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path
from typing import Any

PASSES = ("replay", "no-replay")
NOTHING = "no cause"

Entry = dict[str, Any]


def load(work: Path, kind: str) -> list[Entry]:
    """Truth and report of every finished analysis of a pass."""
    found = []
    for path in sorted((work / "outcomes" / kind).glob("*.json")):
        truth = json.loads((work / "truth" / path.name).read_text(encoding="utf-8"))
        found.append({**truth, **scored(json.loads(path.read_text(encoding="utf-8")))})
    return sorted(found, key=lambda one: one["number"])


def scored(report: dict[str, Any]) -> Entry:
    """What counts of a report."""
    causes = report["diagnosis"]["causes"]
    tried = ((report.get("fingerprint") or {}).get("details") or {}).get("tried", [])
    replayed = (report.get("replay") or {}).get("outcome") in {"same", "other"}
    return {
        "verdict": report["verdict"],
        "named": causes[0]["id"] if causes else NOTHING,
        "certain": bool(causes) and causes[0]["certainty"] == "certain",
        "epochs": int(replayed) + len(tried),
        "twins": ((report.get("cost") or {}).get("by_step") or {}).get("twins", 0),
    }


def summary(everything: list[Entry]) -> dict[str, Any]:
    """Counts of one pass."""
    faulty = [one for one in everything if one["truth"] != "healthy"]
    healthy = [one for one in everything if one["truth"] == "healthy"]
    certain = [one["epochs"] for one in faulty if one["certain"] and one["named"] == one["truth"]]
    return {
        "faults": {fault: _row([o for o in faulty if o["truth"] == fault]) for fault in sorted(_ids(faulty))},
        "resumes": len(faulty),
        "named": sum(o["named"] == o["truth"] for o in faulty),
        "certain": len(certain),
        "epochs_to_certain": round(sum(certain) / len(certain), 2) if certain else None,
        "most_epochs_to_certain": max(certain, default=None),
        "wrongly_certain": sum(o["certain"] and o["named"] != o["truth"] for o in everything),
        "healthy": {
            "resumes": len(healthy),
            "verdicts": dict(Counter(o["verdict"] for o in healthy)),
            "named": dict(Counter(o["named"] for o in healthy)),
        },
        "confused": [
            {k: o[k] for k in ("truth", "way", "checkpoint", "named", "certain", "verdict")}
            for o in faulty
            if o["named"] != o["truth"]
        ],
    }


def _ids(entries: list[Entry]) -> set[str]:
    return {one["truth"] for one in entries}


def _row(part: list[Entry]) -> dict[str, Any]:
    return {
        "resumes": len(part),
        "named": sum(o["named"] == o["truth"] for o in part),
        "certain": sum(o["certain"] and o["named"] == o["truth"] for o in part),
        "epochs": round(sum(o["epochs"] for o in part) / len(part), 2),
        "as": dict(Counter(o["named"] for o in part).most_common()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("work") / "diagnosis")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("diagnosis.json"))
    options = parser.parse_args()
    document = {kind: summary(found) for kind in PASSES if (found := load(options.work, kind))}
    options.out.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    for kind, found in document.items():
        print(f"{kind}: {found['named']} of {found['resumes']} named, {found['certain']} certain")


if __name__ == "__main__":
    main()
