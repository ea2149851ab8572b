"""Label caches against the label files beside them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from analyzer.diagnosis.audit.facts import AuditFacts
from analyzer.diagnosis.catalogue import finding
from analyzer.domain.evidence import Finding
from analyzer.files import read_regular
from analyzer.runs.fingerprint import label_of

__all__ = ["check_caches", "label_classes"]

_ALL = 5_000  # images


def check_caches(facts: AuditFacts) -> Iterator[Finding]:
    """Look for caches whose classes are not those of the files.

    Such a cache was made from other labels, and Ultralytics goes on using it while the sizes (in newer versions also
    the dates) of the files agree.
    """
    for cache in facts.data.caches:
        # Of many files only those are read that were written after the cache: opening 100,000 takes a minute.
        since = 0.0 if len(cache.classes) <= _ALL else cache.modified
        stale = [name for name, classes in cache.classes.items() if _differs(name, classes, since)]
        if stale:
            shown = ", ".join(Path(n).name for n in stale[:5])
            yield finding(
                "stale-cache",
                f"{cache.path} holds other classes than the label files of {len(stale)} of {len(cache.classes)} images "
                f"({shown}).",
                remedy=f"Delete {cache.path} and resume again.",
            )


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
