"""Faults made before the resume, in the checkpoint, the arguments or the data. Nothing of `analyzer` takes part.

Each function changes the copy of a killed run and returns what else the training process is told.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from data.demo_runs import DATA, edit_checkpoint, relocate
from tests.measurements.diagnosis.inject_runtime import random_head


@dataclass(frozen=True)
class ResumePoint:
    """A copy of a killed run, about to be resumed.

    Parameters
    ----------
    run
        The copy; its ``last.pt`` already has the seed of the item.
    seam
        Name of the periodic checkpoint of the seam.
    older
        Name of the newest periodic checkpoint before that.
    another
        Weights of another training.
    """

    run: Path
    seam: str
    older: str
    another: Path

    @property
    def last(self) -> Path:
        return self.run / "weights" / "last.pt"


Order = dict[str, Any]


def make_files(way: str, scene: ResumePoint) -> Order:
    """Make the fault of that way."""
    name, _, value = way.rpartition("-")
    if way in _WAYS:
        return _WAYS[way](scene)
    return _NUMBERED[name](scene, value)


def _edit(scene: ResumePoint, change: Callable[[dict[str, Any]], None]) -> Order:
    import torch

    payload = torch.load(scene.last, map_location="cpu", weights_only=False)
    change(payload)
    torch.save(payload, scene.last)
    return {}


def _load(path: Path) -> dict[str, Any]:
    import torch

    return torch.load(path, map_location="cpu", weights_only=False)


def _arguments(scene: ResumePoint, **values: Any) -> Order:
    edit_checkpoint(scene.last, scene.last, **values)
    return {}


def _not_resumed(scene: ResumePoint) -> Order:
    """A new training from the weights in the same folder, the rows of the old one put before its own."""
    args = _load(scene.last)["train_args"]
    kept = {k: v for k, v in args.items() if k not in {"resume", "model", "mode", "task", "save_dir"}}
    return {"resume": False, "args": {**kept, "exist_ok": True}}


def _stripped(scene: ResumePoint) -> Order:
    order = _not_resumed(scene)
    _edit(scene, lambda p: p.update(epoch=-1, optimizer=None, updates=None, best_fitness=None))
    return order


def _weights(scene: ResumePoint, path: Path) -> Order:
    weights = _load(path)["ema"].state_dict()
    return _edit(scene, lambda p: p["ema"].load_state_dict(weights) and None)


def _older_file(scene: ResumePoint) -> Order:
    """An older checkpoint taken for last.pt: the run goes on where that one was."""
    seed = _load(scene.last)["train_args"]["seed"]
    shutil.copy2(scene.run / "weights" / scene.older, scene.last)
    relocate(scene.run, seed=seed)
    return {}


def _older_renumbered(scene: ResumePoint) -> Order:
    older = _load(scene.run / "weights" / scene.older)

    def replace(payload: dict[str, Any]) -> None:
        older["ema"].args = payload["ema"].args
        payload.update({k: older[k] for k in ("ema", "updates", "optimizer", "best_fitness", "stopper")})

    return _edit(scene, replace)


def _other_yaml(scene: ResumePoint, **splits: Any) -> Order:
    """A resume with another data yaml, which Ultralytics allows."""
    content = {**yaml.safe_load(DATA.read_text(encoding="utf-8")), "path": str(DATA.parent), **splits}
    path = scene.run.parent / f"{scene.run.name}-data.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return {"args": {"data": str(path)}}


def _other_train(scene: ResumePoint) -> Order:
    """Every second image only, as of an older state of the data set."""
    images = sorted((DATA.parent / "images" / "train").glob("*.jpg"))[::2]
    listed = scene.run.parent / f"{scene.run.name}-train.txt"
    listed.write_text("".join(f"{p}\n" for p in images), encoding="utf-8")
    return _other_yaml(scene, train=str(listed))


def _classes_permuted(scene: ResumePoint) -> Order:
    """The data set was exported again with its classes in alphabetical order, names and labels alike."""
    folder = scene.run.parent / f"{scene.run.name}-digits"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(DATA.parent, folder, ignore=shutil.ignore_patterns("*.cache"))
    path = folder / DATA.name
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    names = content["names"]
    order = sorted(names, key=names.get)
    for label in folder.glob("labels/*/*.txt"):
        rows = [line.split() for line in label.read_text(encoding="utf-8").splitlines()]
        moved = [" ".join([str(order.index(int(row[0]))), *row[1:]]) for row in rows]
        label.write_text("".join(f"{line}\n" for line in moved), encoding="utf-8")
    path.write_text(yaml.safe_dump({**content, "names": {i: names[k] for i, k in enumerate(order)}}), encoding="utf-8")
    for name in (scene.seam, "last.pt"):
        relocate(scene.run, checkpoint=name, data=str(path))
    return {}


def _head(scene: ResumePoint, *, classes_only: bool) -> Order:
    def rebuild(payload: dict[str, Any]) -> None:
        import torch

        torch.manual_seed(payload["train_args"]["seed"])
        random_head(payload["ema"].float(), classes_only=classes_only)
        payload["ema"].half()

    return _edit(scene, rebuild)


def _optimizer(scene: ResumePoint, name: str) -> Order:
    """Another optimizer with the same groups and no state. With none stored, Ultralytics would start a new training."""
    import torch

    def change(payload: dict[str, Any]) -> None:
        old = payload["optimizer"]["param_groups"]
        shapes = [{"params": [torch.nn.Parameter(torch.zeros(1)) for _ in group["params"]]} for group in old]
        new = getattr(torch.optim, name)(shapes, lr=old[0]["lr"]).state_dict()
        for group, before in zip(new["param_groups"], old, strict=True):
            group.update({k: before[k] for k in ("lr", "initial_lr", "weight_decay", "param_group") if k in before})
            if name == "SGD":
                group.update(momentum=0.9, nesterov=True)
        payload["optimizer"] = new

    _arguments(scene, optimizer=name)
    return _edit(scene, change)


def _zero_moments(payload: dict[str, Any]) -> None:
    for state in payload["optimizer"]["state"].values():
        for value in state.values():
            value.zero_()


def _rate(scene: ResumePoint, factor: str) -> Order:
    return _arguments(scene, lr0=_load(scene.last)["train_args"]["lr0"] * float(factor))


_WAYS: dict[str, Callable[[ResumePoint], Order]] = {
    "not-resumed": _not_resumed,
    "stripped": _stripped,
    "weights-of-older": lambda s: _weights(s, s.run / "weights" / s.older),
    "weights-of-best": lambda s: _weights(s, s.run / "weights" / "best.pt"),
    "weights-of-another": lambda s: _weights(s, s.another),
    "older-file": _older_file,
    "older-renumbered": _older_renumbered,
    "state-empty": lambda s: _edit(s, lambda p: p["optimizer"]["state"].clear()),
    "moments-zero": lambda s: _edit(s, _zero_moments),
    "mosaic-0": lambda s: _arguments(s, mosaic=0.0),
    "close-mosaic": lambda s: {"args": {"close_mosaic": 60}},
    "mixup": lambda s: _arguments(s, mixup=0.5),
    "flip": lambda s: _arguments(s, fliplr=0.5),
    "no-colour": lambda s: _arguments(s, hsv_h=0.0, hsv_s=0.0, hsv_v=0.0),
    "other-train": _other_train,
    "other-val": lambda s: _other_yaml(s, val="images/train"),
    "classes-permuted": _classes_permuted,
    "head-random": lambda s: _head(s, classes_only=False),
    "classes-random": lambda s: _head(s, classes_only=True),
}
_NUMBERED: dict[str, Callable[[ResumePoint, str], Order]] = {
    "optimizer": _optimizer,
    "lr": _rate,
    "updates": lambda s, n: _edit(s, lambda p: p.update(updates=int(n))),
    "batch": lambda s, n: {"args": {"batch": int(n)}},
    "imgsz": lambda s, n: {"args": {"imgsz": int(n)}},
}
