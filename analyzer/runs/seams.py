"""Find the epochs at which training was restarted, from results.csv alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analyzer.domain.run import History, Seam, SeamSign
from analyzer.errors import UsageError

__all__ = ["epoch_seconds", "find_seams", "seam_at", "why_no_seam"]

# An increment below this share of an epoch cannot be an epoch. Measured on the 102 real runs with times and no seam:
# right after the first row of a process ordinary increments reach down to 0.61 of the median, later ones to 0.46 (one
# of 10,704), so those need the stricter share; first epochs take up to 4.2 medians, so it holds too where few others
# are known.
_SHORT = 0.5
_SHORT_STRICT = 0.2
_FEW = 3
# `time` is taken from the wall clock. Where it falls to something that is no first epoch of a process (below zero, or
# many epochs long; first ones take up to 4.2 medians), the clock was set back in a running training: no seam.
_CLOCK = 20.0
_NEARBY = 50  # rows: epochs may become slower or faster for good, and long files stay cheap


def find_seams(history: History, args: Mapping[str, Any] | None = None) -> tuple[Seam, ...]:
    """All seams that results.csv shows, in row order.

    ``time`` counts from the start of the process that wrote the row, so at a seam it falls, or, after a process that
    wrote one or two rows, grows by less than an epoch takes. An epoch number that is not larger than the one before it
    shows a seam too: a repeat (an older checkpoint was resumed) or, back at the first number, a new run in the file.
    A ``time`` that falls to what no first epoch takes is a clock that was set back, and no seam.
    Without a ``time`` column (up to 8.3.5) a seam that repeats no epoch is invisible: see :func:`why_no_seam`.

    Parameters
    ----------
    history
        The results.csv.
    args
        Its args.yaml; a truthy ``resume`` is added to the evidence.

    Returns
    -------
    tuple of Seam
        Empty where nothing is visible.
    """
    starts: list[int] = [0]  # first rows of the processes so far
    seams: list[Seam] = []
    first = int(history.epochs.min()) if len(history) else 0
    steps = None if history.time is None else _steps(history.time)
    resumed = " args.yaml says resume." if args and args.get("resume") else ""
    for row in range(1, len(history)):
        found = _number_sign(history, row, first) or _time_sign(history, row, starts, steps)
        if found is None:
            continue
        starts.append(row)
        sign, evidence = found
        before = None if sign is SeamSign.RESTART else _before(history, row)
        seams.append(Seam(int(history.epochs[row]), row, before, sign, evidence + resumed))
    return tuple(seams)


def seam_at(history: History, epoch: int, args: Mapping[str, Any] | None = None) -> Seam:
    """Make the seam of ``--seam EPOCH``: its first resumed epoch as printed in results.csv.

    Where the number occurs more than once, the row at which a seam is visible is taken, else the last.

    Parameters
    ----------
    history
        The results.csv.
    epoch
        First resumed epoch, as printed.
    args
        As in :func:`find_seams`.

    Returns
    -------
    Seam
        With the sign ``GIVEN`` and, in its evidence, what is visible there.

    Raises
    ------
    UsageError
        The epoch is not in the file or is its first row.
    """
    rows = np.flatnonzero(history.epochs == epoch)
    span = f"{history.epochs.min()} to {history.epochs.max()}"
    if not len(rows):
        raise UsageError(f"--seam {epoch}: {history.path} has no such epoch.", f"Its epochs are {span}.")
    visible = [s for s in find_seams(history, args) if s.epoch == epoch]
    if visible:
        seam = visible[-1]
        return replace(seam, sign=SeamSign.GIVEN, evidence=f"Given; also visible: {seam.evidence}")
    row = int(rows[-1])
    before = _before(history, row)
    if row == 0 or before is None:
        hint = f"Give the first epoch after the resume (epochs {span})."
        raise UsageError(f"--seam {epoch}: no epoch before it in {history.path}.", hint)
    return Seam(epoch, row, before, SeamSign.GIVEN, "Given; results.csv shows no seam there.")


def why_no_seam(history: History, args: Mapping[str, Any] | None = None) -> str:
    """Say why no seam was found and what to do, in one or two sentences."""
    resumed = bool(args and args.get("resume"))
    said = " although args.yaml says resume" if resumed else ""
    if history.time is None:
        return (
            f"{history.path.name} has no `time` column (it came with Ultralytics 8.3.10), so a resume that repeats no "
            f"epoch is invisible there{said}; give --seam EPOCH, the first epoch after the resume."
        )
    if len(history) < 2:
        return f"{history.path.name} has one row only: there is no epoch before the seam."
    return (
        f"No seam in {history.path.name}{said}: `time` never falls to a first epoch's and no epoch repeats, so one "
        f"process wrote all {len(history)} rows; give --seam EPOCH if you know better."
    )


def epoch_seconds(history: History) -> float | None:
    """Median wall time of an epoch in seconds, without first epochs where others exist; None without times."""
    time = history.time
    if time is None:
        return None
    starts = {0} | {s.row for s in find_seams(history)}
    steps = [float(time[i] - time[i - 1]) for i in range(1, len(time)) if i not in starts]
    usable = [s for s in steps if np.isfinite(s) and s > 0] or [float(time[i]) for i in starts if np.isfinite(time[i])]
    return float(np.median(usable)) if usable else None


def _before(history: History, row: int) -> int | None:
    """Index of the last row before `row` with a smaller epoch number."""
    smaller = np.flatnonzero(history.epochs[:row] < history.epochs[row])
    return int(smaller[-1]) if len(smaller) else None


def _number_sign(history: History, row: int, first: int) -> tuple[SeamSign, str] | None:
    last, this = int(history.epochs[row - 1]), int(history.epochs[row])
    if this > last:
        return None
    if this == first and last != first:
        return SeamSign.RESTART, f"Epoch {last} is followed by epoch {this}: another run starts in the same file."
    return SeamSign.EPOCH_REPEATS, f"Epoch {last} is followed by epoch {this}."


def _time_sign(
    history: History, row: int, starts: list[int], steps: NDArray[np.float64] | None
) -> tuple[SeamSign, str] | None:
    time = history.time
    if time is None or steps is None or not np.isfinite(time[row]):
        return None
    last = next((i for i in range(row - 1, starts[-1] - 1, -1) if np.isfinite(time[i])), None)
    if last is None:
        begins = row >= _FEW and not np.isfinite(time[:row]).any() and bool(np.isfinite(time[row:]).all())
        text = f"`time` begins at epoch {history.epochs[row]}: the rows before are of a version that had none."
        return (SeamSign.TIME_BEGINS, text) if begins else None
    step = float(time[row] - time[last])
    reference, few = _epoch_without(steps, row)
    if step < 0:
        text = f"`time` falls from {time[last]:.6g} s (epoch {history.epochs[last]}) to {time[row]:.6g} s."
        clock = time[row] < 0 or (not few and time[row] > _CLOCK * reference)
        return None if clock else (SeamSign.TIME_FALLS, text)
    if last != row - 1:  # a row without a time lies between: the increment is not that of one epoch
        return None
    if step >= _least(time, steps, row, starts[-1], (reference, few)):
        return None
    text = f"`time` grows by {step:.4g} s only where an epoch takes {reference:.4g} s."
    return SeamSign.SHORT_INCREMENT, text


def _least(
    time: NDArray[np.float64], steps: NDArray[np.float64], row: int, start: int, around: tuple[float, bool]
) -> float:
    """What an increment must reach to be an epoch of the process that began in row `start`.

    Its own epochs tell how long one takes: another process may have run on another device.
    """
    reference, few = around
    if row - 1 > start:
        seen = steps[max(start + 1, row - _NEARBY) : row]
        seen = seen[np.isfinite(seen)]
        return _SHORT_STRICT * min(reference, float(np.median(seen)) if len(seen) else reference)
    first = float(time[start])  # no shorter than an epoch: the start of a process only adds to it
    if steps[row] >= _SHORT_STRICT * first and _goes_on(steps, row, float(steps[row])):
        return 0.0
    return (_SHORT_STRICT if few else _SHORT) * (min(reference, first) if first > 0 else reference)


def _goes_on(steps: NDArray[np.float64], row: int, step: float) -> bool:
    """Whether the next rows take as long as this one: a process on a faster device, not a short increment."""
    later = steps[row + 1 : row + 1 + _FEW]
    return len(later) == _FEW and bool(np.all((later > step * _SHORT) & (later < step / _SHORT)))


def _steps(time: NDArray[np.float64]) -> NDArray[np.float64]:
    """What each epoch took, as far as the column says: increments, and `time` itself where a process starts."""
    steps = np.diff(time, prepend=0.0)
    steps[steps < 0] = time[steps < 0]
    steps[~np.isfinite(steps) | (steps <= 0)] = np.nan
    return steps


def _epoch_without(steps: NDArray[np.float64], row: int) -> tuple[float, bool]:
    """Median duration of the rows around one (50 either way, else all) without it, and whether too few are known."""
    nearby = np.delete(steps[max(0, row - _NEARBY) : row + _NEARBY + 1], min(row, _NEARBY))
    nearby = nearby[np.isfinite(nearby)]
    others = nearby if len(nearby) >= _FEW else np.delete(steps, row)
    others = others[np.isfinite(others)]
    return (float(np.median(others)) if len(others) else 0.0), len(others) < _FEW
