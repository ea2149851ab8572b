"""What the tensors of a checkpoint say: finite or not, number format, share of zeros; read without torch.

The numbers come from `analyzer.runs.tensor_archive`, so no class is imported and no settings file of Ultralytics is
made.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analyzer.runs.checkpoint import scan_checkpoint
from analyzer.runs.pickle_scan import Inert, Tensor
from analyzer.runs.tensor_archive import Archive

__all__ = ["GroupFacts", "MomentFacts", "OptimizerFacts", "TensorFacts", "read_tensors", "read_weights"]


@dataclass(frozen=True, slots=True)
class GroupFacts:
    """One parameter group of the optimizer.

    Parameters
    ----------
    name
        "weight", "bn", "bias", "muon"; None in versions that do not name it.
    parameters
        Number of parameters in it.
    options
        Its numbers and switches: ``lr``, ``initial_lr``, ``betas`` ...
    """

    name: str | None
    parameters: int
    options: Mapping[str, Any]

    @property
    def initial_lr(self) -> float | None:
        """The learning rate from which the schedule starts."""
        value = self.options.get("initial_lr")
        return float(value) if isinstance(value, (int, float)) else None


@dataclass(frozen=True, slots=True)
class MomentFacts:
    """All tensors of one kind of optimizer state (``exp_avg_sq`` ...).

    Parameters
    ----------
    formats
        Number formats that occur, sorted.
    elements
        Numbers in all.
    zeros
        Share that is exactly zero, 0 to 1.
    finite
        Whether every one is finite.
    """

    formats: tuple[str, ...]
    elements: int
    zeros: float
    finite: bool


@dataclass(frozen=True, slots=True)
class OptimizerFacts:
    """The stored optimizer.

    Parameters
    ----------
    groups
        Its parameter groups, in order.
    states
        Number of parameters that have a state.
    steps
        The distinct values of the ``step`` counters, ascending; empty for SGD.
    moments
        Kind of state to its facts.
    vanished
        Share of the elements with a first moment (above 1e-12) whose second moment is exactly zero; None without both.
    """

    groups: tuple[GroupFacts, ...]
    states: int
    steps: tuple[float, ...]
    moments: Mapping[str, MomentFacts]
    vanished: float | None


@dataclass(frozen=True, slots=True)
class TensorFacts:
    """What the tensors of a checkpoint say.

    Parameters
    ----------
    weights
        Number of floating-point parameters and buffers of the stored model.
    not_finite
        Names of those that hold NaN or infinity.
    optimizer
        None where none is stored.
    scaler
        State of the AMP scaler; empty where it was off or not saved.
    has_scaler_entry
        Whether the version saves it at all.
    """

    weights: int
    not_finite: tuple[str, ...]
    optimizer: OptimizerFacts | None
    scaler: Mapping[str, Any] = field(default_factory=dict)
    has_scaler_entry: bool = False


def read_tensors(path: Path, *, trust: bool = False) -> TensorFacts:
    """Read the facts of all tensors; about a second for a gigabyte.

    Parameters
    ----------
    path
        A ``.pt`` that Ultralytics wrote while training.
    trust
        As in :func:`analyzer.runs.checkpoint.read_checkpoint`; nothing is imported or run in either case.

    Raises
    ------
    CheckpointError
        As in :func:`analyzer.runs.checkpoint.read_checkpoint`, or the numbers of a tensor are missing.
    """
    raw, payload = scan_checkpoint(path, trust=trust)
    archive = Archive(path, raw)
    model = payload.get("ema") or payload.get("model")
    weights = [(n, t) for n, t in _weights(model, "", set()) if archive.format(t)]
    broken = tuple(n for n, t in weights if not _finite(archive.numbers(t)))
    scaler = payload.get("scaler")
    stored = payload.get("optimizer")
    return TensorFacts(
        weights=len(weights),
        not_finite=broken,
        optimizer=_optimizer(archive, stored) if isinstance(stored, dict) and stored.get("param_groups") else None,
        scaler=dict(scaler) if isinstance(scaler, dict) else {},
        has_scaler_entry="scaler" in payload,
    )


def read_weights(path: Path, *, trust: bool = False) -> dict[str, NDArray[np.float32]]:
    """Layer to its numbers, flat, as fp32; parameters of at least two dimensions only (no biases, no norms).

    Parameters
    ----------
    path, trust
        As in :func:`read_tensors`.

    Raises
    ------
    CheckpointError
        As in :func:`read_tensors`.
    """
    raw, payload = scan_checkpoint(path, trust=trust)
    archive = Archive(path, raw)
    named = _weights(payload.get("ema") or payload.get("model"), "", set())
    return {n: archive.numbers(t).astype(np.float32) for n, t in named if len(t.shape) >= 2 and archive.format(t)}


def _pieces(numbers: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """Parts of a million: what is made of them stays in the processor's cache."""
    yield from (numbers[i : i + 1_000_000] for i in range(0, len(numbers), 1_000_000))


def _finite(numbers: NDArray[Any]) -> bool:
    return all(bool(np.isfinite(piece).all()) for piece in _pieces(numbers))


def _weights(module: object, prefix: str, seen: set[int]) -> Iterator[tuple[str, Tensor]]:
    """Parameters and buffers of a stand-in module and its children, by their dotted names."""
    if not isinstance(module, Inert) or id(module) in seen:
        return
    seen.add(id(module))
    for kind in ("_parameters", "_buffers"):
        held = vars(module).get(kind)
        for name, value in held.items() if isinstance(held, dict) else ():
            if isinstance(value, Tensor):
                yield f"{prefix}{name}", value
    children = vars(module).get("_modules")
    for name, child in children.items() if isinstance(children, dict) else ():
        yield from _weights(child, f"{prefix}{name}.", seen)


def _optimizer(archive: Archive, stored: Mapping[str, Any]) -> OptimizerFacts:
    groups = tuple(
        GroupFacts(
            str(g["param_group"]) if "param_group" in g else None,
            len(g.get("params") or ()),
            {str(k): v for k, v in g.items() if k != "params"},
        )
        for g in stored["param_groups"]
        if isinstance(g, dict)
    )
    raw_state = stored.get("state")
    states = [s for s in (raw_state.values() if isinstance(raw_state, dict) else ()) if isinstance(s, dict) and s]
    kinds = sorted({str(k) for s in states for k, v in s.items() if k != "step" and isinstance(v, Tensor)})
    steps = {_number(archive, s["step"]) for s in states if "step" in s}
    moments = {kind: _moment(archive, [s[kind] for s in states if isinstance(s.get(kind), Tensor)]) for kind in kinds}
    return OptimizerFacts(groups, len(states), tuple(sorted(steps)), moments, _vanished(archive, states))


def _number(archive: Archive, value: object) -> float:
    if isinstance(value, Tensor):
        return float(archive.numbers(value)[0]) if archive.format(value) else math.nan
    return float(value) if isinstance(value, (int, float)) else math.nan


def _moment(archive: Archive, tensors: list[Tensor]) -> MomentFacts:
    formats = {f for f in map(archive.format, tensors) if f}
    elements = zeros = 0
    finite = True
    for tensor in tensors:
        if archive.format(tensor):
            numbers = archive.numbers(tensor)
            elements += len(numbers)
            zeros += len(numbers) - int(np.count_nonzero(numbers))
            finite = finite and _finite(numbers)
    return MomentFacts(tuple(sorted(formats)), elements, zeros / elements if elements else 0.0, finite)


def _vanished(archive: Archive, states: list[dict[str, Any]]) -> float | None:
    alive = gone = 0
    for state in states:
        first, second = state.get("exp_avg"), state.get("exp_avg_sq")
        if not (isinstance(first, Tensor) and isinstance(second, Tensor)) or first.shape != second.shape:
            continue
        if not (archive.format(first) and archive.format(second)):
            continue
        for a, b in zip(_pieces(archive.numbers(first)), _pieces(archive.numbers(second)), strict=True):
            moved = np.abs(a) > 1e-12
            alive += int(np.count_nonzero(moved))
            gone += int(np.count_nonzero(moved & (b == 0)))
    return gone / alive if alive else None
