"""``make demo-check``: analyse 20 healthy resumes of the demo, each with a null of its own, and count the verdicts.

The resumes are made by plain Ultralytics from copies of the demo's seam checkpoint that differ in the seed only.
Finished analyses are kept in ./demo/check, so that the command goes on where it was stopped; the table is written to
tests/measurements/resumes/demo_check.json.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any

from data.demo import drift_command, say
from data.demo_runs import SEAM, TRAIN_ARGS, TrainingError, resumed_copy, train_and_kill

RUNS = 20
AT_LEAST_NOISE = 16
AT_MOST_FAULT = 2
FIRST_SEED = 1000  # of the resumes; the training itself has another one
FIRST_BASE = 5000  # base seeds of the nulls
PACKAGES = ("yolo-drift", "ultralytics", "torch", "numpy", "scipy", "statsmodels")


def check_one(number: int, killed: Path, work: Path) -> dict[str, Any]:
    """Resume copy `number` of the killed run, analyse it and keep the outcome; a kept outcome is only read."""
    kept = work / f"{number:02d}.json"
    if kept.exists():
        return json.loads(kept.read_text(encoding="utf-8"))
    run = work / f"run{number:02d}"
    shutil.rmtree(run, ignore_errors=True)
    seed, base = FIRST_SEED + number, FIRST_BASE + number
    resumed_copy(killed, run, seed=seed)
    start = time.monotonic()
    # Without the replay: it would clear each of these resumes by itself, and the null is what is checked here.
    command = [drift_command(), "analyze", str(run), "--seed", str(base), "--no-replay", "--json"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode not in (0, 10, 11):
        raise SystemExit(f"demo-check: '{' '.join(command)}' ended with {done.returncode}:\n{done.stderr[-2000:]}")
    report = json.loads(done.stdout)
    outcome = {
        "run": number,
        "seed": seed,
        "base_seed": base,
        "verdict": report["verdict"],
        "exit_code": done.returncode,
        "n_replicates": report["n_replicates"],
        "reasons": report["reasons"],
        "seconds": round(time.monotonic() - start, 1),
    }
    partial = kept.with_suffix(".partial")
    partial.write_text(json.dumps(outcome), encoding="utf-8")
    partial.replace(kept)
    shutil.rmtree(run / "weights")  # 19 MB a run
    say(f"  resume {number + 1:2d} of {RUNS}: {outcome['verdict']} ({outcome['n_replicates']} replicates)")
    return outcome


def summary(outcomes: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Count the verdicts and say whether the requirement holds."""
    counts = Counter(outcome["verdict"] for outcome in outcomes)
    return {
        "counts": dict(sorted(counts.items())),
        "required": {"NOISE": f">= {AT_LEAST_NOISE}", "FAULT": f"<= {AT_MOST_FAULT}"},
        "passed": len(outcomes) == RUNS and counts["NOISE"] >= AT_LEAST_NOISE and counts["FAULT"] <= AT_MOST_FAULT,
    }


def main() -> int:
    """Run the check; 0 where the requirement holds."""
    parser = argparse.ArgumentParser(description="Analyse 20 healthy resumes of the demo; see the head of this file.")
    parser.add_argument("--work", type=Path, default=Path("demo") / "check", help="working folder, kept between calls")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("demo_check.json"))
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1), help="analyses at a time")
    options = parser.parse_args()
    killed = options.work / "killed"
    try:
        if not (options.work / "killed.done").exists():
            shutil.rmtree(killed, ignore_errors=True)
            say("training the demo's run (about two minutes) ...")
            train_and_kill(killed)
            (options.work / "killed.done").touch()
        with ThreadPoolExecutor(options.jobs) as pool:
            outcomes = list(pool.map(lambda number: check_one(number, killed, options.work), range(RUNS)))
    except TrainingError as error:
        say(f"demo-check: {error}")
        return 1
    document = {
        **summary(outcomes),
        "runs": outcomes,
        "seam": SEAM + 1,
        "note": "one seam, of a training chosen on the way (data/README.md): no rate for trainings in general",
        "train_args": TRAIN_ARGS,
        "versions": {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
        "machine": {"system": platform.system(), "cpu": platform.machine(), "cores": os.cpu_count()},
    }
    options.out.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    say(f"demo-check: {document['counts']}; {'passed' if document['passed'] else 'FAILED'}; {options.out}")
    return 0 if document["passed"] else 1


if __name__ == "__main__":
    sys.exit(main())
