"""Read what the audit judges: both checkpoints, the data set, its manifest and caches. Nothing is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from analyzer.diagnosis.audit.data import seconds_of
from analyzer.diagnosis.audit.facts import AuditFacts, DataFacts, ManifestChange, Side
from analyzer.diagnosis.audit.weights import MOST_EPOCHS
from analyzer.domain.checkpoint import Checkpoint
from analyzer.domain.run import DataSet, Run, Seam
from analyzer.errors import CheckpointError, DataError
from analyzer.files import read_json
from analyzer.pipeline.audit.stale_labels import stale_images
from analyzer.runs.checkpoint import read_checkpoint
from analyzer.runs.data_content import label_of, list_images, name_in_split
from analyzer.runs.dataset import manifest, resolve_dataset
from analyzer.runs.labelcache import read_label_cache
from analyzer.runs.tensors import read_tensors
from analyzer.runs.versions import installed_versions
from analyzer.runs.weights import PartMove, moves, trained_between

__all__ = ["collect_facts", "find_after"]


def collect_facts(
    run: Run | None,
    seam: Seam | None,
    seams: tuple[Seam, ...],
    before: Checkpoint | None,
    *,
    data: Path | None = None,
    trust: bool = False,
) -> AuditFacts:
    """Read everything that the audit judges.

    Parameters
    ----------
    run, seam, seams
        The run, the seam that is judged, and all that are visible; None and empty for a checkpoint alone.
    before
        The checkpoint from which the seam started.
    data
        Data yaml given by the user instead of that of the arguments.
    trust
        Accept classes that are not known; nothing is imported or run in either case.

    Raises
    ------
    CheckpointError
        A checkpoint that was readable before is damaged.
    """
    after = find_after(run, seam, before, seams=seams, trust=trust) if run is not None and seam is not None else None
    args = before.train_args if before is not None else run.args if run is not None else {}
    where = run.path if run is not None else before.path.parent if before is not None else Path.cwd()
    return AuditFacts(
        run,
        seam,
        seams,
        None if before is None else Side(before, read_tensors(before.path, trust=trust)),
        _after_side(after, trust),
        _data(args, where, before, data, _manifest_of(run, before)),
        installed_versions(),
        _moved(before, after, trust),
    )


def find_after(
    run: Run, seam: Seam, before: Checkpoint | None, *, seams: tuple[Seam, ...] = (), trust: bool = False
) -> Checkpoint | None:
    """A checkpoint of the resumed epochs, before the next seam: the periodic one of the first, else last.pt or best.pt.

    None where there is none: a checkpoint that a later resume wrote would accuse this one of the other's faults.
    """
    end = min((s.epoch for s in seams if s.row > seam.row), default=None)
    for name in (f"epoch{seam.epoch - 1}.pt", "last.pt", "best.pt"):
        path = run.path / "weights" / name
        if not path.is_file() or (before is not None and path.absolute() == before.path):
            continue
        try:
            found = read_checkpoint(path, trust=trust)
        except CheckpointError:
            continue  # half written, or no checkpoint: the audit says less, and that is all
        if found.csv_epoch >= seam.epoch and (end is None or found.csv_epoch < end):
            return found
    return None


def _after_side(after: Checkpoint | None, trust: bool) -> Side | None:
    """The later checkpoint; without its tensors where a running training replaces the file just now."""
    if after is None:
        return None
    try:
        return Side(after, read_tensors(after.path, trust=trust))
    except CheckpointError:
        return Side(after)


def _moved(before: Checkpoint | None, after: Checkpoint | None, trust: bool) -> tuple[PartMove, ...]:
    """How the weights moved over the first epochs after the seam; later a training may have moved them itself."""
    if before is None or after is None or not 1 <= after.epoch - before.epoch <= MOST_EPOCHS:
        return ()
    trained = trained_between(before, after, trust=trust)
    return moves(*trained) if trained is not None else ()


def _manifest_of(run: Run | None, before: Checkpoint | None) -> Mapping[str, Any] | None:
    """The manifest kept for this seam: of the same checkpoint, else of its epoch."""
    if run is None or before is None:
        return None
    found = None
    for path in sorted((run.path / "drift" / "seams").glob("*/manifest.json")):
        try:
            held = read_json(path)
        except (OSError, ValueError):
            continue
        if not isinstance(held, dict) or not isinstance(held.get("data"), dict):
            continue
        if held.get("checkpoint") == before.sha256:
            return dict(held["data"])
        if held.get("epoch") == before.csv_epoch:
            found = dict(held["data"])
    return found


def _data(
    args: Mapping[str, Any],
    where: Path,
    before: Checkpoint | None,
    override: Path | None,
    recorded: Mapping[str, Any] | None,
) -> DataFacts:
    try:
        data = resolve_dataset(args, run=where, override=override)
        splits = sorted(data.splits.items())
        images = {split: [(place, i) for place in places for i in list_images(place)] for split, places in splits}
    except DataError as e:
        return DataFacts(missing=f"The data set was not looked at: {e.what}")
    labels = {} if data.yaml.is_dir() else _labels(data, images)
    date = seconds_of(before.date) if before is not None else None
    dated = [(f"{split}/{path.name}", when) for split, items in labels.items() for path, when in items]
    newer = tuple(name for name, when in dated if date is not None and when > date)
    texts = labels.values() if data.maps is None else ()  # caches of maps list no boxes
    folders = dict.fromkeys(path.parent for found in texts for path, _ in found)
    caches = tuple(read_label_cache(c) for f in folders if (c := f.with_suffix(".cache")).is_file())
    return DataFacts(
        names=data.names,
        images={split: len(found) for split, found in images.items()},
        labels={split: len(found) for split, found in labels.items()},
        newer=newer,
        manifest_names=_recorded_names(recorded),
        changes=None if recorded is None else tuple(_changes(data, recorded, images)),
        caches=caches,
        stale={cache.path: stale for cache in caches if (stale := stale_images(cache))},
    )


def _labels(data: DataSet, images: Mapping[str, list[tuple[Path, Path]]]) -> dict[str, list[tuple[Path, float]]]:
    """Label files that exist, with their time of change."""
    found: dict[str, list[tuple[Path, float]]] = {}
    for split, items in images.items():
        found[split] = []
        for _, image in items:
            label = label_of(image, data.maps)
            try:
                found[split].append((label, label.stat().st_mtime))
            except OSError:
                continue  # an image without objects has no label file
    return found


def _recorded_names(recorded: Mapping[str, Any] | None) -> dict[int, str] | None:
    names = recorded.get("names") if recorded is not None else None
    return {int(k): str(v) for k, v in names.items() if str(k).isdigit()} if isinstance(names, dict) else None


def _changes(
    data: DataSet, recorded: Mapping[str, Any], images: Mapping[str, list[tuple[Path, Path]]]
) -> Iterator[ManifestChange]:
    """File by file against the manifest."""
    now = manifest(data)
    if now["sha256"] == recorded.get("sha256"):
        return
    old_splits = recorded.get("splits")
    for split, files in now["splits"].items():
        old = old_splits.get(split, {}) if isinstance(old_splits, dict) else {}
        paths = {name_in_split(image, place): image for place, image in images.get(split, [])}
        for name in sorted({*files, *old}):
            if files.get(name) == old.get(name):
                continue
            if name not in files:
                yield ManifestChange(split, name, "removed", None)
            elif name not in old:
                yield ManifestChange(split, name, "added", _modified(paths.get(name)))
            elif files[name][1] != old[name][1]:
                label = label_of(paths[name], data.maps) if name in paths else None
                yield ManifestChange(split, name, "label changed", _modified(label))
            else:
                yield ManifestChange(split, name, "image size changed", _modified(paths.get(name)))


def _modified(path: Path | None) -> float | None:
    try:
        return path.stat().st_mtime if path is not None else None
    except OSError:
        return None
