"""Images whose label file says other classes than the label cache that Ultralytics reads instead of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from analyzer.files import read_regular
from analyzer.runs.data_content import label_of
from analyzer.runs.labelcache import CacheFacts

__all__ = ["label_classes", "stale_images"]

_ALL = 5_000  # images


def stale_images(cache: CacheFacts) -> tuple[str, ...]:
    """Image files of the cache whose label file has other classes.

    Of many files only those are read that were written after the cache: opening 100,000 takes a minute.
    """
    since = 0.0 if len(cache.classes) <= _ALL else cache.modified
    return tuple(name for name, classes in cache.classes.items() if _differs(name, classes, since))


def label_classes(text: bytes) -> frozenset[int] | None:
    r"""The classes in a label file; None where a line has none.

    Examples
    --------
    >>> sorted(label_classes(b"3 0.5 0.5 0.1 0.1\n3 0.2 0.2 0.1 0.1\n")), label_classes(b"x y")
    ([3], None)
    """
    try:
        return frozenset(int(float(line.split(None, 1)[0])) for line in text.splitlines() if line.strip())
    except (ValueError, OverflowError):
        return None


def _differs(image: str, cached: Mapping[int, int], since: float) -> bool:
    """Whether a label file written after `since` has other classes than the cache.

    Only the set of classes is compared: Ultralytics drops double lines, so that counts may differ.
    """
    try:
        label = label_of(Path(image))
        if label.stat().st_mtime <= since:
            return False
        found = label_classes(read_regular(label))
    except OSError:
        return False  # the data set was moved or the label is gone: not what this check is about
    return found is not None and found != frozenset(cached)
