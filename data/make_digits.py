"""Make data/digits: handwritten digits of scikit-learn's load_digits on noise backgrounds, as a detection data set.

Run once (``python -m data.make_digits``); its output is committed. It is kept so that each pixel has a known origin.
The digits of the two splits are disjoint: one that is pasted into a training image never appears in a validation image.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from sklearn.datasets import load_digits

SEED = 20240611
SIZE = 96  # pixels, both sides: a multiple of the largest stride (32)
IMAGES = {"train": 208, "val": 128}
DIGITS = {"train": (0, 1200), "val": (1200, 1797)}  # rows of load_digits, disjoint
PER_IMAGE = (1, 4)  # digits in one image, both ends included
SCALE = (24, 42)  # side of a pasted digit in pixels, both ends included
MAX_OVERLAP = 0.10  # share of the smaller box that two boxes may have in common
QUALITY = 85

Box = tuple[int, int, int, int]
YAML = """\
# Handwritten digits of scikit-learn's load_digits on noise backgrounds; made by ../make_digits.py, see README.md
# No `path`: Ultralytics then takes the folder of this file, so it works from any clone.
train: images/train
val: images/val
names: {0: zero, 1: one, 2: two, 3: three, 4: four, 5: five, 6: six, 7: seven, 8: eight, 9: nine}
"""


def background(rng: np.random.Generator) -> NDArray[np.float64]:
    """Noise in two octaves around a random level, shape (SIZE, SIZE), grey values 0..255."""
    coarse = Image.fromarray(rng.normal(0.0, 1.0, (8, 8)).astype(np.float32), mode="F")
    clouds = np.asarray(coarse.resize((SIZE, SIZE), Image.Resampling.BICUBIC), dtype=np.float64)
    return rng.uniform(40, 110) + rng.uniform(5, 20) * clouds + rng.normal(0.0, rng.uniform(4, 14), (SIZE, SIZE))


def overlap(a: Box, b: Box) -> float:
    """Intersection over the smaller area."""
    w = min(a[2], b[2]) - max(a[0], b[0])
    h = min(a[3], b[3]) - max(a[1], b[1])
    if w <= 0 or h <= 0:
        return 0.0
    return w * h / min((a[2] - a[0]) * (a[3] - a[1]), (b[2] - b[0]) * (b[3] - b[1]))


def paste(canvas: NDArray[np.float64], digit: NDArray[np.float64], side: int, x: int, y: int, ink: float) -> Box | None:
    """Blend one 8 x 8 digit into the canvas; return the box of its ink, or None where too little of it is left."""
    small = Image.fromarray((digit / 16.0).astype(np.float32), mode="F")
    alpha = np.clip(np.asarray(small.resize((side, side), Image.Resampling.BICUBIC), dtype=np.float64), 0.0, 1.0)
    rows, columns = np.nonzero(alpha > 0.25)
    if len(rows) == 0:
        return None
    window = canvas[y : y + side, x : x + side]
    window += alpha * (ink - window)
    return int(x + columns.min()), int(y + rows.min()), int(x + columns.max() + 1), int(y + rows.max() + 1)


def compose(
    rng: np.random.Generator, digits: NDArray[np.float64], labels: NDArray[np.int64]
) -> tuple[Image.Image, list[str]]:
    """One image and its YOLO lines (class, centre x, centre y, width, height; relative to the image)."""
    canvas, taken, lines = background(rng), [], []
    for _ in range(int(rng.integers(PER_IMAGE[0], PER_IMAGE[1] + 1))):
        index, side = int(rng.integers(len(digits))), int(rng.integers(SCALE[0], SCALE[1] + 1))
        for _attempt in range(20):
            x, y = (int(v) for v in rng.integers(0, SIZE - side + 1, size=2))
            frame = (x, y, x + side, y + side)
            if all(overlap(frame, other) <= MAX_OVERLAP for other in taken):
                break
        else:
            continue  # the image is full
        box = paste(canvas, digits[index], side, x, y, ink=float(rng.uniform(150, 255)))
        if box is None:
            continue
        taken.append(frame)
        cx, cy, w, h = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2, box[2] - box[0], box[3] - box[1]
        lines.append(f"{labels[index]} {cx / SIZE:.6f} {cy / SIZE:.6f} {w / SIZE:.6f} {h / SIZE:.6f}")
    return Image.fromarray(np.clip(canvas, 0, 255).astype(np.uint8), mode="L").convert("RGB"), lines


def make(root: Path, seed: int = SEED) -> None:
    """Write images, labels and the data yaml below `root`."""
    source = load_digits()
    rng = np.random.default_rng(seed)
    for split, count in IMAGES.items():
        first, last = DIGITS[split]
        for kind in ("images", "labels"):
            (root / kind / split).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            image, lines = compose(rng, source.images[first:last], source.target[first:last])
            image.save(root / "images" / split / f"{number:04d}.jpg", quality=QUALITY)
            (root / "labels" / split / f"{number:04d}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (root / "digits.yaml").write_text(YAML, encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "digits")
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args()
    make(options.out, options.seed)
