"""Seams with and without the dates of the checkpoints, over run directories.

    python -m tests.measurements.dates FOLDER...

Prints how far the dates of neighbouring epochs' checkpoints are from the times of their rows within a process, and
which further seams the dates show (`analyzer.runs.checkpoint_dates`).
"""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

from analyzer.domain.run import Run
from analyzer.errors import DriftError
from analyzer.runs.checkpoint import read_checkpoint
from analyzer.runs.checkpoint_dates import seams_of
from analyzer.runs.directory import read_run
from analyzer.runs.seams import find_seams


def dates_of(run: Run) -> dict[int, float]:
    """Epoch of results.csv to when its checkpoint was written, seconds."""
    found = {}
    for path in run.checkpoints:
        try:
            checkpoint = read_checkpoint(path)
        except DriftError:
            continue
        if checkpoint.epoch >= 0 and checkpoint.date:
            zero_based = int(run.history.epochs.min()) == 0
            found[checkpoint.csv_epoch - zero_based] = datetime.fromisoformat(checkpoint.date).timestamp()
    return found


def main() -> None:
    """Look at every run directory below the folders."""
    runs = visible = 0
    hidden, within = [], []
    for file in sorted(f for place in sys.argv[1:] for f in Path(place).rglob("results.csv")):
        try:
            run = read_run(file.parent)
        except DriftError:
            continue
        runs += 1
        seen = {s.row for s in find_seams(run.history, run.args)}
        visible += len(seen)
        more = [s for s in seams_of(run) if s.row not in seen]
        hidden += [(file.parent, s) for s in more]
        time, epochs = run.history.time, run.history.epochs
        dates = dates_of(run)
        for row in range(1, len(epochs)) if time is not None else ():
            before, this = dates.get(int(epochs[row - 1])), dates.get(int(epochs[row]))
            if row not in seen and row not in {s.row for s in more} and None not in (before, this):
                within.append(abs(this - before - float(time[row] - time[row - 1])))
    print(f"{runs} runs, {visible} seams in results.csv, {len(hidden)} more by dates")
    print(f"{len(within)} pairs within a process: at most {max(within, default=0):.3f} s between date and time")
    for folder, seam in hidden:
        print(f"{folder}: epoch {seam.epoch}. {seam.evidence}")


if __name__ == "__main__":
    main()
