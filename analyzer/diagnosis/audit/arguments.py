"""Arguments before and after the seam, the versions, and close_mosaic."""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.diagnosis.audit.facts import AuditFacts
from analyzer.diagnosis.catalogue import finding
from analyzer.domain.evidence import Finding, Severity
from analyzer.runs.args import ArgChange, ArgsDiff, diff_args
from analyzer.runs.schedule import Schedule
from analyzer.runs.versions import groups_differ

__all__ = ["argument_findings", "check_arguments"]

_AUGMENTATION = (
    "hsv_h", "hsv_s", "hsv_v", "degrees", "translate", "scale", "shear", "perspective", "flipud", "fliplr", "bgr",
    "mixup", "cutmix", "copy_paste", "copy_paste_mode", "auto_augment", "erasing", "augmentations",
)  # fmt: skip
_IDS = {  # argument to the fault that it makes
    "lr0": "lr-jump",
    "optimizer": "optimizer-changed",
    "mosaic": "mosaic-state",
    "close_mosaic": "mosaic-state",
    "amp": "amp-changed",
    "batch": "batch-changed",
    "imgsz": "batch-changed",
    "data": "wrong-data",
    "augmentations": "augmentation-changed",
    **dict.fromkeys(_AUGMENTATION, "augmentation-changed"),
}
_REFUSED = {name: fault for name, fault in _IDS.items() if fault != "batch-changed"}  # that one is no hard finding


def check_arguments(facts: AuditFacts) -> Iterator[Finding]:
    """All findings of this file."""
    yield from _installed(facts)
    before, after = facts.before.checkpoint if facts.before else None, facts.after.checkpoint if facts.after else None
    if facts.seam is None or before is None:
        return
    seen: set[str] = set()
    # args.yaml is written when the resume starts; the later checkpoint also knows what changed then (batch after OOM).
    # It is that of the last resume: where there was a later one, only the checkpoint tells what this one was given.
    latest = not any(s.row > facts.seam.row for s in facts.seams)
    sides = [(facts.run.args, "args.yaml")] if facts.run is not None and facts.run.args and latest else []
    sides += [(after.train_args, after.path.name)] if after is not None and after.train_args else []
    for args, where in sides:
        diff = diff_args(before.train_args, args, version=before.version)
        fresh = ArgsDiff(tuple(c for c in diff.changes if c.name not in seen))
        seen |= {c.name for c in diff.changes}
        yield from argument_findings(fresh, where)
    yield from _mosaic(facts)
    yield from _version(facts)


def argument_findings(diff: ArgsDiff, where: str) -> tuple[Finding, ...]:
    """Changed arguments as findings: refused ones are certain, allowed ones are to be measured.

    Parameters
    ----------
    diff
        Arguments of the checkpoint against those of the resumed run.
    where
        Where the later ones stand.
    """
    return tuple(_refused(c, where) for c in diff.refused) + tuple(_allowed(c, where) for c in diff.allowed)


def _refused(change: ArgChange, where: str) -> Finding:
    factor = ""
    if change.name == "lr0" and isinstance(change.before, float) and isinstance(change.after, float) and change.before:
        factor = f" (factor {change.after / change.before:.4g})"
    return finding(
        _REFUSED.get(change.name, "edited-arguments"),
        f"{change.name} is {change.before} in the checkpoint and {change.after} in {where}{factor}; Ultralytics "
        "refuses to change it on resume, so the checkpoint was edited or this was a new run.",
        remedy=f"Resume again from the unedited checkpoint, with {change.name}={change.before}.",
    )


def _allowed(change: ArgChange, where: str) -> Finding:
    return finding(
        "changed-arguments",
        f"{change.name} was changed from {change.before} to {change.after} at the resume (in {where}).",
        remedy=f"If you did not want it, resume with {change.name}={change.before}.",
        fault=_IDS.get(change.name, ""),
    )


def _mosaic(facts: AuditFacts) -> Iterator[Finding]:
    """Mosaic closes at epoch ``epochs - close_mosaic + 1`` as results.csv counts."""
    assert facts.seam is not None and facts.before is not None
    closes = Schedule.of(facts.train_args).closed_from
    if closes is None:
        return
    first = facts.seam.epoch
    after = facts.after.checkpoint.train_args if facts.after else facts.run.args if facts.run else {}
    later = Schedule.of({**facts.train_args, **after}).closed_from
    if later != closes and (first >= closes) != (later is not None and first >= later):
        state = ("open", "closed") if first < closes else ("closed", "open")
        yield finding(
            "mosaic-state",
            f"At epoch {first} mosaic is {state[0]} by the checkpoint's close_mosaic and {state[1]} by that of the "
            "resumed run.",
            severity=Severity.WARNING,
        )
    elif first == closes and facts.train_args.get("mosaic", 1.0):
        yield finding("seam-at-close-mosaic", f"close_mosaic closes mosaic at epoch {closes}, the first resumed one.")


def _installed(facts: AuditFacts) -> Iterator[Finding]:
    old = facts.before.checkpoint.version if facts.before else None
    here = facts.installed.get("ultralytics")
    if old and here and old != here:
        what = f"{facts.before.checkpoint.path.name if facts.before else ''} was written by Ultralytics {old}"
        what += f"; installed is {here}"
        if groups_differ(old, here):
            what += (
                f", which cannot load its optimizer, so nothing resumes from it here: pip install ultralytics=={old}"
            )
        yield finding("environment", f"{what}.", severity=Severity.INFORMATION)


def _version(facts: AuditFacts) -> Iterator[Finding]:
    assert facts.before is not None
    old = facts.before.checkpoint.version
    new = facts.after.checkpoint.version if facts.after else None
    if old and new and old != new:
        yield finding("environment", f"Ultralytics {old} wrote the checkpoint before the seam, {new} the one after it.")
