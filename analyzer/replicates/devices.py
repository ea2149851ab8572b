"""Where the replicates are trained, and what that means for the null."""

from __future__ import annotations

import importlib
from dataclasses import dataclass, replace
from typing import Any

from analyzer.errors import UsageError

__all__ = ["Device", "approximate", "as_many", "choose_device", "count", "gpu_share", "named_device", "shares_device"]


@dataclass(frozen=True, slots=True)
class Device:
    """A device.

    Parameters
    ----------
    argument
        As Ultralytics takes it: "cpu", "0", "mps"; "0,1" trains on both at once.
    words
        As it is shown, e.g. "cuda:0 (NVIDIA A100)".
    note
        Why the null is only approximate there; empty where the run had as many devices of the same kind.
    hardware
        What names the study: devices of one kind train the same replicates, e.g. "cuda (NVIDIA A100)".
    """

    argument: str
    words: str
    note: str = ""
    hardware: str = ""


def count(device: str) -> int:
    """Ranks of a job: devices that Ultralytics' ``device`` argument names, separated by commas."""
    return device.count(",") + 1


def _indices(text: str) -> list[str]:
    cleaned = text.lower().replace("cuda:", "").strip("[]() ")
    return [p.strip() for p in cleaned.split(",") if p.strip()]


def choose_device(wanted: str | None, trained_on: Any, *, torch: Any = None) -> Device:
    """The wanted device, else the one that the run had, else the best that is here.

    Parameters
    ----------
    wanted
        ``--device``, or None.
    trained_on
        ``device`` of the run's arguments: "cpu", "0", "0,1", [0, 1], "", None (automatic: CUDA where there is one).
    torch
        The torch module; a fake in tests.

    Returns
    -------
    Device
        For a run on several GPUs as many, those of the same number where they are here. Where there are fewer, the
        first one, with a note: a null of one GPU is another null (the run's train losses are one shard's, its BatchNorm
        sees smaller batches).
    """
    if torch is None:
        torch = importlib.import_module("torch")
    device = named_device(wanted, torch) if wanted is not None else _like(_text(trained_on), torch)
    return replace(device, note=approximate(device.argument, trained_on))


def _text(trained_on: Any) -> str:
    if trained_on is None:
        return ""
    text = ",".join(map(str, trained_on)) if isinstance(trained_on, (list, tuple)) else str(trained_on)  # 0 is a GPU
    return text.lower()


def _gpus(text: str) -> list[str]:
    """The GPUs of a run; one where Ultralytics chose, none where it was no GPU."""
    if text in ("cpu", "mps"):
        return []
    return ["0"] if text in ("", "none", "cuda", "-1") else _indices(text)


def _like(text: str, torch: Any) -> Device:
    """As many devices of the run's kind as it had, where they are here."""
    gpus = _gpus(text)
    if not gpus:
        return Device(text, text, hardware=text)
    here = [str(i) for i in range(torch.cuda.device_count())] if torch.cuda.is_available() else []
    if not here:
        return Device("cpu", "cpu", hardware="cpu")
    known = [g for g in gpus if g in here]
    if len(gpus) > len(here):
        return _named(known[:1] or here[:1], torch)
    return _named(known if len(known) == len(gpus) else here[: len(gpus)], torch)


def approximate(argument: str, trained_on: Any) -> str:
    """Why a null of the device `argument` is only approximate for the run; empty where it had as many of that kind.

    Parameters
    ----------
    argument
        As Ultralytics takes it.
    trained_on
        As for `choose_device`.
    """
    text = _text(trained_on)
    if text in ("", "none"):
        return ""  # automatic: what the run had is not known
    gpus = _gpus(text)
    if not gpus or argument in ("cpu", "mps"):
        same = argument == text
        return "" if same else f"The run used device {text!r}: a null made on {_kind(argument)} is approximate."
    if len(gpus) == count(argument):
        return ""
    return f"The run used {len(gpus)} GPUs: a null made on {count(argument)} is only approximate for it."


def as_many(hardware: str, trained_on: Any) -> bool:
    """Whether a null of that hardware was made on as many devices as the run had; where it chose itself, it had one.

    Parameters
    ----------
    hardware
        As `Device` names it.
    trained_on
        As for `choose_device`.

    Examples
    --------
    >>> as_many("2 x cuda (NVIDIA A100)", "0,1"), as_many("cuda (NVIDIA A100)", [0, 1]), as_many("cpu", "cpu")
    (True, False, True)
    """
    times = hardware.partition(" x ")[0]
    return (int(times) if times.isdecimal() else 1) == max(len(_gpus(_text(trained_on))), 1)


def gpu_share(argument: str, trained_on: Any) -> float:
    """GPUs of the device `argument` over those of the run, at most 1: an epoch takes as much longer there.

    Parameters
    ----------
    argument, trained_on
        As for `approximate`.

    Examples
    --------
    >>> gpu_share("0", "0,1"), gpu_share("0,1", [0, 1]), gpu_share("0,1", "0"), gpu_share("0", "cpu")
    (0.5, 1.0, 1.0, 1.0)
    """
    return min(count(argument) / max(len(_gpus(_text(trained_on))), 1), 1.0)


def shares_device(argument: str, trained_on: Any) -> bool:
    """Whether the device `argument` is one that the run takes; one that it took by itself may be any.

    Parameters
    ----------
    argument, trained_on
        As for `approximate`.
    """
    text = _text(trained_on)
    return text in ("", "none", "cuda", "-1") or not set(_indices(argument)).isdisjoint(_indices(text))


def _kind(argument: str) -> str:
    return {"cpu": "CPU", "mps": "mps"}.get(argument, "GPU")


def named_device(wanted: str, torch: Any, *, option: str = "--device") -> Device:
    """What an option that names a device means here; ``--device 0,1`` is one job on two GPUs.

    Raises
    ------
    UsageError
        No such device is here.
    """
    name = wanted.strip().lower()
    if name == "cpu" or (name == "mps" and torch.backends.mps.is_available()):
        return Device(name, name, hardware=name)
    gpus = ["0"] if name == "cuda" else _indices(name)
    here = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if gpus and len(set(gpus)) == len(gpus) and all(g.isdecimal() and int(g) < here for g in gpus):
        return _named(gpus, torch)
    known = ["cpu", *map(str, range(here))]
    raise UsageError(f"{option} {wanted!r}: no such device is here.", f"Choose from {', '.join(known)}.")


def _named(indices: list[str], torch: Any) -> Device:
    models = " + ".join(dict.fromkeys(torch.cuda.get_device_name(int(i)) for i in indices))
    name = ",".join(indices)
    times = f"{len(indices)} x " if len(indices) > 1 else ""
    return Device(name, f"{times}cuda:{name} ({models})", hardware=f"{times}cuda ({models})")
