"""What a data set holds: every image and label counted and hashed, by reading only."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analyzer.domain.run import DataSet
from analyzer.errors import DataError
from analyzer.files import read_regular

__all__ = ["DatasetFingerprint", "fingerprint_dataset", "label_of", "list_images", "manifest", "name_in_split"]

# Of 8.4.190, `IMG_FORMATS`; "pfm" belongs to earlier ones.
_IMAGES = frozenset("avif bmp dng heic heif jp2 jpeg jpg mpo pfm png tif tiff webp".split())  # noqa: SIM905
_HINT = "Give the data yaml (for classification the folder) with --data."
_HEAD = 2**20  # bytes of a mask or depth map that are hashed: a float map of a whole data set may have 50 GB
UNREADABLE = -1  # class under which label lines without a class number are counted


@dataclass(frozen=True, slots=True)
class DatasetFingerprint:
    """Identity and size of a data set.

    Parameters
    ----------
    sha256
        Over class names, and per split the sorted relative image names, image sizes in bytes and label contents (of
        masks and depth maps the size and the first MiB). Moving the data set as a whole does not change it; pixels of
        an image changed at equal file size are not noticed.
    images, labels
        Split to number of images, and of label files beside them (classification: images in class folders).
    instances
        Split to class index to number of instances; -1 counts label lines that start with no number. Empty where the
        labels are masks or depth maps.
    """

    sha256: str
    images: Mapping[str, int]
    labels: Mapping[str, int]
    instances: Mapping[str, Mapping[int, int]]


@dataclass(frozen=True, slots=True)
class _Item:
    name: str  # relative to its split, with forward slashes
    size: int
    label: bytes | None  # content of the label file, of a map its digest; None where there is none


def fingerprint_dataset(data: DataSet) -> DatasetFingerprint:
    """Hash and count a data set; caches of Ultralytics (pickles) are never opened.

    Raises
    ------
    DataError
        A split has no image, or a file vanishes or cannot be read.
    """
    digest = hashlib.sha256()
    digest.update(repr(sorted(data.names.items())).encode())
    images: dict[str, int] = {}
    labels: dict[str, int] = {}
    instances: dict[str, dict[int, int]] = {}
    for split, items in _splits(data):
        digest.update(f"split {split}\n".encode())
        for item in items:
            digest.update(f"{item.name}\0{item.size}\0".encode(errors="surrogateescape"))
            digest.update(b"-" if item.label is None else hashlib.sha256(item.label).digest())
        images[split] = len(items)
        labels[split] = sum(item.label is not None for item in items)
        instances[split] = _count(data, items)
    return DatasetFingerprint(digest.hexdigest(), images, labels, instances)


def manifest(data: DataSet) -> dict[str, Any]:
    """A JSON-able list of all that the fingerprint covers, to tell later *which* files changed.

    Returns
    -------
    dict
        ``yaml``, ``names``, ``sha256``, and ``splits``: split to relative image name to ``[size in bytes, first 16
        hexadecimal digits of the label's SHA-256, or None]``.
    """
    splits = {
        split: {
            item.name: [item.size, None if item.label is None else hashlib.sha256(item.label).hexdigest()[:16]]
            for item in items
        }
        for split, items in _splits(data)
    }
    names = {str(k): v for k, v in data.names.items()}
    return {"yaml": str(data.yaml), "names": names, "sha256": fingerprint_dataset(data).sha256, "splits": splits}


def list_images(place: Path) -> list[Path]:
    """Images of a split as Ultralytics lists them: of a folder all below it, of a text file its lines.

    Raises
    ------
    DataError
        The text file cannot be read.
    """
    if place.is_dir():
        found = (Path(top) / f for top, _, files in _walk(place) for f in files if not f.startswith("."))
        return sorted(p for p in found if p.suffix[1:].lower() in _IMAGES)
    if not place.is_file():
        raise DataError(f"The image list {place} is no regular file.", _HINT)  # reading a device would never end
    try:
        lines = place.read_text(encoding="utf-8-sig").strip().splitlines()
    except (OSError, UnicodeDecodeError) as e:
        raise DataError(f"The image list {place} cannot be read ({e}).", _HINT) from e
    listed = (place.parent / line[2:] if line.startswith("./") else _listed(place, line) for line in lines if line)
    return sorted(p for p in listed if p.suffix[1:].lower() in _IMAGES)


def _walk(folder: Path) -> Iterator[tuple[str, list[str], list[str]]]:
    """``os.walk`` through links, without hidden folders, each real folder once."""
    seen: set[str] = set()
    for top, folders, files in os.walk(folder, followlinks=True):
        real = os.path.realpath(top)
        if real in seen:  # a link that leads back would never end
            folders.clear()
            continue
        seen.add(real)
        folders[:] = [f for f in folders if not f.startswith(".")]
        yield top, folders, files


def _listed(place: Path, line: str) -> Path:
    """A line of an image list: relative to the working directory for Ultralytics, else beside the list."""
    path = Path(line)
    return path if path.is_absolute() or path.exists() else place.parent / path


def _splits(data: DataSet) -> Iterator[tuple[str, list[_Item]]]:
    for split, places in sorted(data.splits.items()):
        items = [_item(image, place, data) for place in places for image in list_images(place)]
        if not items:
            raise DataError(f"There are no images in {', '.join(map(str, places))} ({split}).", _HINT)
        yield split, items


def _item(image: Path, place: Path, data: DataSet) -> _Item:
    name = name_in_split(image, place)
    try:
        size = image.stat().st_size
        label = name.split("/", 1)[0].encode() if data.yaml.is_dir() else _label(label_of(image, data.maps), data)
    except OSError as e:
        raise DataError(f"{image} cannot be read: {e.strerror}.", _HINT) from e
    return _Item(name, size, label)


def name_in_split(image: Path, place: Path) -> str:
    """An image as its split names it, with forward slashes; whole where it lies elsewhere."""
    base = place if place.is_dir() else place.parent
    return image.relative_to(base).as_posix() if image.is_relative_to(base) else image.as_posix()


def label_of(image: Path, maps: tuple[str, tuple[str, ...]] | None = None) -> Path:
    """The label file of an image, found as ``img2label_paths`` does: the last /images/ becomes /labels/.

    Parameters
    ----------
    image
        Which image.
    maps
        Of the `DataSet`, where labels are images.
    """
    folder, endings = maps or ("labels", (".txt",))
    slash = os.sep
    stem = f"{slash}{folder}{slash}".join(str(image).rsplit(f"{slash}images{slash}", 1)).rsplit(".", 1)[0]
    paths = [Path(stem + ending) for ending in endings]
    return next((p for p in paths[:-1] if p.is_file()), paths[-1])


def _label(path: Path, data: DataSet) -> bytes | None:
    try:
        return read_regular(path) if data.maps is None else _digest(path)
    except FileNotFoundError:
        return None


def _digest(path: Path) -> bytes | None:
    """Of a map its size and its beginning."""
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return hashlib.sha256(f"{path.stat().st_size} ".encode() + file.read(_HEAD)).digest()


def _count(data: DataSet, items: list[_Item]) -> dict[int, int]:
    if data.maps is not None:
        return {}
    if data.yaml.is_dir():
        index = {name: i for i, name in data.names.items()}
        counted = Counter(index.get((item.label or b"").decode(errors="replace"), UNREADABLE) for item in items)
    else:
        counted = Counter(_class(line) for item in items for line in (item.label or b"").splitlines() if line.strip())
    return dict(sorted(counted.items()))


def _class(line: bytes) -> int:
    try:
        return int(float(line.split(None, 1)[0]))
    except (ValueError, OverflowError):
        return UNREADABLE
