"""The stored optimizer: there or not, its class, its groups, its step counters, its moments, the AMP scaler."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from analyzer.diagnosis.audit.counters import older_start
from analyzer.diagnosis.audit.facts import AuditFacts, Side
from analyzer.diagnosis.catalogue import finding
from analyzer.domain.evidence import Finding, Severity
from analyzer.runs.tensors import OptimizerFacts

__all__ = ["check_optimizer", "optimizer_classes"]

_ADAMS = frozenset({"Adam", "AdamW"})


def check_optimizer(facts: AuditFacts) -> Iterator[Finding]:
    """All findings of this file."""
    for side, where in ((facts.before, "before the seam"), (facts.after, "after the seam")):
        if side is not None and side.checkpoint.epoch >= 0:
            yield from _presence(side, where if facts.seam else "audited")
            yield from _class(side)
            yield from _moments(side)
    yield from _counters(facts)
    yield from _across(facts)
    yield from _scaler(facts)


def optimizer_classes(options: Mapping[str, Any]) -> frozenset[str]:
    """Which optimizers may have written such a parameter group.

    Parameters
    ----------
    options
        Keys and values of one group of ``state_dict()["param_groups"]``.

    Examples
    --------
    >>> sorted(optimizer_classes({"betas": (0.9, 0.999), "amsgrad": False, "decoupled_weight_decay": True}))
    ['AdamW']
    >>> sorted(optimizer_classes({"momentum": 0.9, "nesterov": True}))
    ['SGD']
    """
    if "use_muon" in options:
        return frozenset({"MuSGD"})
    if "betas" in options:
        if "momentum_decay" in options:
            return frozenset({"NAdam"})
        if "amsgrad" not in options:
            return frozenset({"Adamax", "RAdam"})
        decoupled = options.get("decoupled_weight_decay")
        return _ADAMS if decoupled is None else frozenset({"AdamW" if decoupled else "Adam"})
    if "alpha" in options:
        return frozenset({"RMSprop"})
    return frozenset({"SGD"}) if "nesterov" in options else frozenset()


def _held(side: Side | None) -> OptimizerFacts | None:
    return side.tensors.optimizer if side is not None and side.tensors is not None else None


def _written(held: OptimizerFacts) -> frozenset[str]:
    groups = [optimizer_classes(g.options) for g in held.groups]
    if any("MuSGD" in g for g in groups):  # only its first groups carry the switch
        return frozenset({"MuSGD"})
    return groups[0] if groups else frozenset()


def _presence(side: Side, where: str) -> Iterator[Finding]:
    held = _held(side)
    name = side.checkpoint.path.name
    if not side.checkpoint.has_optimizer:
        yield finding("optimizer-lost", f"{name} ({where}) holds no optimizer although its run was not finished.")
    elif held is not None and held.states == 0 and (total := sum(g.parameters for g in held.groups)):
        # With fewer batches than `accumulate` no step was made yet; the first ones of mixed precision may be skipped.
        if (side.checkpoint.updates or 0) <= (20 if _mixed(side) else 0) and side.checkpoint.updates is not None:
            return
        yield finding(
            "optimizer-lost", f"The optimizer in {name} ({where}) has no state for any of {total} parameters."
        )


def _class(side: Side) -> Iterator[Finding]:
    held, wanted = _held(side), str(side.checkpoint.train_args.get("optimizer") or "auto")
    if held is None or wanted.lower() == "auto":
        return
    written = _written(held)
    if written and wanted.lower() not in {name.lower() for name in written}:
        yield finding(
            "optimizer-changed",
            f"{side.checkpoint.path.name} says optimizer={wanted}, but its state is {' or '.join(sorted(written))}.",
        )


def _moments(side: Side) -> Iterator[Finding]:
    held = _held(side)
    if held is None:
        return
    name = side.checkpoint.path.name
    for kind, moment in held.moments.items():
        if not moment.finite:
            yield finding("non-finite", f"The optimizer's {kind} in {name} holds NaN or infinity.")
    second = held.moments.get("exp_avg_sq")
    if second is None or held.vanished is None or "float16" not in second.formats:
        return
    if held.vanished >= 0.01:
        yield finding(
            "optimizer-underflow",
            f"exp_avg_sq in {name} is stored in float16 and is zero for {held.vanished:.0%} of the numbers whose "
            "exp_avg is not: their next step is divided by eps alone.",
        )
    else:
        yield finding(
            "optimizer-underflow",
            f"exp_avg_sq in {name} is stored in float16; {held.vanished:.2%} of it was rounded to zero.",
            severity=Severity.WARNING,
        )


def _counters(facts: AuditFacts) -> Iterator[Finding]:
    """Adam counts its own steps: no more than the EMA, and fewer only by what the AMP scaler skipped.

    Before the seam a gap tells of an earlier resume, not of this one.
    """
    side = facts.before or facts.after
    held = _held(side)
    if side is None or held is None or not held.steps or side.checkpoint.epoch < 0:
        return
    updates = side.checkpoint.updates
    if updates is None:
        return
    weight = Severity.INFORMATION if facts.seam is not None and facts.before is not None else Severity.WARNING
    most = held.steps[-1]
    allowed = 20 + updates / 100 if _mixed(side) else 0.5
    if most < updates - allowed:
        yield finding(
            "optimizer-lost",
            f"Adam's step counters in {side.checkpoint.path.name} say {most:g}, the EMA was updated {updates} times: "
            "the state was dropped and began anew in between, or the counter of the EMA was set.",
            severity=weight,
        )
    elif most > updates + 0.5:
        yield finding(
            "ema-reset",
            f"The EMA in {side.checkpoint.path.name} was updated {updates} times, Adam's step counters say {most:g}.",
            severity=weight,
        )


def _across(facts: AuditFacts) -> Iterator[Finding]:
    """What the seam itself did to the optimizer."""
    before, after = _held(facts.before), _held(facts.after)
    if before is None or after is None or facts.before is None or facts.after is None:
        return
    old, new = _written(before), _written(after)
    if old and new and not old & new:
        what = (
            f"The optimizer was {' or '.join(sorted(old))} before the seam and is {' or '.join(sorted(new))} after it."
        )
        yield finding("optimizer-changed", what)
    elif sorted(g.parameters for g in before.groups) != sorted(g.parameters for g in after.groups):
        sizes = [[g.parameters for g in side.groups] for side in (before, after)]
        yield finding(
            "optimizer-changed", f"Its parameter groups held {sizes[0]} before the seam and {sizes[1]} after."
        )
    older = older_start(facts) is not None and after.steps and after.steps[-1] == facts.after.checkpoint.updates
    if before.steps and after.steps and after.steps[-1] < before.steps[-1] and not older:  # `older` has its own finding
        yield finding(
            "optimizer-lost",
            f"Adam's step counters fell from {before.steps[-1]:g} before the seam to {after.steps[-1]:g} after it.",
        )


def _mixed(side: Side) -> bool:
    """Whether mixed precision may have been on (never on CPU)."""
    args = side.checkpoint.train_args
    return str(args.get("device")).lower() not in {"cpu", "mps"} and args.get("amp", True) not in (False, "fp32")


def _scaler(facts: AuditFacts) -> Iterator[Finding]:
    """A scaler that was there before the seam and is not after it."""
    before, after = facts.before, facts.after
    if before is None or after is None or before.tensors is None or after.tensors is None:
        return
    if before.tensors.scaler and after.tensors.has_scaler_entry and not after.tensors.scaler:
        scale = before.tensors.scaler.get("scale")
        what = (
            f"The AMP scaler had the scale {scale:g}" if isinstance(scale, (int, float)) else "There was an AMP scaler"
        )
        yield finding("amp-changed", f"{what} before the seam and is off after it.", severity=Severity.WARNING)
