"""``make demo``: a training that is really killed and really resumed, healthy and with a fault; both are analysed.

Everything is made anew in ./demo: plain Ultralytics trains and is killed by SIGKILL after an epoch was saved
(demo/killed). A copy is resumed as it is (demo/healthy); another is resumed with ten times the learning rate
(demo/faulty). ``drift analyze`` has to tell them apart with its defaults: NOISE (exit code 0) and FAULT (exit code 10).
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from data.demo_runs import LR0, SEAM, TrainingError, resumed_copy, train_and_kill

EXPECTED = {"healthy": ("NOISE", 0, None), "faulty": ("FAULT", 10, "lr-jump")}  # verdict, exit code, first cause


def drift_command() -> str:
    """Path of the command ``drift`` in the environment of this Python."""
    found = shutil.which("drift", path=str(Path(sys.executable).parent))
    if found is None:
        raise SystemExit(f"demo: no command 'drift' beside {sys.executable}. Run 'make setup' first.")
    return found


def make_runs(work: Path) -> None:
    """Train, kill and resume: demo/killed, demo/healthy, demo/faulty."""
    for name in ("killed", *EXPECTED):
        shutil.rmtree(work / name, ignore_errors=True)
        (work / f"{name}.log").unlink(missing_ok=True)
    start = time.monotonic()
    say(
        f"training a small YOLOv8 for {SEAM} of 80 epochs, then SIGKILL (about two minutes; log: {work}/killed.log) ..."
    )
    killed = train_and_kill(work / "killed")
    say(f"killed after {time.monotonic() - start:.0f} s. Resuming it twice with plain Ultralytics ...")
    with ThreadPoolExecutor(2) as pool:
        resumes = [
            pool.submit(resumed_copy, killed, work / "healthy"),
            pool.submit(resumed_copy, killed, work / "faulty", lr0=10 * LR0),
        ]
        for resume in resumes:
            resume.result()
    say(f"runs are ready after {time.monotonic() - start:.0f} s.")


def analyse(run: Path) -> tuple[tuple[str | None, int, str | None], Path | None]:
    """Run ``drift analyze RUN`` as a user would; return verdict, exit code and first cause, and the report's folder."""
    say(f"\n$ drift analyze {run}")
    code = subprocess.run([drift_command(), "analyze", str(run)], check=False).returncode
    reports = sorted(run.glob("drift/*/report.json"), key=lambda p: p.stat().st_mtime)
    if not reports:
        return (None, code, None), None
    return outcome_of(json.loads(reports[-1].read_text(encoding="utf-8")), code), reports[-1].parent


def outcome_of(report: dict[str, Any], code: int) -> tuple[str, int, str | None]:
    """What is compared with EXPECTED."""
    causes = report["diagnosis"]["causes"]
    return report["verdict"], code, causes[0]["id"] if causes else None


def say(text: str) -> None:
    """Print at once, in order with the output of the commands."""
    print(text, flush=True)


def main() -> int:
    """Run the demo; 0 where both verdicts are as they must be."""
    parser = argparse.ArgumentParser(description="Train, kill, resume and analyse; see the head of this file.")
    parser.add_argument("--work", type=Path, default=Path("demo"), help="folder for the runs (default: ./demo)")
    options = parser.parse_args()
    start = time.monotonic()
    try:
        drift_command()
        make_runs(options.work)
    except TrainingError as error:
        say(f"demo: {error}")
        return 1
    outcomes = {name: analyse(options.work / name) for name in EXPECTED}
    say(f"\ndemo: {time.monotonic() - start:.0f} s")
    wrong = 0
    for name, (outcome, report) in outcomes.items():
        right = outcome == EXPECTED[name]
        wrong += not right
        verdict, code, cause = outcome
        expected = "as expected" if right else "EXPECTED {} with exit code {} and cause {}".format(*EXPECTED[name])
        shown = f"{verdict or 'no report'} (exit code {code}{f', cause {cause}' if cause else ''})"
        say(f"  {name:8s} {shown}, {expected}; report: {report or 'none'}")
    if wrong:
        say("demo: FAILED. A healthy resume misses NOISE now and then: 'make demo-check' says how often.")
    return int(wrong > 0)


if __name__ == "__main__":
    raise SystemExit(main())
