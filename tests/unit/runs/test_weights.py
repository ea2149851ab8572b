"""What was trained behind a slow average is found again, and told apart by parts of the model."""

from pathlib import Path

import numpy as np
import pytest

from analyzer.domain.checkpoint import Checkpoint
from analyzer.runs import weights
from analyzer.runs.weights import distance, moves, trained_between

LAYERS = {"model.0.conv.weight": 400, "model.1.cv2.0.weight": 300, "model.1.cv3.0.weight": 300}


def draw(rng, scale=1.0):
    return {n: (scale * rng.standard_normal(k)).astype(np.float32) for n, k in LAYERS.items()}


def of(updates, name):
    return Checkpoint(
        path=Path(name), sha256="", epoch=3, updates=updates, version=None, date=None, task="detect", train_args={},
        train_metrics={}, has_optimizer=True, optimizer_kind="", names={},
    )  # fmt: skip


def averaged(start, trained, updates, steps):
    """Ultralytics' EMA over so many steps of constant weights, stored as fp16."""
    kept = np.prod([0.9999 * (1 - np.exp(-u / 2000)) for u in range(updates + 1, updates + steps + 1)])
    return {n: (kept * start[n] + (1 - kept) * trained[n]).astype(np.float16).astype(np.float32) for n in start}


@pytest.fixture
def files(monkeypatch):
    held = {}
    monkeypatch.setattr(weights, "read_weights", lambda path, *, trust=False: held[path.name])
    return held


@pytest.mark.parametrize("updates", [100, 2_000, 50_000])
def test_the_trained_weights_are_found_behind_the_average(files, updates):
    rng = np.random.default_rng(1)
    start = draw(rng)
    trained = {n: v + 0.05 * rng.standard_normal(v.size).astype(np.float32) for n, v in start.items()}
    files.update(a=start, b=averaged(start, trained, updates, 100))
    _, found = trained_between(of(updates, "a"), of(updates + 100, "b"))
    assert distance(found, trained) < 0.5 * distance(start, trained)


def test_an_average_that_hardly_moved_says_nothing(files):
    start = draw(np.random.default_rng(1))
    files.update(a=start, b=start)
    assert trained_between(of(50_000, "a"), of(50_001, "b")) is None


def test_an_average_that_was_replaced_is_taken_as_it_is(files):
    start, other = draw(np.random.default_rng(1)), draw(np.random.default_rng(2))
    files.update(a=start, b=other)
    _, found = trained_between(of(50_000, "a"), of(50_100, "b"))
    assert distance(found, other) == 0


def test_another_model_cannot_be_compared(files):
    start = draw(np.random.default_rng(1))
    files.update(a=start, b={n: v[:10] for n, v in start.items()})
    assert trained_between(of(100, "a"), of(200, "b")) is None
    assert distance(start, files["b"]) == np.inf


def test_every_part_has_a_move_of_its_own():
    rng = np.random.default_rng(1)
    start = draw(rng)
    found = moves(start, {**start, "model.1.cv3.0.weight": rng.standard_normal(300).astype(np.float32)})
    assert [m.part for m in found] == ["body", "cv2", "cv3"]
    assert [round(m.correlation) for m in found] == [1, 1, 0]
    assert found[0].distance == 0
    assert found[2].distance > 1
