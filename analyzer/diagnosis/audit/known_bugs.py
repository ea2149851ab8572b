"""Known bugs of Ultralytics that touch the version and the circumstances of a resume."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from analyzer.diagnosis.audit.facts import AuditFacts
from analyzer.diagnosis.catalogue import finding
from analyzer.diagnosis.known_bugs import known_bugs
from analyzer.domain.evidence import Finding
from analyzer.runs.schedule import Schedule
from analyzer.runs.versions import has_feature

__all__ = ["check_known_bugs"]


def check_known_bugs(facts: AuditFacts) -> Iterator[Finding]:
    """Those that touch the version and the circumstances of this resume; fixed ones are left out."""
    if facts.before is None:
        return
    after = facts.after.checkpoint.version if facts.after else None
    version = after or facts.before.checkpoint.version
    here = _circumstances(facts)
    for bug in known_bugs():
        affected = bug.affects(version)
        if affected is False or not set(bug.when) <= here:
            continue
        known = "" if affected else " (which versions have it is not known exactly)"
        threads = f" See {', '.join(bug.threads)}." if bug.threads else ""
        yield finding("known-bug", f"{bug.id}, Ultralytics {version}{known}: {bug.symptom}{threads}")


def _circumstances(facts: AuditFacts) -> frozenset[str]:
    """What is true of this resume."""
    assert facts.before is not None
    checkpoint, args = facts.before.checkpoint, facts.before.checkpoint.train_args
    cpu = str(args.get("device")).lower() in {"cpu", "mps"}
    pretrained = args.get("pretrained")
    true = {
        "resume": facts.seam is not None,
        "adam": checkpoint.optimizer_kind == "Adam-like",
        "amp": not cpu and args.get("amp", True) not in (False, "fp32"),
        "batch-changed": _batch_changed(facts),
        "end2end": bool(args.get("end2end")) or "v10" in str(args.get("model", "")),
        "mosaic-closed": _closed(facts, args),
        "nan-recovery": not cpu and has_feature("nan-recovery", checkpoint.version) is True,
        "optimizer-auto": str(args.get("optimizer", "auto")).lower() == "auto",
        "pretrained-path": isinstance(pretrained, str) and pretrained.endswith(".pt"),
        "workers": bool(args.get("workers", 8)) and not cpu,
    }
    return frozenset(name for name, holds in true.items() if holds)


def _closed(facts: AuditFacts, args: Mapping[str, Any]) -> bool:
    """Whether the seam lies in the epochs after close_mosaic."""
    closed = facts.seam is not None and Schedule.of(args).closed_at(facts.seam.epoch - 1)
    return closed and bool(args.get("mosaic", 1.0))


def _batch_changed(facts: AuditFacts) -> bool:
    """Whether the checkpoint after the seam says another batch than the one before."""
    if facts.before is None or facts.after is None:
        return False
    return bool(facts.before.checkpoint.train_args.get("batch") != facts.after.checkpoint.train_args.get("batch"))
