"""What classification changes in the history: no mosaic that closes, accuracies that move image by image."""

from pathlib import Path

import numpy as np
import pytest

from analyzer.domain.run import History, Run, Seam, SeamSign
from analyzer.pipeline.analysis.regime import read_regime
from analyzer.pipeline.analysis.resume_point import ResumePoint, validated_images
from analyzer.runs.args import ArgsDiff

ACCURACY = [0.5, 0.5, 0.5, 0.75, 0.5, 0.5, 0.5, 0.5, 0.5, 0.75, 0.5, 0.5]  # of 4 images
ARGS = {"task": "classify", "epochs": 14, "close_mosaic": 10, "warmup_epochs": 0.0}


def scene(validated, args=ARGS):
    rows = len(ACCURACY)
    values = np.stack([1.0 + 0.01 * np.arange(rows) % 3, np.array(ACCURACY)], 1)
    columns = ("train/loss", "metrics/accuracy_top1")
    history = History(Path("results.csv"), np.arange(1, rows + 1), None, columns, values, np.full(2, 1e-5))
    seam = Seam(rows + 1, rows, rows - 1, SeamSign.GIVEN, "")
    return ResumePoint(Run(Path("run"), history, args, ()), seam, (), None, "gone", ArgsDiff(()), (), validated)


def test_the_margin_of_an_accuracy_is_three_images_at_least():
    """Most steps are 0, so that their robust sd is; without a floor no resume could ever be inside the margin."""
    past = read_regime(scene(4), ())
    assert past.units == pytest.approx([1e-5, 0.25])
    assert past.margins[1] == pytest.approx(0.75)
    assert read_regime(scene(None), ()).margins[1] < 1e-3


def test_mosaic_closes_for_a_detector_only():
    assert len(read_regime(scene(4), ()).values) == len(ACCURACY)
    assert len(read_regime(scene(4, {**ARGS, "task": "detect"}), ()).values) == len(ACCURACY) - 4


def test_images_are_counted_for_classification_only(tmp_path):
    for number, split in enumerate(("train", "val", "val")):
        place = tmp_path / split / "bar" / f"{number}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()
    args = {"task": "classify", "data": str(tmp_path)}
    assert validated_images(args, tmp_path, None) == 2
    assert validated_images({**args, "task": "detect"}, tmp_path, None) is None
    assert validated_images({**args, "data": str(tmp_path / "gone")}, tmp_path, None) is None
