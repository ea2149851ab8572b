"""Simulated faults in words: a table of them, and what the table does not say."""

from __future__ import annotations

from analyzer.diagnosis.twins import share_words
from analyzer.report.formatting import p_value, short_name, signed
from analyzer.report.model.simulated_faults import FaultEffect, SimulatedFault, SimulatedFaults

__all__ = ["HEAD", "confused_line", "rows", "selection_line"]

HEAD = ("twin", "seeds", "share", "tail p", "explains", "its effect on what moved most")


def rows(found: SimulatedFaults, most: int = 2) -> list[tuple[str, str, str, str, str, str]]:
    """The table, one row a twin and one each for healthy and "none of these"; columns as in `HEAD`."""
    table = [
        (arm.words, _seeds(arm), share_words(arm.share), p_value(arm.tail), f"{max(arm.explained, 0.0):.0%}",
         _effects(arm, most))
        if not arm.ruled_out
        else (arm.words, _seeds(arm), "-", "-", "-", arm.ruled_out)
        for arm in found.arms
    ]  # fmt: skip
    table.append(("healthy", str(found.replicates), share_words(found.healthy), "", "", ""))
    table.append(("none of these", "", share_words(found.none), "", "", ""))
    return table


def confused_line(found: SimulatedFaults) -> str:
    """Which pairs these seeds cannot tell apart; empty where all can be."""
    pairs = "; ".join(f"{a} and {b}" for a, b in found.confused)
    return f"not to be told apart with these seeds: {pairs}" if pairs else ""


def selection_line(found: SimulatedFaults) -> str:
    """What the intervals do not allow for; empty where there is none."""
    if not any(e.low is not None for arm in found.arms for e in arm.effects.values()):
        return ""
    return (
        "intervals are after selection: more seeds went to the twins whose first ones resembled the row, and what "
        "moves most is shown; they do not allow for either, so the foremost effects tend to lie too near the row"
    )


def _seeds(arm: SimulatedFault) -> str:
    return f"{arm.seeds} of {arm.seeds + arm.diverged}" if arm.diverged else str(arm.seeds)


def _effects(arm: SimulatedFault, most: int) -> str:
    """The metrics that it moves most, relative to what is known of each."""

    def certainty(item: tuple[str, FaultEffect]) -> float:
        effect = item[1]
        half = (effect.high - effect.low) / 2 if effect.high is not None and effect.low is not None else 0.0
        return abs(effect.effect) / half if half > 0 else 0.0

    ranked = sorted(arm.effects.items(), key=certainty, reverse=True)
    return ", ".join(f"{short_name(name)} {_effect(effect)}" for name, effect in ranked[:most])


def _effect(effect: FaultEffect) -> str:
    if effect.low is None:
        return signed(effect.effect)
    return f"{signed(effect.effect)} [{signed(effect.low)}, {signed(effect.high)}]"
