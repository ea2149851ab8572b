"""Which faults are simulated where no repeat is exact: families of hypotheses, the likeliest family first.

A replay tells which columns differ for certain; replicates only tell which ones moved by more than the seeds do. So
nothing is ruled out that moves too little to be seen, except by the learning rates: these have no noise.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from analyzer.diagnosis.hypotheses import LARGE, hypotheses, tried_in
from analyzer.domain.evidence import Severity
from analyzer.domain.rows import is_rate, is_train
from analyzer.faults.clues import Clues, Hypothesis
from analyzer.faults.fault import Family, Situation
from analyzer.faults.registry import fault_of, faults

__all__ = ["Families", "suspects"]

Families = tuple[tuple[Hypothesis, ...], ...]

_FILES = 2  # of each fault that takes another file
_F = Family


def suspects(clues: Clues, moved: frozenset[str]) -> Families:
    """Families of hypotheses, each hypothesis with its parameters.

    Parameters
    ----------
    clues
        With the mean of the null as `replayed`; `differ` holds every column that is not the same there.
    moved
        Columns whose shift is more than noise.
    """
    if any(is_rate(c) for c in clues.differ):
        return (hypotheses(clues),)
    halves = [[c for c in clues.differ if is_train(c) is half] for half in (True, False)]
    found = [h for half in halves if half for h in hypotheses(replace(clues, differ=half)) if len(h.interventions) == 1]
    found = _few_files(list({h.words: h for h in (*found, *_further(clues, found))}.values()))
    families = [tuple(h for h in found if fault_of(h.ids[0]).family is family) for family in _order(clues, moved)]
    return tuple(family for family in families if family)


def _order(clues: Clues, moved: frozenset[str]) -> tuple[Family, ...]:
    """Every family, by what moved; one that the audit warns of goes first."""
    if moved and not any(is_train(c) for c in moved):
        order = [_F.VALIDATION, _F.DATA, _F.FILES, _F.OPTIMIZER, _F.IMAGES]
    elif clues.shift <= -LARGE:
        order = [_F.IMAGES, _F.OPTIMIZER, _F.DATA, _F.FILES, _F.VALIDATION]
    elif clues.shift >= LARGE:
        order = [_F.FILES, _F.IMAGES, _F.DATA, _F.OPTIMIZER, _F.VALIDATION]
    else:
        order = [_F.OPTIMIZER, _F.IMAGES, _F.FILES, _F.DATA, _F.VALIDATION]
    order += [family for family in Family if family not in order]
    warned = {f.cause for f in clues.findings if f.severity is Severity.WARNING}
    named = {fault.family for fault in faults().values() if fault.id in warned}
    return tuple(sorted(order, key=lambda family: family not in named))


def _further(clues: Clues, found: list[Hypothesis]) -> Iterator[Hypothesis]:
    """Faults that no replay could give to every digit, and other strengths of those it would look for."""
    yield from tried_in(Situation.SIMULATED, clues)
    for h in found:
        yield from fault_of(h.ids[0]).strengths(h)


def _few_files(found: list[Hypothesis]) -> list[Hypothesis]:
    """No more than a few files of each fault that takes one, in the order given."""
    kept: list[Hypothesis] = []
    counted: dict[tuple[str, bool], int] = {}
    for h in found:
        fault, parameters = h.interventions[0]
        if "path" in parameters:
            key = fault, bool(parameters.get("raw_only"))
            counted[key] = counted.get(key, 0) + 1
            if counted[key] > _FILES:
                continue
        kept.append(h)
    return kept
