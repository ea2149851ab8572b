"""What the audit looks at: facts already read, so that every check is a pure function."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from analyzer.domain.checkpoint import Checkpoint
from analyzer.domain.run import Run, Seam, SeamSign
from analyzer.runs.labelcache import CacheFacts
from analyzer.runs.tensors import TensorFacts
from analyzer.runs.weights import PartMove

__all__ = ["AuditFacts", "DataFacts", "ManifestChange", "Side"]


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """A checkpoint with what its tensors say (None where they were not read)."""

    checkpoint: Checkpoint
    tensors: TensorFacts | None = None


@dataclass(frozen=True, slots=True)
class ManifestChange:
    """One file of the data set that is not as the manifest says.

    Parameters
    ----------
    split, name
        Which file, relative to its split.
    what
        "label changed", "image size changed", "added", "removed".
    modified
        Seconds since 1970 of the changed file; None where it is gone.
    """

    split: str
    name: str
    what: str
    modified: float | None


@dataclass(frozen=True, slots=True)
class DataFacts:
    """The data set as it is now.

    Parameters
    ----------
    names
        Class index to name; empty where the data set was not found.
    images
        Split to number of images.
    labels
        Split to number of label files that were looked at.
    newer
        Label files younger than the checkpoint, relative to their split; with `labels` all looked at.
    manifest_names
        Class names that the manifest of the seam recorded; None without a manifest.
    changes
        Differences from the manifest; None without one.
    caches, stale
        Label caches beside the labels, and for each the images whose label file says other classes.
    missing
        Why the data set was not looked at; empty where it was.
    """

    names: Mapping[int, str] = field(default_factory=dict)
    images: Mapping[str, int] = field(default_factory=dict)
    labels: Mapping[str, int] = field(default_factory=dict)
    newer: tuple[str, ...] = ()
    manifest_names: Mapping[int, str] | None = None
    changes: tuple[ManifestChange, ...] | None = None
    caches: tuple[CacheFacts, ...] = ()
    stale: Mapping[Path, tuple[str, ...]] = field(default_factory=dict)
    missing: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class AuditFacts:
    """Everything the audit judges.

    Parameters
    ----------
    run
        The run directory; None where a checkpoint alone is audited.
    seam, seams
        The seam that is judged, and all that are visible.
    before
        The checkpoint from which the seam started, or the one that is audited alone.
    after
        A checkpoint written after the seam.
    data
        The data set as it is now.
    installed
        Package to installed version.
    moved
        How the parts of the model moved across the seam; empty where it is not known.
    """

    run: Run | None
    seam: Seam | None
    seams: tuple[Seam, ...]
    before: Side | None
    after: Side | None
    data: DataFacts = field(default_factory=DataFacts)
    installed: Mapping[str, str | None] = field(default_factory=dict)
    moved: tuple[PartMove, ...] = ()

    @property
    def batches(self) -> int | None:
        """Batches an epoch, from the images found now; None where batch or images are unknown."""
        return self.batches_of(self.data.images.get("train"))

    def batches_of(self, images: int | None) -> int | None:
        """Batches an epoch of so many images; None where batch or images are unknown."""
        batch, fraction = self.train_args.get("batch"), self.train_args.get("fraction", 1.0)
        if not images or not isinstance(batch, (int, float)) or batch < 1 or not isinstance(fraction, (int, float)):
            return None
        used = fraction if isinstance(fraction, int) and fraction > 1 else max(1, round(images * float(fraction)))
        return -(-int(used) // int(batch))

    @property
    def train_args(self) -> Mapping[str, object]:
        """Arguments of the training before the seam, as far as they are known."""
        if self.before is not None:
            return self.before.checkpoint.train_args
        return self.run.args if self.run is not None else {}

    @property
    def process_starts(self) -> tuple[int, ...]:
        """First epochs of resumed processes, counted from 0."""
        return tuple(s.epoch - 1 for s in self.seams if s.sign is not SeamSign.RESTART)
