"""What names a study: two replicates may share a null only if everything here is the same."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from typing import Any

from analyzer.domain.checkpoint import Checkpoint

__all__ = ["study_facts", "study_name"]

# Where a run writes and what it is called has no influence on what it trains.
_PLACES = frozenset({"save_dir", "project", "name", "exist_ok", "resume", "model", "data", "mode", "verbose", "plots"})


def study_facts(
    checkpoint: Checkpoint,
    *,
    data: str,
    versions: Mapping[str, str],
    device: str,
    threads: int | None,
    workers: int | None,
    base_seed: int,
) -> dict[str, Any]:
    """Everything that the distribution of a replicate depends on, and the base of its seeds.

    Parameters
    ----------
    checkpoint
        The seam checkpoint.
    data
        Fingerprint of the data set.
    versions
        Of the packages that train.
    device
        As a name that tells hardware apart, e.g. "cpu" or "cuda (NVIDIA A100)".
    threads
        Of a replicate on a CPU, since they change its last bits; None on a GPU.
    workers
        As asked for; None where left to the library.
    base_seed
        From which the seeds of replicates are drawn.
    """
    args = {k: v for k, v in sorted(checkpoint.train_args.items()) if k not in _PLACES}
    return {
        "checkpoint": checkpoint.sha256,
        "epoch": checkpoint.epoch,
        "args": args,
        "data": data,
        "versions": dict(sorted(versions.items())),
        "device": device,
        "threads": threads or os.environ.get("OMP_NUM_THREADS"),
        "workers": workers,
        "base_seed": base_seed,
    }


def study_name(facts: Mapping[str, Any]) -> str:
    """Name of the study: the epoch at which the resume starts, and 12 digits of the SHA-256 of the facts."""
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()
    return f"seam{int(facts['epoch']) + 2}-{digest[:12]}"
