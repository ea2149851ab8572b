"""Label caches against the label files beside them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from analyzer.diagnosis.audit.facts import AuditFacts
from analyzer.diagnosis.catalogue import finding
from analyzer.domain.evidence import Finding

__all__ = ["check_caches"]


def check_caches(facts: AuditFacts) -> Iterator[Finding]:
    """Name caches whose classes are not those of the files.

    Such a cache was made from other labels, and Ultralytics goes on using it while the sizes (in newer versions also
    the dates) of the files agree.
    """
    for cache in facts.data.caches:
        if stale := facts.data.stale.get(cache.path):
            shown = ", ".join(Path(n).name for n in stale[:5])
            yield finding(
                "stale-cache",
                f"{cache.path} holds other classes than the label files of {len(stale)} of {len(cache.classes)} images "
                f"({shown}).",
                remedy=f"Delete {cache.path} and resume again.",
            )
