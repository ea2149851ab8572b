"""The logged learning rates against their schedule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analyzer.diagnosis.audit.facts import AuditFacts
from analyzer.diagnosis.audit.schedule import decay, logged_rates, repeated_warmup_rates
from analyzer.diagnosis.audit.steps import Loop, loops
from analyzer.diagnosis.catalogue import finding
from analyzer.domain.evidence import Finding, Severity
from analyzer.domain.run import SeamSign
from analyzer.runs.schedule import Schedule
from analyzer.runs.versions import has_feature

__all__ = ["check_rates"]


@dataclass(frozen=True, slots=True)
class _Column:
    """One ``lr/pg*`` column with the base rate that fits its rows before the seam."""

    name: str
    values: NDArray[np.float64]
    base: float
    fits: NDArray[np.bool_]  # per row


def check_rates(facts: AuditFacts) -> Iterator[Finding]:
    """All findings of this file."""
    yield from _stored(facts)
    run, args = facts.run, facts.train_args
    if run is None or not len(run.history):
        return
    names = [c for c in run.history.columns if c.startswith("lr/pg")]
    if not names:
        return
    if args.get("time"):
        yield finding("lr-unknown", "The run was bounded by `time`, so the number of epochs changed while it ran.")
        return
    kinds = loops(args, facts.batches) if facts.batches else ()
    start = facts.seam.row if facts.seam else len(run.history)
    columns = [c for i, n in enumerate(names) if (c := _column(facts, n, i, start, kinds))]
    if not columns:
        auto = str(args.get("optimizer") or "auto").lower() == "auto"
        why = "optimizer=auto chose the rate, or " if auto else ""
        text = "No base rate makes the lr columns follow the schedule of the arguments"
        yield finding("lr-unknown", f"{text} ({why}warmup of unknown length, an older version or an own schedule).")
        return
    yield from _before(facts, columns, start)
    if facts.seam is not None and facts.seam.sign is not SeamSign.RESTART:
        yield from _after(facts, columns, start, kinds)


def _stored(facts: AuditFacts) -> Iterator[Finding]:
    """The rate from which the stored groups start against lr0 of the same file: a resume goes on with lr0."""
    side = facts.before
    if side is None or side.tensors is None or side.tensors.optimizer is None or side.checkpoint.epoch < 0:
        return
    args = side.checkpoint.train_args
    lr0 = args.get("lr0")
    if str(args.get("optimizer") or "auto").lower() == "auto" or not isinstance(lr0, (int, float)) or lr0 <= 0:
        return
    bases = sorted({b for g in side.tensors.optimizer.groups if (b := g.initial_lr)})
    fitting = [
        b for b in bases if any(np.isclose(b, lr0 * k, rtol=1e-6) for k in (1, 3))
    ]  # MuSGD boosts its heads by 3
    if bases and not fitting:
        yield finding(
            "lr-jump",
            f"{side.checkpoint.path.name} says lr0={lr0:g}, but its optimizer was built with {bases[-1]:g}: a resume "
            f"multiplies the learning rate by {lr0 / bases[-1]:.4g}.",
            remedy=f"Resume from the unedited checkpoint, with lr0={bases[-1]:g}.",
        )


def _close(logged: float, rates: Sequence[float], relative: float) -> bool:
    return any(abs(logged - r) <= relative * max(abs(logged), abs(r)) + 1e-12 for r in rates)


def _column(facts: AuditFacts, name: str, index: int, start: int, kinds: Sequence[Loop]) -> _Column | None:
    """The column with the base rate that fits most rows before the seam; None where none fits two rows and a half."""
    assert facts.run is not None
    args, history = facts.train_args, facts.run.history
    values, epochs = history.column(name), history.epochs
    version = facts.before.checkpoint.version if facts.before else None
    relative = 2e-5 if has_feature("plain-csv", version) else 2e-4  # the printed digits, twice
    best: _Column | None = None
    for base in _bases(facts, values[:start], index):
        rates = [logged_rates(args, base, int(e) - 1, kinds) for e in epochs]
        fits = np.array([_close(v, r, relative) for v, r in zip(values, rates, strict=True)], dtype=bool)
        if best is None or fits[:start].sum() > best.fits[:start].sum():
            best = _Column(name, values, base, fits)
    known = int(np.isfinite(values[:start]).sum())
    return best if best is not None and best.fits[:start].sum() >= max(min(2, known), known / 2, 1) else None


def _bases(facts: AuditFacts, values: NDArray[np.float64], index: int) -> list[float]:
    """Base rates that may have made a column: stored ones, lr0, and what the later rows themselves give."""
    assert facts.run is not None
    args = facts.train_args
    found: list[float] = []
    held = facts.before.tensors.optimizer if facts.before and facts.before.tensors else None
    if held is not None and index < len(held.groups) and (stored := held.groups[index].initial_lr):
        found.append(stored)
    lr0 = args.get("lr0")
    found += [float(lr0), 3 * float(lr0)] if isinstance(lr0, (int, float)) else []
    ratios = [v / decay(args, int(e) - 1) for v, e in zip(values, facts.run.history.epochs, strict=False) if v > 0]
    found += [float(np.median(ratios[-5:]))] if ratios else []
    return found


def _before(facts: AuditFacts, columns: Sequence[_Column], start: int) -> Iterator[Finding]:
    """Rows before the seam that leave the schedule after it had been followed: an earlier resume, not this one."""
    assert facts.run is not None
    if any(s.sign is SeamSign.RESTART for s in facts.seams):  # several runs in one file, each with its own schedule
        return
    for column in columns:
        finite = np.isfinite(column.values[:start])
        followed = np.cumsum(column.fits[:start]) > 0  # warmup with an unknown number of batches comes first
        off = np.flatnonzero(finite & followed & ~column.fits[:start])
        if len(off):
            row = int(off[0])
            epoch = int(facts.run.history.epochs[row])
            what = f"{column.name} is {column.values[row]:g} at epoch {epoch}, before the seam"
            wanted = column.base * decay(facts.train_args, epoch - 1)
            text = f"{what}; the schedule gives {wanted:g} ({len(off)} rows)."
            yield finding("lr-jump", text, severity=Severity.WARNING)
            return


def _after(facts: AuditFacts, columns: Sequence[_Column], start: int, kinds: Sequence[Loop]) -> Iterator[Finding]:
    """The rows of the resumed epochs."""
    assert facts.run is not None and facts.seam is not None
    epochs, args = facts.run.history.epochs, facts.train_args
    if not kinds and not _past_warmup(args, facts.seam.epoch, columns, start):
        yield finding("lr-unknown", "The seam may lie in warmup and the number of batches an epoch is not known.")
        return
    end = min((s.row for s in facts.seams if s.row > start), default=len(epochs))
    off = [(c, int(r)) for c in columns for r in range(start, end) if np.isfinite(c.values[r]) and not c.fits[r]]
    if not off:
        return
    row = min(r for _, r in off)
    epoch = int(epochs[row])
    here = [c for c, r in off if r == row]
    if _again(args, here, row, epoch, facts.seam.epoch, kinds):
        yield finding("warmup-repeated", _words(args, here[0], row, epoch) + " as in a warmup that began at the seam.")
        return
    factors = [c.values[row] / (c.base * decay(args, epoch - 1)) for c in here]
    shown = ", ".join(sorted({f"{f:.4g}" for f in factors}))
    rows = len({r for _, r in off})
    often = f"off in {rows} of {end - start} resumed epochs"
    yield finding("lr-jump", f"{_words(args, here[0], row, epoch)}, factor {shown} ({often}).")


def _past_warmup(args: Mapping[str, Any], epoch: int, columns: Sequence[_Column], start: int) -> bool:
    """Whether warmup is certainly over at the seam although the number of batches is unknown."""
    settled = all(bool(c.fits[max(0, start - 2) : start].all()) for c in columns)
    return settled and start >= 2 and epoch - 1 > Schedule.of(args).warmup


def _words(args: Mapping[str, Any], column: _Column, row: int, epoch: int) -> str:
    wanted = column.base * decay(args, epoch - 1)
    return f"{column.name} is {column.values[row]:g} at epoch {epoch} where the schedule gives {wanted:g}"


def _again(
    args: Mapping[str, Any], here: Sequence[_Column], row: int, epoch: int, since: int, kinds: Sequence[Loop]
) -> bool:
    """Whether every column that is off has a rate of a repeated warmup, of this length or of another."""
    return all(
        _close(c.values[row], repeated_warmup_rates(args, c.base, epoch - 1, since - 1, kinds), 2e-4) for c in here
    ) or _of_another_length(args, here, row, epoch, since, kinds)


def _of_another_length(
    args: Mapping[str, Any], here: Sequence[_Column], row: int, epoch: int, since: int, kinds: Sequence[Loop]
) -> bool:
    """Whether one length of warmup gives the rates of the weights and that of the biases, which starts elsewhere.

    Weights ramp from 0, so their rate gives the length; a multiplied schedule would move the biases by the same factor.
    """
    bias = float(args.get("warmup_bias_lr", 0.1) or 0.0)
    targets = [c.base * decay(args, epoch - 1) for c in here]
    shares = [c.values[row] / t for c, t in zip(here, targets, strict=True)]
    share = min(shares)
    if not kinds or not bias or not 0 < share < 1 or max(shares) == share:
        return False
    length = ((epoch - since + 1) * kinds[0].batches - 1) / share
    rates = [(share * t, bias + (t - bias) * share) for t in targets]
    fit = all(_close(c.values[row], r, 2e-4) for c, r in zip(here, rates, strict=True))
    return fit and abs(length - round(length)) <= 2e-4 * length
