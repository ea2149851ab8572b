"""A resume by plain Ultralytics in a process of its own, reseeded by one callback; nothing of analyzer is imported.

Usage: python reference_resume.py CHECKPOINT OUT.json SEED K [WORKERS]
       python reference_resume.py CHECKPOINT OUT.json SEED K '{"lr0": 0.002, ...}'   (a new training, not a resume)

Trains K epochs from a copy of the checkpoint whose arguments point to a folder of its own, and writes for each epoch
SHA-256 of the tensors of model, EMA and optimizer, and the row at full precision. Under torchrun the first rank writes.
"""

import hashlib
import json
import os
import random
import sys
from pathlib import Path

os.environ.update(YOLO_OFFLINE="true", YOLO_AUTOINSTALL="false", MPLBACKEND="Agg")

import numpy as np
import torch
from torch.utils.data.distributed import DistributedSampler
from ultralytics import YOLO
from ultralytics.engine.trainer import BaseTrainer

RANK = int(os.environ.get("RANK", "0"))


def digest(named):
    h = hashlib.sha256()
    for name, value in named:
        t = value.detach().cpu().contiguous() if isinstance(value, torch.Tensor) else torch.tensor(value)
        h.update(f"{name} {t.dtype} {tuple(t.shape)}".encode())
        h.update(t.view(torch.uint8).numpy().tobytes() if t.ndim else t.numpy().tobytes())
    return h.hexdigest()


def optimizer_tensors(optimizer):
    for i, state in optimizer.state_dict()["state"].items():
        for k, v in sorted(state.items()):
            yield f"{i}.{k}", v


def losses(prefix, items, names, divisor=1):
    if not isinstance(items, dict):
        items = dict(zip(names, np.atleast_1d(items.detach().cpu().numpy()), strict=False))
    return {f"{prefix}/{k}": float(v) / divisor for k, v in items.items()}


def row(trainer):
    v = trainer.validator
    out = losses("train", trainer.tloss, trainer.loss_names)
    if getattr(v, "loss", None) is not None:
        out |= losses("val", v.loss, trainer.loss_names, len(v.dataloader))
    return out | {k: float(x) for k, x in v.metrics.results_dict.items() if k != "fitness"}


def main(checkpoint, out, seed, k, workers=None, changes=None):
    out = Path(out)
    folder = out.parent / f"{out.stem}-rank{RANK}"
    folder.mkdir(parents=True)
    payload = torch.load(checkpoint, weights_only=False)
    payload["train_args"].update(save_dir=str(folder / "run"), project=str(folder), name="run", exist_ok=True)
    if "RANK" in os.environ:
        payload["train_args"]["device"] = ",".join(map(str, range(int(os.environ["WORLD_SIZE"]))))
    copy = folder / "last.pt"
    torch.save(payload, copy)
    epochs = []

    def reseed(trainer):
        own = int(np.random.SeedSequence(seed, spawn_key=(2, RANK)).generate_state(1)[0]) if RANK else seed
        random.seed(own)
        np.random.seed(own)
        torch.manual_seed(own)
        if isinstance(trainer.train_loader.sampler, DistributedSampler):
            trainer.train_loader.sampler.seed = seed
        # Classify draws the order of validation, too; on several devices 8.3 validates on the first rank alone.
        for loader in filter(None, (trainer.train_loader, getattr(trainer, "test_loader", None))):
            loader.generator.manual_seed(own)
            loader.reset()

    def record(trainer):
        if RANK:
            return
        hashes = {
            "model": digest(trainer.model.state_dict().items()),
            "ema": digest(trainer.ema.ema.state_dict().items()),
            "optimizer": digest(optimizer_tensors(trainer.optimizer)),
        }
        epochs.append({"epoch": trainer.epoch + 1, "row": row(trainer), "hashes": hashes})
        if len(epochs) == k:
            out.write_text(json.dumps(epochs))
            os._exit(0)

    if workers is not None:  # no callback is called before the loaders are built on every rank of every version
        setup = BaseTrainer._setup_train

        def with_workers(trainer, *args):
            trainer.args.workers = workers
            setup(trainer, *args)

        BaseTrainer._setup_train = with_workers
    model = YOLO(str(copy))
    model.add_callback("on_train_start", reseed)
    model.add_callback("on_fit_epoch_end", record)
    if changes is None:
        model.train(resume=True)
    else:
        own = ("model", "mode", "resume", "save_dir", "task")
        model.train(**{k: v for k, v in {**payload["train_args"], **changes}.items() if k not in own})


if __name__ == "__main__":
    place, target, seed, k, *more = sys.argv[1:]
    extra = json.loads(more[0]) if more else None
    fresh = {"changes": extra} if isinstance(extra, dict) else {"workers": extra}
    main(place, target, int(seed), int(k), **fresh)
