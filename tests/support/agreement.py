"""How far two executions agree on a device that may not be deterministic, as plain numbers for a JSON."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["agreement", "largest_difference"]


def largest_difference(a: Mapping[str, float], b: Mapping[str, float]) -> float:
    """Largest relative difference of two rows of the same columns; 0 where they are the same, 1 at most.

    Examples
    --------
    >>> largest_difference({"x": 2.0, "y": 0.0}, {"x": 1.0, "y": 0.0})
    0.5
    """
    if a.keys() != b.keys():
        raise ValueError(f"other columns: {sorted(a.keys() ^ b.keys())}")
    return max((abs(v - b[k]) / max(abs(v), abs(b[k])) for k, v in a.items() if v != b[k]), default=0.0)


def agreement(
    ours: Mapping[str, float], theirs: Mapping[str, float], other_seed: Mapping[str, float]
) -> dict[str, float | bool]:
    """Two rows of one seed, against what another seed makes of it.

    Returns
    -------
    dict
        ``identical``; ``difference``, the largest relative one; ``seed_difference``, that between two seeds, which the
        former must stay below for a seed to mean anything.
    """
    found = largest_difference(ours, theirs)
    return {"identical": found == 0.0, "difference": found, "seed_difference": largest_difference(ours, other_seed)}
