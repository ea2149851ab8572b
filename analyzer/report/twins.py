"""Twins in a report: what was tried, which share of the likelihood each has, and what each does to the metrics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from analyzer.diagnosis.twins import share_words
from analyzer.report.formatting import p_value, short_name, signed

__all__ = ["TwinArm", "TwinEffect", "Twins", "confused_line", "rows", "selection_line", "share_words"]

HEAD = ("twin", "seeds", "share", "tail p", "explains", "its effect on what moved most")


@dataclass(frozen=True, slots=True)
class TwinEffect:
    """What a fault does to one metric, paired by seed; metric units.

    Parameters
    ----------
    effect
        Mean of twin minus healthy replicate of the same seed.
    low, high
        Two-sided 95 % t confidence interval; None with one seed.
    """

    effect: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class TwinArm:
    """One fault that was injected on seeds of the healthy arm.

    Parameters
    ----------
    id
        Of the fault, as in docs/FAULTS.md; two at once are joined by a plus.
    words
        The fault with its parameters.
    why
        What speaks for it.
    seeds, diverged
        How many replicates ended well, and how many diverged.
    share
        Posterior probability among all arms and "none of these".
    tail
        Probability that a row of this arm lies as far out as the observed one.
    explained
        Part of the squared distance from the healthy mean that it takes away.
    ruled_out
        Why it has no share; empty where it has one.
    effects
        Metric to its paired effect.
    """

    id: str
    words: str
    why: str
    seeds: int
    share: float
    tail: float
    explained: float
    ruled_out: str = ""
    effects: Mapping[str, TwinEffect] = field(default_factory=dict)
    diverged: int = 0


@dataclass(frozen=True, slots=True)
class Twins:
    """Attribution of the row to faults by likelihood.

    Parameters
    ----------
    answer
        Id of the fault, "none of these" or "healthy".
    summary
        One sentence.
    arms
        The twins, the largest share first.
    healthy, none
        Shares of a healthy resume and of faults that were not tried.
    confused
        Pairs of twins that these seeds cannot tell apart, in words.
    untried
        Hypotheses that were not trained.
    columns
        Metrics in the likelihood.
    replicates
        Of the healthy arm.
    epochs
        Trained for it now.
    """

    answer: str
    summary: str
    arms: tuple[TwinArm, ...]
    healthy: float
    none: float
    confused: tuple[tuple[str, str], ...]
    untried: tuple[str, ...]
    columns: tuple[str, ...]
    replicates: int
    epochs: int


def rows(twins: Twins, most: int = 2) -> list[tuple[str, str, str, str, str, str]]:
    """The table, one row a twin and one each for healthy and "none of these"; columns as in `HEAD`."""
    table = [
        (arm.words, _seeds(arm), share_words(arm.share), p_value(arm.tail), f"{max(arm.explained, 0.0):.0%}",
         _effects(arm, most))
        if not arm.ruled_out
        else (arm.words, _seeds(arm), "-", "-", "-", arm.ruled_out)
        for arm in twins.arms
    ]  # fmt: skip
    table.append(("healthy", str(twins.replicates), share_words(twins.healthy), "", "", ""))
    table.append(("none of these", "", share_words(twins.none), "", "", ""))
    return table


def confused_line(twins: Twins) -> str:
    """Which pairs these seeds cannot tell apart; empty where all can be."""
    pairs = "; ".join(f"{a} and {b}" for a, b in twins.confused)
    return f"not to be told apart with these seeds: {pairs}" if pairs else ""


def selection_line(twins: Twins) -> str:
    """What the intervals do not allow for; empty where there is none."""
    if not any(e.low is not None for arm in twins.arms for e in arm.effects.values()):
        return ""
    return (
        "intervals are after selection: more seeds went to the twins whose first ones resembled the row, and what "
        "moves most is shown; they do not allow for either, so the foremost effects tend to lie too near the row"
    )


def _seeds(arm: TwinArm) -> str:
    return f"{arm.seeds} of {arm.seeds + arm.diverged}" if arm.diverged else str(arm.seeds)


def _effects(arm: TwinArm, most: int) -> str:
    """The metrics that it moves most, relative to what is known of each."""

    def certainty(item: tuple[str, TwinEffect]) -> float:
        effect = item[1]
        half = (effect.high - effect.low) / 2 if effect.high is not None and effect.low is not None else 0.0
        return abs(effect.effect) / half if half > 0 else 0.0

    ranked = sorted(arm.effects.items(), key=certainty, reverse=True)
    return ", ".join(f"{short_name(name)} {_effect(effect)}" for name, effect in ranked[:most])


def _effect(effect: TwinEffect) -> str:
    if effect.low is None:
        return signed(effect.effect)
    return f"{signed(effect.effect)} [{signed(effect.low)}, {signed(effect.high)}]"
