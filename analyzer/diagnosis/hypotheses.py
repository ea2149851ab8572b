"""Which faults may have made the observed row, the likeliest first, with parameters read from the evidence.

Pure: rows, arguments and findings in, hypotheses out. Every fault tells its own attempts and their places
(`analyzer.faults`); here the situation is told from the row, and what the audit names comes first.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from analyzer.domain.evidence import Severity
from analyzer.domain.rows import is_rate, is_train
from analyzer.faults.clues import Clues, Hypothesis
from analyzer.faults.fault import Situation
from analyzer.faults.rates import rate_ratios, simplest
from analyzer.faults.registry import faults

__all__ = ["LARGE", "completions", "hypotheses", "tried_in"]

LARGE = 0.05  # a relative change of the train losses that another optimizer state does not make


def hypotheses(clues: Clues) -> tuple[Hypothesis, ...]:
    """Every hypothesis that the row does not rule out, the likeliest first.

    Parameters
    ----------
    clues
        The evidence.

    Returns
    -------
    tuple of Hypothesis
        Those that the audit names come first, as a pair where it names two.
    """
    situation = _situation(clues)
    found = list(tried_in(situation, clues)) if situation is not None else []
    # What the resumed run was given by its arguments is part of the replay already.
    warnings = [f for f in clues.findings if f.severity is Severity.WARNING and f.id != "changed-arguments"]
    named = {f.cause: f for f in warnings}
    first = [h for h in found if h.ids[0] in named]
    heads = list({h.ids[0]: h for h in reversed(first)}.values())[::-1]  # the first of each id
    pairs = [_pair(heads[0], heads[1], "the audit names both")] if len(heads) >= 2 else []
    return (*pairs, *first, *(h for h in found if h not in first))


def completions(tried: Hypothesis, half: str, clues: Clues) -> tuple[Hypothesis, ...]:
    """Pairs that may give the rest of a row of which a hypothesis gave the training columns.

    Parameters
    ----------
    tried
        What was tried.
    half
        Which half of the row it gave, as in `Trial.half`.
    clues
        The evidence.
    """
    explained = half == "training" and any(is_train(c) for c in clues.differ)
    if not explained or len(tried.interventions) > 1:
        return ()
    why = f"{tried.ids[0]} alone gave the training columns"
    return tuple(_pair(tried, h, why) for h in tried_in(Situation.HALF_GIVEN, clues))


def tried_in(situation: Situation, clues: Clues) -> Iterator[Hypothesis]:
    """What the faults try in a situation, in the order of their places there."""
    attempts = [a for fault in faults().values() for a in fault.attempts() if situation in a.rank]
    for attempt in sorted(attempts, key=lambda a: a.rank[situation]):
        yield from attempt.give(clues)


def _pair(a: Hypothesis, b: Hypothesis, why: str) -> Hypothesis:
    """Both faults at once."""
    return Hypothesis((*a.interventions, *b.interventions), why)


def _situation(clues: Clues) -> Situation | None:
    """What the columns that differ say; None where learning rates differ that cannot be compared."""
    if any(is_rate(c) for c in clues.differ):
        ratios = rate_ratios(clues)
        if not np.isfinite(ratios).all():
            return None
        return Situation.RATES_ALIKE if len({simplest(r) for r in ratios}) == 1 else Situation.RATES_APART
    if not any(is_train(c) for c in clues.differ):
        return Situation.VALIDATION
    if "batch" in clues.later_args:  # halved when out of memory: what else is tried would lack it
        return Situation.BATCH_KNOWN
    if abs(clues.shift) >= LARGE:
        return Situation.FAR_LOWER if clues.shift < 0 else Situation.FAR_HIGHER
    return Situation.LOWER if clues.shift <= 0 else Situation.HIGHER
