"""What names a study: two replicates may share a null only if everything here is the same."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from analyzer.domain.checkpoint import Checkpoint

__all__ = ["StudyFacts"]

# Where a run writes and what it is called has no influence on what it trains.
_PLACES = frozenset({"save_dir", "project", "name", "exist_ok", "resume", "model", "data", "mode", "verbose", "plots"})


@dataclass(frozen=True, slots=True)
class StudyFacts:
    """Everything that the distribution of a replicate depends on, and the base of its seeds.

    Parameters
    ----------
    checkpoint
        From which replicates resume.
    data
        Fingerprint of the data set.
    versions
        Of the packages that train.
    workers
        As asked for; None where left to the library.
    base_seed
        From which the seeds of replicates are drawn.
    device
        As a name that tells hardware apart, e.g. "cpu" or "cuda (NVIDIA A100)".
    threads
        Of a replicate on a CPU, since they change its last bits; None on a GPU.
    """

    checkpoint: Checkpoint
    data: str
    versions: Mapping[str, str]
    workers: int | None
    base_seed: int
    device: str = "cpu"
    threads: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """As ``study.json`` holds them."""
        args = {k: v for k, v in sorted(self.checkpoint.train_args.items()) if k not in _PLACES}
        return {
            "checkpoint": self.checkpoint.sha256,
            "epoch": self.checkpoint.epoch,
            "args": args,
            "data": self.data,
            "versions": dict(sorted(self.versions.items())),
            "device": self.device,
            "threads": self.threads or os.environ.get("OMP_NUM_THREADS"),
            "workers": self.workers,
            "base_seed": self.base_seed,
        }

    @property
    def name(self) -> str:
        """Of the study: the epoch at which the resume starts, and 12 digits of the SHA-256 of the facts."""
        digest = hashlib.sha256(json.dumps(self.to_dict(), sort_keys=True, default=str).encode()).hexdigest()
        return f"seam{self.checkpoint.epoch + 2}-{digest[:12]}"
