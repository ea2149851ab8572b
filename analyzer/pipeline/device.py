"""Where the replicates are trained, and what that means for the null."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

from analyzer.errors import UsageError

__all__ = ["Device", "choose_device", "named_device"]


@dataclass(frozen=True, slots=True)
class Device:
    """A device.

    Parameters
    ----------
    argument
        As Ultralytics takes it: "cpu", "0", "mps".
    words
        As it is shown, e.g. "cuda:0 (NVIDIA A100)".
    note
        Why the null is only approximate there; empty where the run had the same kind of device.
    hardware
        What names the study: devices of one kind train the same replicates, e.g. "cuda (NVIDIA A100)".
    """

    argument: str
    words: str
    note: str = ""
    hardware: str = ""


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
        For a run on several GPUs the first one, with a note: a null of one GPU is too narrow for it (its train
        losses are one shard's, its BatchNorm sees smaller batches).
    """
    if torch is None:
        torch = importlib.import_module("torch")
    text = ",".join(map(str, trained_on)) if isinstance(trained_on, (list, tuple)) else str(trained_on or "")
    cuda = bool(torch.cuda.is_available())
    if wanted is not None:
        return named_device(wanted, torch)
    if text.lower() in ("cpu", "mps"):
        return Device(text.lower(), text.lower(), hardware=text.lower())
    gpus = _indices(text) if text.lower() not in ("", "none", "cuda", "-1") else ["0"]
    if cuda:
        count = len(gpus)
        note = f"The run used {count} GPUs; a null of one GPU is only approximate for it." if count > 1 else ""
        known = [g for g in gpus if g.isdigit() and int(g) < torch.cuda.device_count()]
        return _named(known[:1] or ["0"], torch, note)
    if text.lower() in ("", "none"):
        return Device("cpu", "cpu", hardware="cpu")  # automatic, and no GPU is here: what the run had is not known
    return Device(
        "cpu", "cpu", f"The run used device {text!r}, which is not here: a null made on CPU is approximate.", "cpu"
    )


def named_device(wanted: str, torch: Any, *, option: str = "--device") -> Device:
    """What an option that names one device means here.

    Raises
    ------
    UsageError
        No such device is here; of several GPUs only one can be used.
    """
    name = wanted.strip().lower()
    if name == "cpu" or (name == "mps" and torch.backends.mps.is_available()):
        return Device(name, name, hardware=name)
    gpus = ["0"] if name == "cuda" else _indices(name)
    here = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if len(gpus) == 1 and gpus[0].isdecimal() and int(gpus[0]) < here:
        return _named(gpus, torch, "")
    known = ["cpu", *map(str, range(here))]
    raise UsageError(f"{option} {wanted!r}: no such single device is here.", f"Choose one of {', '.join(known)}.")


def _named(index: list[str], torch: Any, note: str) -> Device:
    name = index[0]
    if name.isdigit() and torch.cuda.is_available():
        model = torch.cuda.get_device_name(int(name))
        return Device(name, f"cuda:{name} ({model})", note, f"cuda ({model})")
    return Device(name, name, note, name)
