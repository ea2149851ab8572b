"""How far the weights of a checkpoint are from the row that was logged with them, when nothing at all has changed.

``python -m tests.measurements.revalidation RUN...``
``python -m tests.measurements.revalidation --make FOLDER``

RUN is a killed run with its ``weights/*.pt``; every distinct resumable checkpoint is validated. ``--make`` first trains
three runs of 24 epochs on 64 images, validated on 8 (two of them with a learning rate at which they nearly diverge):
a validation set as small as that is where rounding does most. Prints a table of docs/METHOD.md.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections import defaultdict
from pathlib import Path

from analyzer.diagnosis.revalidation import compare_rows
from analyzer.domain.replicate import Arm, ArmKind
from analyzer.replicates.executors.pool import scratch_folder
from analyzer.replicates.job import ArmJob
from analyzer.runs.checkpoint import read_checkpoint
from analyzer.runs.dataset import fingerprint_dataset, resolve_dataset
from data.demo_runs import train_and_kill
from tests import ROOT
from tests.support.one_worker import OneWorker

DATA = ROOT / "data"
SMALL = (
    {"seed": 0},
    {"seed": 1, "lr0": 0.01},
    {"seed": 2, "optimizer": "SGD", "lr0": 0.02, "momentum": 0.9},
)


def make_runs(folder: Path) -> list[Path]:
    runs = []
    for number, args in enumerate(SMALL):
        place = folder / f"small{number}"
        for split, count in (("train", 64), ("val", 8)):
            for kind, suffix in (("images", "jpg"), ("labels", "txt")):
                (place / "data" / kind / split).mkdir(parents=True)
                for i in range(count):
                    name = f"{kind}/{split}/{i:04d}.{suffix}"
                    shutil.copy2(DATA / "digits" / name, place / "data" / name)
        data = shutil.copy2(DATA / "digits" / "digits.yaml", place / "data")
        common = {"epochs": 40, "warmup_epochs": 0.0, "close_mosaic": 0, "save_period": 1}
        runs.append(train_and_kill(place / "run", 24, data=Path(data), **{**common, **args}))
    return runs


def measure(runs: list[Path]) -> dict[str, list[tuple[float, float, float]]]:
    """Column to (difference, logged, share of the tolerance) of every distinct row."""
    found = defaultdict(list)
    seen = set()
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        (root / "study").mkdir()
        executor = OneWorker(scratch_folder(root / "study"), tuple(runs), lambda fraction: None)
        try:
            for checkpoint in (c for run in runs for c in sorted((run / "weights").glob("*.pt"))):
                facts = read_checkpoint(checkpoint)
                row = tuple(sorted(facts.train_metrics.items()))
                if not facts.resumable or row in seen:
                    continue
                seen.add(row)
                data = resolve_dataset(facts.train_args, run=checkpoint.parent.parent)
                job = ArmJob(
                    arm=Arm(ArmKind.REVALIDATION), checkpoint=checkpoint, data=data.raw, device="cpu", epochs=1,
                    scratch=root, root=root, study="study",
                )  # fmt: skip
                record = next(iter(executor.run(job, [0]))).epochs[0]
                instances = sum(fingerprint_dataset(data).instances["val"].values())
                for c in compare_rows(facts.train_metrics, record.printed, instances=instances):
                    found[c.name].append((c.now - c.logged, c.logged, c.share))
        finally:
            executor.close()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, nargs="*", metavar="RUN")
    parser.add_argument("--make", type=Path, metavar="FOLDER")
    options = parser.parse_args()
    runs = [r.resolve() for r in options.runs] + (make_runs(options.make.resolve()) if options.make else [])
    print("| column | checkpoints | largest difference | relative to the logged | share of the tolerance |")
    print("| --- | --- | --- | --- | --- |")
    for name, rows in measure(runs).items():
        largest = max(abs(d) for d, _, _ in rows)
        relative = max((abs(d / logged) for d, logged, _ in rows if logged), default=0.0)
        share = max(s for _, _, s in rows)
        shown = f"{share:.3f}" if share else "none"
        print(f"| {name} | {len(rows)} | {largest:.5f} | {relative:.2%} | {shown} |")


if __name__ == "__main__":
    main()
