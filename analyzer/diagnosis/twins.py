"""From twins to an answer: which fault the row came from, how sure, or none of those that were tried."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from analyzer.domain.evidence import Cause, Certainty
from analyzer.faults.clues import Hypothesis
from analyzer.faults.registry import fault_of

__all__ = ["LEAST_SHARE", "Twin", "answer_of", "fits", "share_words", "shares_of", "suspected"]

LEAST_TAIL = 0.01  # a row this far out in the arm's own tail is not of that arm
LIKELY_SHARE = 0.8  # of a fault, all its twins together
LEAST_SHARE = 0.05  # to be named at all
LIKELY_SEEDS = 3  # of its foremost twin: one seed, where the budget ended the screen, is a hint
_KIN = 0.75  # a twin that takes away so much of the shift is of its kind, though its strength is another


@dataclass(frozen=True, slots=True)
class Twin:
    """One hypothesis, trained on seeds of the healthy arm.

    Parameters
    ----------
    hypothesis
        What was injected.
    n, diverged
        Seeds that ended well, and that diverged.
    share, tail, explained
        As in :class:`analyzer.stats.likelihood.Attributed`; 0 where it is ruled out.
    ruled_out
        Why it has no share: it could not be trained, diverged with every seed, or its learning rates are not those
        of the row.
    """

    hypothesis: Hypothesis
    n: int
    share: float = 0.0
    tail: float = 0.0
    explained: float = 0.0
    ruled_out: str = ""
    diverged: int = 0


def fits(twin: Twin) -> bool:
    """Whether the row lies where rows of this twin lie."""
    return not twin.ruled_out and twin.tail >= LEAST_TAIL


def shares_of(twins: Sequence[Twin]) -> dict[str, float]:
    """Fault, or faults joined by a plus, to its share over all its twins, the largest first."""
    found: dict[str, float] = {}
    for twin in twins:
        name = "+".join(twin.hypothesis.ids)
        found[name] = found.get(name, 0.0) + twin.share
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def share_words(share: float) -> str:
    """A share as a percentage that never claims certainty.

    Examples
    --------
    >>> share_words(0.9999), share_words(0.372), share_words(1e-9)
    ('> 99 %', '37 %', '< 1 %')
    """
    return "> 99 %" if share > 0.99 else "< 1 %" if share < 0.01 else f"{share:.0%}".replace("%", " %")


def answer_of(twins: Sequence[Twin], none: float, healthy: float) -> str:
    """Id of the fault that the row came from, "none of these", or "healthy".

    Parameters
    ----------
    twins
        All that were tried.
    none, healthy
        Shares of faults that nobody tried, and of the healthy arm.
    """
    shares = shares_of(twins)
    best = next(iter(shares), "")
    fitting = any(fits(t) for t in twins if "+".join(t.hypothesis.ids) == best)
    if healthy > max(none, shares.get(best, 0.0)):
        return "healthy"
    return best if fitting and shares[best] > none else "none of these"


def suspected(twins: Sequence[Twin], answer: str, seeds: int) -> Iterator[Cause]:
    """Causes that the twins speak for, none of them certain.

    Parameters
    ----------
    twins, answer
        The twins, and what `answer_of` said.
    seeds
        Replicates of the healthy arm.
    """
    if answer == "healthy":
        return
    if answer == "none of these":
        kin = [t for t in twins if not t.ruled_out and t.explained >= _KIN]
        for twin in sorted(kin, key=lambda t: -t.share)[:1]:
            nearest = f"{twin.hypothesis.words} comes nearest and explains {twin.explained:.0%} of it"
            text = f"No twin gives such a row; {nearest}."
            yield from _causes(twin, Certainty.POSSIBLE, text)
        return
    for fault, share in shares_of(twins).items():
        best = max((t for t in twins if "+".join(t.hypothesis.ids) == fault), key=lambda t: t.share)
        if share < LEAST_SHARE or not fits(best):
            continue
        likely = fault == answer and share >= LIKELY_SHARE and best.n >= LIKELY_SEEDS
        lost = f" ({best.diverged} more diverged)" if best.diverged else ""
        text = (
            f"Resumes with {best.hypothesis.words} on {best.n} of the healthy arm's {seeds} seeds{lost} give rows like "
            f"this one: {share_words(share)} of the likelihood, a healthy row and faults that were not tried included."
        )
        yield from _causes(best, Certainty.LIKELY if likely else Certainty.POSSIBLE, text)


def _causes(twin: Twin, certainty: Certainty, text: str) -> Iterator[Cause]:
    for fault in twin.hypothesis.ids:
        yield Cause(fault, certainty, (text,), fault_of(fault).remedy)
