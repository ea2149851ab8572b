"""Margins as the user writes them: ``train/box_loss=5%``, ``map=0.03``, ``loss=0.1``."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from math import isfinite

from analyzer.domain.metrics import Group, metric_of
from analyzer.errors import UsageError

__all__ = ["ALIASES", "parse_margins"]


def _is(*groups: Group) -> Callable[[str], bool]:
    return lambda column: (m := metric_of(column)) is not None and m.group in groups


def _headline(pattern: str) -> Callable[[str], bool]:
    return lambda column: re.search(pattern, column) is not None


# general first: a more particular term wins whatever the order in which both were given
ALIASES: Mapping[str, Callable[[str], bool]] = {
    "loss": _is(Group.TRAIN_LOSS, Group.VAL_LOSS),
    "train": _is(Group.TRAIN_LOSS),
    "val": _is(Group.VAL_LOSS),
    "map": _headline(r"metrics/mAP"),
    "accuracy": _headline(r"metrics/accuracy_top"),
    "map50": _headline(r"metrics/mAP(50|_0\.5)(\(|$)"),
    "map50-95": _headline(r"metrics/mAP(50-95|_0\.5:0\.95)(\(|$)"),
}


def parse_margins(terms: Sequence[str], columns: Sequence[str], reference: Mapping[str, float]) -> dict[str, float]:
    """Read margins; a percentage is of the column's reference value.

    Parameters
    ----------
    terms
        ``NAME=VALUE``: NAME is an alias (`ALIASES`), an exact column, or the part of a column after its last slash
        (``box_loss``); VALUE a positive number in metric units or a percentage (``5%``). The more particular name wins
        over the more general, among equals the later term.
    columns
        Metric columns of the run.
    reference
        Column to the value that percentages refer to: the last one before the seam.

    Returns
    -------
    dict
        Column to margin, metric units, only for columns that a term names.

    Raises
    ------
    UsageError
        Naming the term: no ``=``, unknown name, no positive number, a percentage without a reference value.

    Examples
    --------
    >>> parse_margins(["loss=0.1", "train/box_loss=5%"], ["train/box_loss", "val/box_loss"], {"train/box_loss": 2.0})
    {'train/box_loss': 0.1, 'val/box_loss': 0.1}
    """
    parsed = [_term(text, columns) for text in terms]
    margins: dict[str, float] = {}
    for _, named, text, value, percent in sorted(parsed, key=lambda p: p[0]):
        for column in named:
            margins[column] = _value(text, column, value, percent, reference)
    return margins


def _term(text: str, columns: Sequence[str]) -> tuple[int, list[str], str, float, bool]:
    name, equals, written = text.rpartition("=")
    name, written = name.strip(), written.strip()
    if not equals or not name:
        raise UsageError(f"--margin {text!r} is not NAME=VALUE.", "Write for example map=0.03 or train/box_loss=5%.")
    percent = written.endswith("%")
    try:
        value = float(written.removesuffix("%"))
    except ValueError:
        value = float("nan")
    if not (isfinite(value) and value > 0):
        raise UsageError(
            f"--margin {text!r}: {written!r} is no positive number or percentage.", "Write for example 0.03 or 5%."
        )
    rank, named = _columns(name, columns)
    if not named:
        known = ", ".join([*ALIASES, *columns])
        raise UsageError(f"--margin {text!r}: this run has no metric {name!r}.", f"Names: {known}.")
    return rank, named, text, value, percent


def _columns(name: str, columns: Sequence[str]) -> tuple[int, list[str]]:
    """How particular the name is, and the columns it means."""
    if name in columns:
        return len(ALIASES) + 1, [name]
    aliases = list(ALIASES)
    if name.lower() in aliases:
        return aliases.index(name.lower()), [c for c in columns if ALIASES[name.lower()](c)]
    return len(ALIASES), [c for c in columns if c.rpartition("/")[2] == name]


def _value(text: str, column: str, value: float, percent: bool, reference: Mapping[str, float]) -> float:
    if not percent:
        return value
    base = reference.get(column, float("nan"))
    if not isfinite(base) or base == 0:
        raise UsageError(
            f"--margin {text!r}: {column} has no value before the seam that a percentage could refer to.",
            "Give the margin in metric units.",
        )
    return abs(base) * value / 100
