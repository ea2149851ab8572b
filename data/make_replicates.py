"""Replicate sets for the simulations: ``python data/make_replicates.py RUN --checkpoint PT --name NAME [-n 200]``.

Trains healthy replicates of a checkpoint with the tool's own engine and keeps their printed rows as one JSON file in
data/replicates. Resumable: finished replicates lie in the study and are only read.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from analyzer.domain.progress import Silent
from analyzer.pipeline import ReplicateRequest, replicate
from analyzer.replicates.store import Store, write_atomically
from analyzer.runs.checkpoint import read_checkpoint
from analyzer.runs.versions import installed_versions

HERE = Path(__file__).resolve().parent


def rows_of(study: Path, checkpoint: Path) -> dict[str, object]:
    """The set as a document: metric columns, one row a replicate in the order of the seeds."""
    replicates = Store(study.parent, study.name).all("healthy")
    columns = [c for c in replicates[0].epochs[0].printed if not c.startswith("lr/")]
    facts = read_checkpoint(checkpoint)
    return {
        "checkpoint": {"epoch": facts.csv_epoch, "updates": facts.updates, "sha256": facts.sha256},
        "versions": installed_versions(),
        "columns": columns,
        "seeds": [r.seed for r in replicates],
        "rows": [[r.epochs[0].printed[c] for c in columns] for r in replicates],
    }


def main() -> None:
    """Train what is missing and write the set."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--name", required=True)
    parser.add_argument("-n", type=int, default=200)
    parser.add_argument("--out", type=Path, help="folder of the study")
    options = parser.parse_args()
    study = replicate(ReplicateRequest(options.checkpoint, n=options.n, out=options.out, seed=11), Silent())
    target = HERE / "replicates" / f"{options.name}.json"
    write_atomically(target, json.dumps(rows_of(study, options.checkpoint)).encode())
    print(f"{target}: {len(json.loads(target.read_bytes())['rows'])} rows")


if __name__ == "__main__":
    main()
