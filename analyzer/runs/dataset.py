"""Find the data set of a run as Ultralytics finds it, without downloading, executing or caching anything."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from analyzer.domain.run import DataSet
from analyzer.errors import DataError
from analyzer.runs.data_content import DatasetFingerprint, fingerprint_dataset, manifest
from analyzer.runs.ultralytics_settings import datasets_folders, packaged_dataset
from analyzer.runs.yamls import load_yaml

__all__ = ["DatasetFingerprint", "fingerprint_dataset", "manifest", "resolve_dataset"]

_HINT = "Give the data yaml (for classification the folder) with --data."
_URL = re.compile(r"(https?:/|ul:/|gs:/|s3:/|rtsp:/)", re.IGNORECASE)
_ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".xz", ".bz2", ".txz", ".tbz2", ".ndjson")
_VALIDATION = ("val", "validation", "valid", "test")  # folders of a classification data set, in Ultralytics' order


def resolve_dataset(
    train_args: Mapping[str, Any], *, run: Path, override: Path | None = None, cwd: Path | None = None
) -> DataSet:
    """Resolve the ``data`` argument of a run as ``check_det_dataset`` and ``check_cls_dataset`` do.

    A relative yaml is looked for in `cwd`, the run and the folders above it, then among those that Ultralytics ships.
    The key ``path`` is taken as it is, else relative to `cwd`, to the user's ``datasets_dir``, to the yaml's folder and
    to the folders above the run: the first where every split exists. ``download`` is neither executed nor kept.

    Parameters
    ----------
    train_args
        Arguments of the run; ``data``, ``task`` and ``split`` are read.
    run
        The run directory.
    override
        Given by the user instead of ``data``.
    cwd
        Directory from which the training was started; by default the present one.

    Returns
    -------
    DataSet
        ``raw`` can be written as a data yaml for any working directory; for classification it holds ``path`` and
        ``names``.

    Raises
    ------
    DataError
        Not found, not local, no valid yaml, a split without a place, or no class names.
    """
    cwd = Path.cwd() if cwd is None else cwd
    given = override if override is not None else train_args.get("data")
    if given is None or str(given).strip() == "":
        raise DataError("The arguments of the run name no data set.", _HINT)
    text = str(given).strip()
    if _URL.match(text):
        raise DataError(f"The data set {text} is not a local one, and nothing is downloaded.", _HINT)
    places = (cwd, *_upwards(run))
    if train_args.get("task") == "classify":
        return _classification(text, places)
    if isinstance(given, Mapping):
        return _detection(dict(given), run / "args.yaml", places, train_args)
    if text.lower().endswith(_ARCHIVES):
        raise DataError(f"The data set {text} is an archive; it is not unpacked here.", _HINT)
    yaml = _find_yaml(text, places)
    raw = load_yaml(yaml, DataError)
    if not isinstance(raw, dict):
        raise DataError(f"{yaml} is no mapping, so no data yaml.", _HINT)
    return _detection({str(k): v for k, v in raw.items()}, yaml, places, train_args)


def _upwards(run: Path) -> Iterator[Path]:
    """The run and the folders above it, nearest first, without the root."""
    run = run.absolute()
    yield run
    yield from (p for p in run.parents if len(p.parts) > 1)


def _local(text: str) -> Path:
    """A path as this system spells it: a relative one of Windows is understood, an absolute one cannot be."""
    return Path(text.replace("\\", "/") if "\\" in text and not re.match(r"[A-Za-z]:", text) else text).expanduser()


def _find_yaml(text: str, places: tuple[Path, ...]) -> Path:
    name = _local(text)
    names = [name] if name.suffix in (".yaml", ".yml") else [name, Path(f"{name}.yaml"), Path(f"{name}.yml")]
    for candidate in names:
        for place in places:
            found = place / candidate
            if found.is_file():
                return found.absolute()
            if found.is_dir() and (inner := _yaml_in(found)):
                return inner
        if not candidate.is_absolute() and (shipped := packaged_dataset(candidate)):
            return shipped
    where = (
        "" if name.is_absolute() else f" in {places[0]}, {places[1] if len(places) > 1 else ''} or the folders above"
    )
    raise DataError(f"The data set {text} is not found{where}.", _HINT)


def _yaml_in(folder: Path) -> Path | None:
    """The yaml of a data folder, as ``find_dataset_yaml`` chooses it; None where there is none or no single one."""
    for pattern in ("*.yaml", "*.yml"):
        files = list(folder.glob(pattern)) or list(folder.rglob(pattern))
        if len(files) > 1:
            files = [f for f in files if f.stem == folder.stem]
        if files:
            return files[0].absolute() if len(files) == 1 else None
    return None


def _detection(raw: dict[str, Any], yaml: Path, places: tuple[Path, ...], train_args: Mapping[str, Any]) -> DataSet:
    if "val" not in raw and "validation" in raw:
        raw["val"] = raw.pop("validation")
    for key in ("train", "val"):
        if not raw.get(key):
            raise DataError(f"{yaml} has no key '{key}'.", _HINT)
    names = _names(raw, yaml)
    validation = "test" if train_args.get("split") == "test" and raw.get("test") else "val"
    wanted = {"train": "train", "val": validation}
    root, splits = _place_splits(raw, yaml, places, wanted)
    kept = {k: v for k, v in raw.items() if k not in ("download", "yaml_file", "minival")}
    for key in ("train", "val", "test"):
        if kept.get(key):
            paths = [str(_join(root, part)) for part in _parts(kept[key], key, yaml)]
            kept[key] = paths[0] if isinstance(raw[key], str) else paths
    kept |= {"path": str(root), "names": names, "nc": len(names)}
    return DataSet(yaml, names, splits, kept, _maps(train_args.get("task"), raw, root))


def _maps(task: object, raw: Mapping[str, Any], root: Path) -> tuple[str, tuple[str, ...]] | None:
    """Where the labels of a task are images, as ``SemanticDataset`` and ``DepthDataset`` find them."""
    if task == "depth":
        return "depth", (".png", ".npy")
    folder = raw.get("masks_dir") or ("masks" if (root / "masks").is_dir() else None)
    return (str(folder), (".png",)) if task == "semantic" and folder else None  # without masks: polygons


def _place_splits(
    raw: Mapping[str, Any], yaml: Path, places: tuple[Path, ...], wanted: Mapping[str, str]
) -> tuple[Path, dict[str, tuple[Path, ...]]]:
    """The root folder under which every wanted split exists, and the splits."""
    missing: Path | None = None
    for root in _roots(raw.get("path"), yaml, places):
        splits = {k: tuple(_join(root, part) for part in _parts(raw[key], key, yaml)) for k, key in wanted.items()}
        absent = next((p for paths in splits.values() for p in paths if not p.exists()), None)
        if absent is None:
            return root, splits
        missing = missing or absent
    raise DataError(f"The images of {yaml} are not found: {missing} does not exist.", _HINT)


def _roots(path: object, yaml: Path, places: tuple[Path, ...]) -> Iterator[Path]:
    """Where the data set may lie, in the order of trust."""
    if path is None or path == "":
        yield yaml.parent
        return
    if not isinstance(path, str):
        raise DataError(f"{yaml}: 'path' is no text.", _HINT)
    local = _local(path)
    if local.is_absolute():
        yield local
        return
    for folder in dict.fromkeys((places[0], *datasets_folders(places[0]), yaml.parent, *places[1:])):
        yield (folder / local).resolve()


def _parts(value: object, key: str, yaml: Path) -> list[str]:
    parts = value if isinstance(value, list) else [value]
    if not parts or not all(isinstance(p, str) and p for p in parts):
        raise DataError(f"{yaml}: '{key}' is neither a path nor a list of paths.", _HINT)
    return [str(p) for p in parts]


def _join(root: Path, part: str) -> Path:
    """``root / part``; for a missing ``../x`` also ``root / x``, as Ultralytics tries (Roboflow writes such yamls)."""
    joined = (root / _local(part)).resolve()
    if not joined.exists() and part.startswith("../"):
        return (root / _local(part[3:])).resolve()
    return joined


def _names(raw: Mapping[str, Any], yaml: Path) -> dict[int, str]:
    names, nc = raw.get("names"), raw.get("nc")
    try:
        if names is None and nc is not None:
            return {i: f"class_{i}" for i in range(int(nc))}
        items = dict(enumerate(names)) if isinstance(names, list) else names
        read = {int(k): str(v) for k, v in items.items()} if isinstance(items, dict) else {}
    except (TypeError, ValueError) as e:
        raise DataError(f"{yaml}: the class names cannot be read ({e}).", _HINT) from e
    if not read or set(read) != set(range(len(read))):
        raise DataError(f"{yaml}: 'names' is missing or its indices are not 0 to n - 1.", _HINT)
    return read


def _classification(text: str, places: tuple[Path, ...]) -> DataSet:
    """A folder with train/CLASS/image files."""
    name = _local(text)
    candidates = [place / name for place in places] + [folder / name for folder in datasets_folders(places[0])]
    root = next((c.resolve() for c in candidates if c.is_dir()), None)
    if root is None:
        raise DataError(f"The data folder {text} is not found.", _HINT)
    train = root / "train"
    if not train.is_dir():
        raise DataError(f"{root} has no folder 'train'; Ultralytics would split it, which is not done here.", _HINT)
    validation = next((root / v for v in _VALIDATION if (root / v).is_dir()), None)
    if validation is None:
        raise DataError(f"{root} has no folder with validation images ({', '.join(_VALIDATION)}).", _HINT)
    names = dict(enumerate(sorted(p.name for p in train.iterdir() if p.is_dir())))
    if not names:
        raise DataError(f"{train} has no folder for a class.", _HINT)
    return DataSet(root, names, {"train": (train,), "val": (validation,)}, {"path": str(root), "names": names})
