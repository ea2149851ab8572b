"""How far the weights moved between two checkpoints, and what was trained behind a slow average; read without torch.

A checkpoint holds the average (EMA) of the weights, not the weights. After n updates with decay d it has moved by the
share 1 - d^n towards what was trained, so dividing by that share gives back the mean of the trained weights.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analyzer.domain.checkpoint import Checkpoint
from analyzer.errors import CheckpointError
from analyzer.runs.tensors import read_weights

__all__ = ["LEAST_SHARE", "PartMove", "Weights", "distance", "moves", "trained_between"]

Weights = Mapping[str, NDArray[np.float32]]

#: Below this share the rounding of fp16 files (4e-4 of a weight) would be more than a tenth of the result.
LEAST_SHARE = 0.004
_FARTHEST = 3.0  # lengths; weights of an unrelated training are about sqrt(2) away
_DECAY, _TAU = 0.9999, 2000.0  # of Ultralytics' ModelEMA


@dataclass(frozen=True, slots=True)
class PartMove:
    """How one part of the model moved.

    Parameters
    ----------
    part
        "body" (backbone and neck), or a branch of the head by its name ("cv2", "cv3" ...).
    correlation
        Of its weights before and after, in [-1, 1]; 1 where it did not move.
    distance
        Euclidean, relative to the length before.
    """

    part: str
    correlation: float
    distance: float


def trained_between(before: Checkpoint, after: Checkpoint, *, trust: bool = False) -> tuple[Weights, Weights] | None:
    """Weights before, and the mean of those that were trained between two checkpoints.

    Returns
    -------
    tuple of two mappings or None
        Layer to numbers, flat; the same layers in both. None where they cannot be had: other layers, a checkpoint that
        cannot be read, or an average that hardly moved.
    """
    try:
        old, new = read_weights(before.path, trust=trust), read_weights(after.path, trust=trust)
    except CheckpointError:
        return None
    shared = [n for n in old if n in new and old[n].shape == new[n].shape]
    share = _share(before.updates, after.updates)
    if not shared or len(shared) < len(old) or share < LEAST_SHARE:
        return None
    start = {n: old[n] for n in shared}
    trained = {n: old[n] + (new[n] - old[n]) / np.float32(share) for n in shared}
    if distance(trained, start) > _FARTHEST:  # the average itself was replaced, so it is what was trained from
        trained = {n: new[n] for n in shared}
    return start, trained


def moves(old: Weights, new: Weights) -> tuple[PartMove, ...]:
    """Move of the body and of every branch of the head.

    Parameters
    ----------
    old, new
        The same layers; the head is the last module (``model.N``).
    """
    last = max((int(p[1]) for n in old if (p := n.split("."))[0] == "model" and p[1].isdigit()), default=-1)
    parts: dict[str, list[str]] = {}
    for name in old:
        pieces = name.split(".")
        in_head = pieces[0] == "model" and pieces[1] == str(last) and len(pieces) > 2
        parts.setdefault(pieces[2] if in_head else "body", []).append(name)
    return tuple(_move(part, _flat(old, names), _flat(new, names)) for part, names in parts.items())


def distance(a: Weights, b: Weights) -> float:
    """Euclidean distance relative to the length of `b`; infinite where the layers differ."""
    if a.keys() != b.keys() or any(a[n].shape != b[n].shape for n in a):
        return math.inf
    x, y = _flat(a, list(a)), _flat(b, list(a))
    return float(np.linalg.norm(x - y) / (np.linalg.norm(y) or 1.0))


def _share(before: int | None, after: int | None) -> float:
    """By which share the average moved towards the trained weights; 1 where the counter does not say."""
    if before is None or after is None or after <= before:
        return 1.0
    kept = np.log(_DECAY * -np.expm1(-np.arange(before + 1, after + 1) / _TAU)).sum()
    return float(-np.expm1(kept))


def _move(part: str, x: NDArray[np.float32], y: NDArray[np.float32]) -> PartMove:
    spread = float(x.std() * y.std())
    correlation = float(((x - x.mean()) * (y - y.mean())).mean() / spread) if spread else 1.0
    return PartMove(part, correlation, float(np.linalg.norm(y - x) / (np.linalg.norm(x) or 1.0)))


def _flat(weights: Weights, names: list[str]) -> NDArray[np.float32]:
    return np.concatenate([weights[n] for n in names])
