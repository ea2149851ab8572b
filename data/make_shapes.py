"""Make a tiny data set of turned bars and squares for any task of Ultralytics, the same for the same seed.

    python -m data.make_shapes segment FOLDER

Not committed: the tests of the tasks draw what they need. One scene gives the labels of every task: the corners are a
polygon (segment), an oriented box (obb) or four keypoints (pose), their hull a box (detect); a shape alone is an image
of its class (classify), the filled shapes are a map of classes (semantic) or of distances (depth).
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray
from PIL import Image, ImageDraw

SEED = 20260701
SIZE = 64  # pixels, both sides
NAMES = {0: "bar", 1: "square"}
TASKS = ("detect", "segment", "pose", "obb", "classify", "semantic", "depth")

Corners = NDArray[np.float64]  # shape (4, 2), pixels


def shape(rng: np.random.Generator, kind: int, centre: tuple[float, float]) -> Corners:
    """Corners of one turned shape, in order around it."""
    long = rng.uniform(20, 26)
    half = np.array([long, long * (0.4 if kind == 0 else 0.9)]) / 2
    angle = rng.uniform(0, np.pi)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.clip(np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half @ turn.T + centre, 0, SIZE - 1)


def paint(rng: np.random.Generator, shapes: list[tuple[int, Corners]]) -> Image.Image:
    """Shapes of random colours on noise."""
    noise = rng.normal(rng.uniform(60, 110), 14, (SIZE, SIZE, 3))
    image = Image.fromarray(np.clip(noise, 0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    for _, corners in shapes:
        draw.polygon([tuple(p) for p in corners], fill=tuple(int(v) for v in rng.integers(150, 256, 3)))
    return image


def filled(shapes: list[tuple[int, Corners]], values: list[float], ground: float) -> Image.Image:
    """A map of floats: `ground`, and the value of each shape inside it."""
    image = Image.new("F", (SIZE, SIZE), ground)
    draw = ImageDraw.Draw(image)
    for (_, corners), value in zip(shapes, values, strict=True):
        draw.polygon([tuple(p) for p in corners], fill=value)
    return image


def line(task: str, kind: int, corners: Corners) -> str:
    """One line of a label file; coordinates relative to the image."""
    points = corners / SIZE
    if task in ("segment", "obb"):
        return " ".join([str(kind), *(f"{v:.6f}" for v in points.ravel())])
    low, high = points.min(axis=0), points.max(axis=0)
    box = [str(kind), *(f"{v:.6f}" for v in (*(low + high) / 2, *(high - low)))]
    seen = [word for x, y in points for word in (f"{x:.6f}", f"{y:.6f}", "2")] if task == "pose" else []
    return " ".join([*box, *seen])


def scenes(rng: np.random.Generator, count: int) -> Iterator[tuple[list[tuple[int, Corners]], Image.Image]]:
    """Images with one shape left and one right, classes in turn."""
    for number in range(count):
        kinds = (number % 2, (number // 2) % 2)
        places = ((rng.uniform(15, 18), rng.uniform(18, 46)), (rng.uniform(46, 49), rng.uniform(18, 46)))
        shapes = [(kind, shape(rng, kind, place)) for kind, place in zip(kinds, places, strict=True)]
        yield shapes, paint(rng, shapes)


def make(root: Path, task: str, train: int = 16, val: int = 8, seed: int = SEED) -> Path:
    """Write a data set below `root`.

    Returns
    -------
    Path
        What Ultralytics takes as ``data``: the data yaml; for classify the folder.
    """
    rng = np.random.default_rng(seed)
    for split, count in (("train", train), ("val", val)):
        if task == "classify":
            _write_classes(root / split, rng, count)
            continue
        for kind in ("images", "labels"):
            (root / kind / split).mkdir(parents=True)
        for number, (shapes, image) in enumerate(scenes(rng, count)):
            image.save(root / "images" / split / f"{number:04d}.png")
            _write_label(root, split, f"{number:04d}", task, shapes)
    return root if task == "classify" else _write_yaml(root, task)


def _write_classes(folder: Path, rng: np.random.Generator, count: int) -> None:
    for number in range(count):
        kind = number % 2
        place = folder / NAMES[kind] / f"{number:04d}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        centre = (float(rng.uniform(24, 40)), float(rng.uniform(24, 40)))
        paint(rng, [(kind, shape(rng, kind, centre))]).save(place)


def _write_label(root: Path, split: str, name: str, task: str, shapes: list[tuple[int, Corners]]) -> None:
    if task == "semantic":
        (root / "masks" / split).mkdir(parents=True, exist_ok=True)
        classes = filled(shapes, [float(kind) for kind, _ in shapes], 255.0)  # 255: no class
        classes.convert("L").save(root / "masks" / split / f"{name}.png")
    elif task == "depth":
        (root / "depth" / split).mkdir(parents=True, exist_ok=True)
        metres = filled(shapes, [2.0 + kind for kind, _ in shapes], 8.0)
        np.save(root / "depth" / split / f"{name}.npy", np.asarray(metres, dtype=np.float32))
    else:
        lines = [line(task, kind, corners) for kind, corners in shapes]
        (root / "labels" / split / f"{name}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _write_yaml(root: Path, task: str) -> Path:
    content: dict[str, object] = {"path": str(root.resolve()), "train": "images/train", "val": "images/val"}
    content["names"] = {0: "depth"} if task == "depth" else dict(NAMES)
    if task == "pose":
        content |= {"kpt_shape": [4, 3], "flip_idx": [1, 0, 3, 2]}
    if task == "semantic":
        content["masks_dir"] = "masks"
    place = root / "shapes.yaml"
    place.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return place


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=TASKS)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--train", type=int, default=16, help="images")
    parser.add_argument("--val", type=int, default=8, help="images")
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args()
    print(make(options.folder, options.task, options.train, options.val, options.seed))
