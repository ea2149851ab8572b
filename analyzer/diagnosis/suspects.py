"""Which faults get twins where no replay is exact: families of hypotheses, the likeliest family first.

A replay tells which columns differ for certain; replicates only tell which ones moved by more than the seeds do. So
nothing is ruled out that moves too little to be seen, except by the learning rates: these have no noise.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from analyzer.diagnosis.clues import Clues, Hypothesis
from analyzer.diagnosis.hypotheses import hypotheses
from analyzer.diagnosis.rows import is_rate, is_train
from analyzer.domain.evidence import Severity

__all__ = ["Families", "suspects"]

Families = tuple[tuple[Hypothesis, ...], ...]

_LARGE = 0.05  # a relative change of the train losses that another optimizer state does not make
_MEMBERS: Mapping[str, frozenset[str]] = {
    "validation": frozenset({"ema-reset"}),
    "optimizer": frozenset({"optimizer-lost", "optimizer-changed", "batch-changed"}),
    "files": frozenset({"wrong-checkpoint", "weights-replaced"}),
    "images": frozenset({"mosaic-state", "augmentation-changed"}),
    "data": frozenset({"wrong-data", "head-rebuilt"}),
    "rates": frozenset({"lr-jump", "warmup-repeated", "not-a-resume"}),
}
_FILES = 2  # of each fault that takes another file


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
    families = [tuple(h for h in found if h.ids[0] in _MEMBERS[family]) for family in _order(clues, moved)]
    return tuple(family for family in families if family)


def _order(clues: Clues, moved: frozenset[str]) -> tuple[str, ...]:
    """Families by what moved; one that the audit warns of goes first."""
    if moved and not any(is_train(c) for c in moved):
        order = ["validation", "data", "files", "optimizer", "images"]
    elif clues.shift <= -_LARGE:
        order = ["images", "optimizer", "data", "files", "validation"]
    elif clues.shift >= _LARGE:
        order = ["files", "images", "data", "optimizer", "validation"]
    else:
        order = ["optimizer", "images", "files", "data", "validation"]
    warned = {f.cause for f in clues.findings if f.severity is Severity.WARNING}
    first = [family for family in order if _MEMBERS[family] & warned]
    return (*first, *(family for family in order if family not in first))


def _further(clues: Clues, found: list[Hypothesis]) -> Iterator[Hypothesis]:
    """Faults that no replay could give to every digit, or that a replay would not look for."""
    used = str(clues.args.get("optimizer", "auto")).lower()
    other = "AdamW" if used == "sgd" else "SGD"
    yield Hypothesis((("optimizer-changed", {"optimizer": other}),), f"{other} may have gone on without state")
    yield Hypothesis((("head-rebuilt", {}),), "the head may have started from random weights")
    names = [clues.names[i] for i in sorted(clues.names)]
    if len(names) > 1 and not any("order" in h.interventions[0][1] for h in found):
        order = [sorted(names).index(name) for name in names]
        order = order if order != sorted(order) else order[::-1]
        yield Hypothesis((("wrong-data", {"order": order}),), "the classes may have been put in another order")
    for h in [h for h in found if h.ids[0] == "weights-replaced"]:
        _, parameters = h.interventions[0]
        if not parameters.get("raw_only"):
            yield Hypothesis((("weights-replaced", {**parameters, "raw_only": True}),), f"{h.why}; the EMA kept")


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
