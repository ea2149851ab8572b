"""Replicates are bit for bit what plain Ultralytics does in a new process. This test must never be loosened.

Each cell trains, kills, and then compares the replicates of one warm worker with a reference, a plain resume
(`YOLO(copy).train(resume=True)`) in a process that imports nothing of analyzer and reseeds in one callback
(reference_resume.py). Compared are SHA-256 of the tensors of model, EMA and optimizer after every epoch, and the row
at full precision.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from analyzer.domain.replicate import Arm, ArmKind
from analyzer.runs.versions import installed_versions, parse_version
from tests.support import engine

REFERENCE = Path(engine.__file__).with_name("reference_resume.py")

# A tiny run of 10 epochs is killed after its third: K = 2 trains the zero-based epochs 3 and 4.
CELLS = {
    "sgd": ({"optimizer": "SGD", "lr0": 0.01}, 1, None),
    "sgd, 2 workers": ({"optimizer": "SGD", "lr0": 0.01}, 1, 2),
    "adamw": ({"optimizer": "AdamW"}, 1, None),
    "adamw, 2 workers, K = 2": ({"optimizer": "AdamW"}, 2, 2),
    "mosaic closes on the second epoch": ({"close_mosaic": 6}, 2, None),
    "mosaic closes on the second epoch, 2 workers": ({"close_mosaic": 6}, 2, 2),
    "inside warmup": ({"warmup_epochs": 5.0, "optimizer": "SGD", "lr0": 0.01}, 2, None),
    "accumulate": ({"nbs": 12, "optimizer": "SGD", "lr0": 0.01}, 2, None),
    "images in memory": ({"cache": "ram"}, 2, None),
    "end-to-end head (YOLO26)": ({"model": Path("yolo26n.yaml")}, 2, None),
}


def reference(checkpoint, folder, seed, k, extra):
    out = folder / f"reference-{seed}.json"
    more = [json.dumps(extra)] if extra else []
    command = [sys.executable, REFERENCE, checkpoint, out, seed, k, *more]
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, check=False)
    assert out.exists(), done.stderr[-3000:]
    return json.loads(out.read_text())


@pytest.mark.parametrize("cell", CELLS)
def test_replicates_are_bit_identical_to_plain_resumes(cell, tmp_path, train_run):
    args, k, workers = CELLS[cell]
    if "YOLO26" in cell and parse_version(installed_versions()["ultralytics"]) < (8, 4, 0):
        pytest.skip("this Ultralytics has no YOLO26")
    run = train_run(tmp_path, **args)
    checkpoint = run / "weights" / "last.pt"
    first, other, third = engine.replicates(checkpoint, tmp_path / "drift", [7, 8, 7], epochs=k, workers=workers)
    expected = reference(checkpoint, tmp_path, 7, k, workers)

    agree(first, other, third, expected, k)


def test_a_new_training_from_its_weights_is_bit_identical_too(tmp_path, train_run):
    """What `drift analyze AFTER --before RUN` trains: no resume, other arguments."""
    checkpoint = train_run(tmp_path) / "weights" / "last.pt"
    changes = {"lr0": 0.002, "mosaic": 0.5, "warmup_epochs": 1.0}
    arm = Arm(ArmKind.NEW_AS_CONFIGURED, changes)
    first, other, third = engine.replicates(checkpoint, tmp_path / "drift", [7, 8, 7], epochs=2, arm=arm)
    agree(first, other, third, reference(checkpoint, tmp_path, 7, 2, changes), 2)
    assert first.epochs[0].epoch == 1


def agree(first, other, third, expected, k):
    assert len(first.epochs) == len(expected) == k
    for step in range(k):
        for replicate in (first, third):  # the third comes after seed 8: nothing of it may be left
            assert replicate.epochs[step].epoch == expected[step]["epoch"]
            assert replicate.hashes[step] == expected[step]["hashes"]
            exact = replicate.epochs[step].exact
            assert len(exact) == 10
            assert exact == {name: expected[step]["row"][name] for name in exact}
        assert other.hashes[step]["model"] != first.hashes[step]["model"]
        assert other.epochs[step].exact["train/box_loss"] != first.epochs[step].exact["train/box_loss"]


def test_the_reference_imports_nothing_of_analyzer():
    assert "import analyzer" not in (REFERENCE).read_text()
    assert "from analyzer" not in (REFERENCE).read_text()
