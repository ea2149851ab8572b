"""The checkpoint copy that a replicate resumes from: its arguments point to scratch, nothing else is touched."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from analyzer.errors import CheckpointError
from analyzer.faults.fault import Fault
from analyzer.replicates.job import ArmJob

__all__ = ["fresh_args", "prepare_copy", "replicate_args"]

# What YOLO.train takes from the model itself, and what belongs to a resume.
_NOT_FOR_TRAIN = frozenset({"model", "mode", "resume", "save_dir", "task", "session"})


def replicate_args(stored: Mapping[str, Any], job: ArmJob, data: str) -> dict[str, Any]:
    """Training arguments of a replicate: those of the checkpoint, the arm's changes, and places in scratch.

    Parameters
    ----------
    stored
        ``train_args`` of the checkpoint.
    job
        The arm's job.
    data
        Path that Ultralytics shall read as its data set.
    """
    args = {**stored, **job.arm.changes}
    if args.get("cache") == "disk":
        # The same pixels and the same draws as no cache, but Ultralytics would write .npy files beside the images.
        args["cache"] = False
    places = {"save_dir": str(job.scratch / "run"), "project": str(job.scratch), "name": "run", "exist_ok": True}
    quiet = {"plots": False, "verbose": False, "save_json": False, "save_period": -1}
    return {**args, **places, **{k: v for k, v in quiet.items() if k in args}, "data": data, "device": job.device}


def fresh_args(copy: Path) -> dict[str, Any]:
    """Arguments with which ``YOLO(copy).train(...)`` makes a new training of a prepared copy."""
    import torch

    args = torch.load(copy, map_location="cpu", weights_only=False)["train_args"]  # written by `prepare_copy`
    return {k: v for k, v in args.items() if k not in _NOT_FOR_TRAIN}


def prepare_copy(payload: dict[str, Any], job: ArmJob, interventions: tuple[Fault, ...]) -> Path:
    """Write the checkpoint copy of an arm into scratch and return its path.

    ``ema.args`` holds the arguments a second time; both are edited.
    """
    import torch

    if not isinstance(payload.get("train_args"), Mapping):
        raise CheckpointError(f"{job.checkpoint} holds no training arguments.", "Give the last.pt of a training.")
    args = replicate_args(payload["train_args"], job, _data_file(job, interventions))
    for intervention in interventions:
        intervention.edit_args(args)
    payload = {**payload, "train_args": args}
    for name in ("ema", "model"):
        model = payload.get(name)
        if model is not None and hasattr(model, "args"):
            kept = dict(model.args) if isinstance(model.args, Mapping) else dict(vars(model.args))
            model.args = {**kept, **{k: v for k, v in args.items() if k in kept}}
    for intervention in interventions:
        intervention.edit_checkpoint(payload)
    target = job.scratch / "checkpoint" / "last.pt"
    target.parent.mkdir(parents=True, exist_ok=True)
    torch.save(payload, target)
    return target


def _data_file(job: ArmJob, interventions: tuple[Fault, ...]) -> str:
    if set(job.data) == {"path"}:  # classification: a folder
        return str(job.data["path"])
    data = dict(job.data)
    for intervention in interventions:
        intervention.edit_data(data)
    target = job.scratch / "data.yaml"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(yaml.safe_dump(data, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return str(target)
