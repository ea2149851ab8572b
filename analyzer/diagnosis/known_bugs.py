"""Known bugs of Ultralytics that may touch a resume: data in the package, by version, and which of them apply."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from analyzer.diagnosis.catalogue import finding
from analyzer.domain.evidence import Finding
from analyzer.runs.args import closing_epochs
from analyzer.runs.versions import has_feature, parse_version

if TYPE_CHECKING:
    from analyzer.diagnosis.audit.facts import AuditFacts

__all__ = ["KnownBug", "check_known_bugs", "known_bugs"]


@dataclass(frozen=True, slots=True)
class KnownBug:
    """One bug of Ultralytics.

    Parameters
    ----------
    id
        Short name.
    affected_up_to
        Last version in which it was seen; None where only the fix is known.
    fixed_since
        First version in which it was seen to be fixed (it may have been earlier); None where none is known.
    when
        Circumstances under which it touches a resume, all of them: "adam", "amp", "batch-changed", "end2end",
        "mosaic-closed", "nan-recovery", "optimizer-auto", "pretrained-path", "resume", "workers".
    symptom
        What is seen.
    threads
        Where it is discussed upstream.
    """

    id: str
    affected_up_to: str | None
    fixed_since: str | None
    when: tuple[str, ...]
    symptom: str
    threads: tuple[str, ...]

    def affects(self, version: str | None) -> bool | None:
        """Whether a version has it; None where that is not known.

        Examples
        --------
        >>> bug = KnownBug("x", "8.4.0", "8.4.33", (), "", ())
        >>> bug.affects("8.3.9"), bug.affects("8.4.33"), bug.affects("8.4.10")
        (True, False, None)
        """
        parsed = parse_version(version)
        fixed, seen = parse_version(self.fixed_since), parse_version(self.affected_up_to)
        if parsed is None:
            return None
        if fixed is not None and parsed >= fixed:
            return False
        return True if seen is not None and parsed <= seen else None


@cache
def known_bugs() -> tuple[KnownBug, ...]:
    """All of them, as the package holds them."""
    text = resources.files("analyzer.diagnosis").joinpath("known_bugs.json").read_text(encoding="utf-8")
    return tuple(
        KnownBug(**{**entry, "when": tuple(entry["when"]), "threads": tuple(entry["threads"])})
        for entry in json.loads(text)
    )


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
    epochs, close = args.get("epochs"), closing_epochs(args)
    if facts.seam is None or not isinstance(epochs, int) or not isinstance(close, int) or close <= 0:
        return False
    return facts.seam.epoch > epochs - close + 1 and bool(args.get("mosaic", 1.0))


def _batch_changed(facts: AuditFacts) -> bool:
    """Whether the checkpoint after the seam says another batch than the one before."""
    if facts.before is None or facts.after is None:
        return False
    return bool(facts.before.checkpoint.train_args.get("batch") != facts.after.checkpoint.train_args.get("batch"))
