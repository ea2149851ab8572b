"""Scores what measure.py made: ``python -m tests.measurements.resumes.score --work work/resumes --out FILE``.

Prints the tables of docs/METHOD.md and writes them as JSON; with ``--rows FOLDER`` also the recorded replicates, one
file a checkpoint: the pilot of five of every healthy resume (later ones were trained or not by what the first said).
"""

from __future__ import annotations

import argparse
import csv
import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from analyzer.domain.levels import NULL_SHARE
from analyzer.domain.metrics import metrics_of
from analyzer.runs.schedule import Schedule
from analyzer.stats import shift_tests
from analyzer.stats.history import auto_margin, history_noise
from analyzer.stats.sequential import PILOT
from tests.measurements.resumes.checkpoints import MATURE_SEAM, SEAM
from tests.measurements.resumes.rules import RULES, Seen

ALPHA = 0.05
OURS, NULL_ONLY = "drift analyze", "drift's null alone"


def load(work: Path) -> list[dict[str, Any]]:
    """Truth and report of every finished resume."""
    found = []
    for path in sorted((work / "truth").glob("*.json")):
        report = work / "outcomes" / path.name
        if report.exists():
            found.append({**json.loads(path.read_text()), "report": json.loads(report.read_text())})
    return found


def seen(one: dict[str, Any]) -> tuple[Seen, list[str]]:
    """The resume as the rival rules see it: healthy replicates only, whatever was changed."""
    report = one["report"]
    rows = [{k.strip(): float(v) for k, v in row.items()} for row in csv.DictReader(io.StringIO(report["results_csv"]))]
    metrics = [m for m in metrics_of(rows[0]) if m.deciding]
    names = [m.name for m in metrics]
    before = rows[: report["seam"]["row"]]
    seams = [SEAM] if one["checkpoint"] == "mature-sgd" else []
    schedule = Schedule.told({"epochs": 80, "close_mosaic": 10, "warmup_epochs": 1.0})
    start = schedule.regime_start([int(r["epoch"]) for r in before], cuts=seams)
    table = np.array([[r[n] for n in names] for r in before[start:]])
    null = [r["epochs"][0]["printed"] for r in report["replicates"] if r["arm"] == "healthy"]
    return Seen(
        table[-20:],
        np.array([[r[n] for n in names] for r in null]),
        np.array([rows[report["seam"]["row"]][n] for n in names]),
        np.array([m.adverse_sign for m in metrics]),
        np.array([not m.higher_is_better for m in metrics]),
    ), names


def judges_what_was_made(one: dict[str, Any]) -> bool:
    """Whether the report is about the seam that was made.

    ``time`` shows a seam by falling. On a busy machine the first resumed epoch of mature-sgd can take longer than the
    eleven before it; then an earlier seam of that run is judged, and rival rules would be given another row.
    """
    made = MATURE_SEAM if one["checkpoint"] == "mature-sgd" else SEAM
    return bool(one["report"]["seam"]["epoch"] == made + 1)


def null_alone(s: Seen, names: list[str], n: int | None) -> bool:
    """Our own decision from the healthy replicates alone: no audit, no history, nothing as configured."""
    noise = [history_noise(s.history[:, j], unit=1e-5) for j in range(len(names))]
    margins = [np.nan if (m := auto_margin(h)) is None else m for h in noise]
    return shift_tests(
        s.null[:n], s.observed, names=names, deciding=np.ones(len(names), dtype=bool), alpha_null=NULL_SHARE * ALPHA,
        units=np.full(len(names), 1e-5), priors=[h and h.prior for h in noise], margins=margins, sequential=True,
    ).some_fault  # fmt: skip


def interval(k: int, n: int) -> list[float]:
    """95 % of Clopper and Pearson (1934)."""
    low = float(stats.beta.ppf(0.025, k, n - k + 1)) if k else 0.0
    high = float(stats.beta.ppf(0.975, k + 1, n - k)) if k < n else 1.0
    return [round(low, 4), round(high, 4)]


def verdicts(part: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Counts of verdicts, replicates used and seconds of a group."""
    reports = [one["report"] for one in part]
    counts = {v: sum(r["verdict"] == v for r in reports) for v in sorted({r["verdict"] for r in reports})}
    fault = counts.get("FAULT", 0)
    rules = {r: sum(x.get("rule") == r for x in reports) for r in sorted({str(x.get("rule")) for x in reports})}
    return {
        "resumes": len(reports),
        "counts": counts,
        "fault_share": round(fault / len(reports), 4),
        "fault_interval": interval(fault, len(reports)),
        "mean_replicates": round(float(np.mean([r["n_replicates"] for r in reports])), 2),
        "rules": rules,
    }


def side_by_side(everything: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Each rule on the same resumes: false alarms, detections, and false alarms at our detection."""
    views = [(one, *seen(one)) for one in everything]
    healthy = np.array([one["truth"] == "healthy" for one, *_ in views])
    ours = np.array([one["report"]["verdict"] == "FAULT" for one, *_ in views])
    alone = np.array([null_alone(s, names, None) for _, s, names in views])
    wanted = int(alone[~healthy].sum())
    found = {}
    for name, flags in ((OURS, ours), (NULL_ONLY, alone)):
        found[name] = {"false_alarms": int(flags[healthy].sum()), "detected": int(flags[~healthy].sum())}
    for name, rule in RULES.items():
        score = np.array([rule(s) for _, s, _ in views])
        entry = {"false_alarms": int((score[healthy] > 1).sum()), "detected": int((score[~healthy] > 1).sum())}
        faulty = np.sort(score[~healthy])[::-1]
        if wanted:  # the highest threshold that detects as many as our null alone, known only with hindsight
            entry["false_alarms_at_equal_detection"] = int((score[healthy] >= faulty[wanted - 1]).sum())
        found[name] = entry
    for name in found:
        found[name] |= {"healthy": int(healthy.sum()), "faulty": int((~healthy).sum())}
    return found


def recorded(everything: list[dict[str, Any]], folder: Path) -> None:
    """Write the replicates as data for the simulations."""
    folder.mkdir(parents=True, exist_ok=True)
    for checkpoint in sorted({one["checkpoint"] for one in everything}):
        part = [one for one in everything if one["checkpoint"] == checkpoint and one["truth"] == "healthy"]
        epochs = [r for one in part for r in one["report"]["replicates"][:PILOT]]
        columns = [c for c in epochs[0]["epochs"][0]["printed"] if not c.startswith("lr/")]
        facts = part[0]["report"]["checkpoint"]
        document = {
            "checkpoint": {"name": checkpoint, **{k: facts[k] for k in ("epoch", "updates", "sha256") if k in facts}},
            "columns": columns,
            "seeds": [r["seed"] for r in epochs],
            "rows": [[r["epochs"][0]["printed"][c] for c in columns] for r in epochs],
        }
        (folder / f"{checkpoint}.json").write_text(json.dumps(document) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("work") / "resumes")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("resumes.json"))
    parser.add_argument("--rows", type=Path)
    options = parser.parse_args()
    everything = load(options.work)
    groups: dict[str, list[dict[str, Any]]] = {}
    for one in everything:
        groups.setdefault(f"{one['truth']}, {one['checkpoint']}", []).append(one)
        groups.setdefault("healthy, all" if one["truth"] == "healthy" else "faulty, all", []).append(one)
    table = {name: verdicts(part) for name, part in sorted(groups.items())}
    others = [one["name"] for one in everything if not judges_what_was_made(one)]
    rivals = side_by_side([one for one in everything if judges_what_was_made(one)])
    print("| resumes | n | FAULT | 95 % | NOISE | NEGLIGIBLE | INCONCLUSIVE | replicates |\n" + "| --- " * 8 + "|")
    for name, v in table.items():
        c = v["counts"]
        cells = [v["resumes"], c.get("FAULT", 0), "{} - {}".format(*v["fault_interval"])]
        cells += [c.get(k, 0) for k in ("NOISE", "NEGLIGIBLE", "INCONCLUSIVE")] + [v["mean_replicates"]]
        print(f"| {name} | " + " | ".join(map(str, cells)) + " |")
    print("\n| rule | false alarms | detected | false alarms at equal detection |\n" + "| --- " * 4 + "|")
    for name, r in rivals.items():
        shown = r.get("false_alarms_at_equal_detection", "")
        print(f"| {name} | {r['false_alarms']} of {r['healthy']} | {r['detected']} of {r['faulty']} | {shown} |")
    if others:
        print(f"\nJudged at another seam, in the first table only: {', '.join(others)}")
    document = {"alpha": ALPHA, "seams": {"mature-sgd": MATURE_SEAM, "others": SEAM}, "groups": table, "rules": rivals}
    document["judged_at_another_seam"] = others
    options.out.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    if options.rows:
        recorded(everything, options.rows)


if __name__ == "__main__":
    main()
