"""One epoch of many resumes with plain Ultralytics, each in a process forked for it, perhaps with a fault at run time.

A line on stdin is a JSON object: ``checkpoint``, ``way`` (a fault of this file, or empty), ``resume`` (False: a new
training from the weights), ``args``. The answer on stdout is "done" or "failed". The forked process ends abruptly after
the first epoch is saved, as in a power cut. Nothing of `analyzer` is imported.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable
from copy import copy
from pathlib import Path
from typing import Any

import numpy as np


def random_head(model: Any, *, classes_only: bool) -> None:
    """Draw the weights of the detection head anew, or of its class branch alone."""
    head = model.model[-1]
    for branch in (head.cv3,) if classes_only else (head.cv2, head.cv3):  # not dfl, whose weights are fixed
        for part in branch.modules():
            if hasattr(part, "reset_parameters"):
                part.reset_parameters()
    head.bias_init()


def _weights(path: str) -> dict[str, Any]:
    import torch

    return torch.load(path, map_location="cpu", weights_only=False)["ema"].float().state_dict()


def _load(trainer: Any, order: dict[str, Any]) -> None:
    """The weights of another file over the resumed ones; the EMA stays."""
    trainer.model.load_state_dict(_weights(order["file"]))


def _rebuilt(trainer: Any, order: dict[str, Any]) -> None:
    a = trainer.args
    decay = a.weight_decay * trainer.batch_size * trainer.accumulate / a.nbs
    trainer.optimizer = trainer.build_optimizer(trainer.model, a.optimizer, a.lr0, a.momentum, decay)
    trainer._setup_scheduler()
    trainer.scheduler.last_epoch = trainer.start_epoch - 1


def _faster(factor: float) -> Callable[[Any, dict[str, Any]], None]:
    def change(trainer: Any, order: dict[str, Any]) -> None:
        trainer.scheduler.base_lrs = [factor * b for b in trainer.scheduler.base_lrs]

    return change


def _schedule_restart(trainer: Any, order: dict[str, Any]) -> None:
    trainer.scheduler.last_epoch = -1


def _ema_new(trainer: Any, order: dict[str, Any]) -> None:
    from ultralytics.utils.torch_utils import ModelEMA

    trainer.ema = ModelEMA(trainer.model)


def _ema_raw(trainer: Any, order: dict[str, Any]) -> None:
    trainer.ema.decay = lambda updates: 0.0


def _augment(**values: float) -> Callable[[Any, dict[str, Any]], None]:
    def change(trainer: Any, order: dict[str, Any]) -> None:
        hyp = copy(trainer.args)
        for name, value in values.items():
            setattr(hyp, name, value)
        dataset = trainer.train_loader.dataset
        dataset.transforms = dataset.build_transforms(hyp)

    return change


def _mosaic_closed(trainer: Any, order: dict[str, Any]) -> None:
    trainer.train_loader.dataset.close_mosaic(copy(trainer.args))


def _labels_permuted(trainer: Any, order: dict[str, Any]) -> None:
    """The classes of the training labels in alphabetical order of their names."""
    names = trainer.data["names"]
    new = np.argsort(np.argsort([names[i] for i in range(len(names))]))
    for label in trainer.train_loader.dataset.labels:
        label["cls"] = new[label["cls"].astype(int)].astype(label["cls"].dtype)


def _head(classes_only: bool) -> Callable[[Any, dict[str, Any]], None]:
    def change(trainer: Any, order: dict[str, Any]) -> None:
        random_head(trainer.model, classes_only=classes_only)

    return change


_OFF = ("mosaic", "mixup", "cutmix", "copy_paste", "hsv_h", "hsv_s", "hsv_v", "degrees", "translate", "scale", "shear",
        "perspective", "flipud", "fliplr")  # fmt: skip

#: Changes of the trainer when the first resumed epoch starts.
AT_START: dict[str, Callable[[Any, dict[str, Any]], None]] = {
    "pretrained": _load,
    "weights-of-older": _load,
    "state-cleared": lambda t, order: t.optimizer.state.clear(),
    "optimizer-rebuilt": _rebuilt,
    "lr-3": _faster(3),
    "lr-10": _faster(10),
    "schedule-restart": _schedule_restart,
    "ema-new": _ema_new,
    "ema-raw": _ema_raw,
    "mosaic-closed": _mosaic_closed,
    "mosaic-off": _augment(mosaic=0.0),
    "no-augmentation": _augment(**dict.fromkeys(_OFF, 0.0)),
    "default-augmentation": _augment(fliplr=0.5),
    "mixup": _augment(mixup=0.5),
    "labels-permuted": _labels_permuted,
    "head-random": _head(False),
    "classes-random": _head(True),
}


def _warmup(model: Any, epochs: int) -> None:
    """Warmup counts from the start of this process, as where the batch counter starts again."""
    seen = {"batch": 0}

    def ramp(trainer: Any) -> None:
        length = epochs * len(trainer.train_loader)
        if seen["batch"] <= length:
            for group in trainer.optimizer.param_groups:
                start = trainer.args.warmup_bias_lr if group.get("param_group") == "bias" else 0.0
                target = group["initial_lr"] * trainer.lf(trainer.epoch)
                group["lr"] = float(np.interp(seen["batch"], [0, length], [start, target]))
                if "momentum" in group:
                    limits = [trainer.args.warmup_momentum, trainer.args.momentum]
                    group["momentum"] = float(np.interp(seen["batch"], [0, length], limits))
        seen["batch"] += 1

    model.add_callback("on_train_batch_start", ramp)


def trainer_of(way: str, order: dict[str, Any]) -> type:
    """Ultralytics' trainer, or a subclass of it where the fault needs one."""
    import torch
    from ultralytics.models.yolo.detect import DetectionTrainer

    class Injected(DetectionTrainer):
        def resume_training(self, ckpt: Any) -> None:
            if way == "state-not-loaded":
                return
            if way == "older-state":
                older = torch.load(order["file"], map_location="cpu", weights_only=False)
                self.model.load_state_dict(older["ema"].float().state_dict())
                ckpt = {**older, "epoch": ckpt["epoch"]}
            if way.startswith("optimizer-") and way != "optimizer-rebuilt":
                ckpt = {**ckpt, "optimizer": None}
            super().resume_training(ckpt)

        def build_optimizer(self, model: Any, name: str = "auto", *args: Any, **kwargs: Any) -> Any:
            if way.startswith("optimizer-") and way != "optimizer-rebuilt":
                name = way.removeprefix("optimizer-")
            return super().build_optimizer(model, name, *args, **kwargs)

        def build_dataset(self, img_path: str, mode: str = "train", batch: int | None = None) -> Any:
            other = {"train-reads-val": ("train", "val"), "val-reads-train": ("val", "train")}.get(way)
            if other is not None and mode == other[0]:
                img_path = self.data[other[1]]
            return super().build_dataset(img_path, mode, batch)

        def _close_dataloader_mosaic(self) -> None:
            if way != "mosaic-kept-open":
                super()._close_dataloader_mosaic()

        def preprocess_batch(self, batch: Any) -> Any:
            if way == "out-of-memory" and not self._oom_retries:
                raise RuntimeError("CUDA out of memory.")
            return super().preprocess_batch(batch)

    Injected.__name__ = DetectionTrainer.__name__
    return Injected


def train(order: dict[str, Any]) -> None:
    """Train one epoch in this process, which ends with the first saved epoch."""
    from ultralytics import YOLO

    checkpoint, way = Path(order["checkpoint"]), order["way"]
    log = os.open(f"{checkpoint}.log", os.O_CREAT | os.O_WRONLY | os.O_TRUNC)
    os.dup2(log, 1)
    os.dup2(log, 2)
    try:
        model = YOLO(checkpoint)
        rows = checkpoint.parent.parent / "results.csv"
        if not order.get("resume", True):
            history = rows.read_text(encoding="utf-8")
            model.add_callback("on_train_start", lambda t: rows.write_text(history, encoding="utf-8"))
        if way in AT_START:
            model.add_callback("on_train_start", lambda t: AT_START[way](t, order))
        if way.startswith("warmup-"):
            _warmup(model, int(way.removeprefix("warmup-")))
        model.add_callback("on_model_save", lambda t: os._exit(0))
        trainer = trainer_of(way, order) if way else None  # None: Ultralytics' own
        model.train(trainer=trainer, resume=order.get("resume", True), **order.get("args", {}))
    except BaseException:
        traceback.print_exc()
    os._exit(1)


def main() -> None:
    """Import once, fork for each line."""
    import torch
    import ultralytics.models  # noqa: F401  (imported before the fork, so that each resume need not)

    torch.set_num_threads(1)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            train(json.loads(line))
        _, status = os.waitpid(child, 0)
        sys.stdout.write("done\n" if status == 0 else "failed\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
