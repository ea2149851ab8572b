"""The data set against the checkpoint's class names, the manifest of the seam, dates and label caches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from analyzer.diagnosis.audit.facts import AuditFacts, ManifestChange
from analyzer.diagnosis.catalogue import finding
from analyzer.domain.evidence import Finding, Severity

__all__ = ["check_data", "listed", "seconds_of"]

_NAMED = 5  # files that are named in a sentence


def check_data(facts: AuditFacts) -> Iterator[Finding]:
    """All findings of this file."""
    data = facts.data
    if data.missing:
        yield finding("data-not-read", data.missing)
    single = bool(facts.train_args.get("single_cls"))
    if facts.before is not None and data.names and not single:
        yield from _names(facts.before.checkpoint.names, data.names, "the stored model")
    if data.manifest_names is not None and data.names:
        yield from _names(data.manifest_names, data.names, "the manifest of the seam")
    if data.changes:
        yield from _changes(facts, data.changes)
    elif data.changes is None:
        yield from _newer(facts)
    for cache in data.caches:
        if cache.problem:
            yield finding("cache-not-read", f"{cache.path} was not read: {cache.problem}.")


def listed(names: Sequence[str]) -> str:
    """The first of many names, and how many there are beside them."""
    return ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")


def seconds_of(date: str | None) -> float | None:
    """Seconds since 1970 of an ISO 8601 date; local time where it names no zone; None where it is none.

    Examples
    --------
    >>> seconds_of("1970-01-01T00:01:00+00:00"), seconds_of("yesterday")
    (60.0, None)
    """
    try:
        return datetime.fromisoformat(date.replace("Z", "+00:00")).timestamp() if date else None
    except ValueError:
        return None


def _names(old: Mapping[int, str], new: Mapping[int, str], whose: str) -> Iterator[Finding]:
    if not old or dict(old) == dict(new):
        return
    if len(old) != len(new):
        yield finding("head-rebuilt", f"{whose.capitalize()} has {len(old)} classes, the data set now {len(new)}.")
        return
    moved = [i for i in sorted(old) if old[i] != new.get(i)]
    shown = ", ".join(f"{i}: {old[i]} -> {new.get(i)}" for i in moved[:_NAMED])
    if Counter(old.values()) == Counter(new.values()):
        yield finding("wrong-data", f"The order of the class names is not that of {whose} ({shown}).")
    else:
        what = f"{len(moved)} class names are not those of {whose} ({shown})."
        yield finding("wrong-data", what, severity=Severity.WARNING)


def _changes(facts: AuditFacts, changes: Sequence[ManifestChange]) -> Iterator[Finding]:
    """Hard where a changed file is older than the resumed row: the resume trained on it. Else it changed later."""
    counted = Counter(c.what for c in changes)
    words = ", ".join(f"{n} {what}" for what, n in sorted(counted.items()))
    shown = listed([f"{c.split}/{c.name}" for c in changes])
    until = _resumed_at(facts)
    used = until is not None and any(c.modified is not None and c.modified <= until for c in changes)
    when = "before the resumed epoch was written" if used else "or whether after the resume is not certain"
    yield finding(
        "wrong-data",
        f"{len(changes)} files are not as the manifest of the seam says ({words}): {shown}; changed {when}.",
        severity=Severity.HARD if used else Severity.WARNING,
    )


def _resumed_at(facts: AuditFacts) -> float | None:
    if facts.seam is None or facts.after is None:
        return None
    return seconds_of(facts.after.checkpoint.date)


def _newer(facts: AuditFacts) -> Iterator[Finding]:
    """Without a manifest: labels that were written after the checkpoint. All of them newer is a copied data set."""
    newer, total = facts.data.newer, sum(facts.data.labels.values())
    if not newer or facts.before is None:
        return
    name = facts.before.checkpoint.path.name
    yield finding(
        "wrong-data",
        f"{len(newer)} of {total} label files were written after {name} ({listed(newer)}).",
        severity=Severity.INFORMATION if len(newer) == total else Severity.WARNING,
    )
