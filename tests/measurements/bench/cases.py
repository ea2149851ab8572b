"""The workloads of the benchmarks: a killed run each, made by plain Ultralytics below a working folder and kept."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from data import make_digits
from data.demo_runs import DATA, edit_checkpoint, train_and_kill

EPOCHS = 400  # so long that no benchmark reaches close_mosaic or the end


@dataclass(frozen=True)
class Case:
    """A workload: images, their side in pixels as stored and as trained, arguments of the training."""

    name: str
    what: str
    images: int | None  # None: the demo's own data
    args: dict[str, Any]


CASES = {
    c.name: c
    for c in (
        Case("demo", "the demo: 208 + 128 images, imgsz 96, batch 4", None, {}),
        Case(
            "larger", "500 + 100 images of 640 pixels, imgsz 320, batch 16", 500, {"imgsz": 320, "batch": 16, "nbs": 16}
        ),
    )
}


def data_set(folder: Path, images: int) -> Path:
    """Digits as in the demo, enlarged to 640 pixels and stored as JPEG, as photographs are. Returns the data yaml."""
    if not (folder / "done").exists():
        shutil.rmtree(folder, ignore_errors=True)
        make_digits.IMAGES = {"train": images, "val": images // 5}
        make_digits.make(folder)
        rng = np.random.default_rng(1)
        for path in sorted(folder.glob("images/*/*.jpg")):
            large = np.asarray(Image.open(path).resize((640, 640), Image.Resampling.BICUBIC), dtype=np.float64)
            grainy = np.clip(large + rng.normal(0.0, 8.0, large.shape), 0, 255).astype(np.uint8)
            Image.fromarray(grainy).save(path, quality=90)
        (folder / "done").touch()
    return folder / "digits.yaml"


def killed_run(case: Case, work: Path) -> Path:
    """The run of a case, killed after its second epoch; its last.pt has `EPOCHS` still to go. Returns last.pt."""
    run = work / case.name / "run"
    last = run / "weights" / "last.pt"
    if not (run / "done").exists():
        shutil.rmtree(run, ignore_errors=True)
        data = DATA if case.images is None else data_set(work / case.name / "data", case.images)
        train_and_kill(run, 2, data=data, **case.args)
        edit_checkpoint(last, last, epochs=EPOCHS)
        (run / "done").touch()
    return last
