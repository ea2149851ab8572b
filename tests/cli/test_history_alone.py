"""`--history-only` on runs whose resume is plainly odd: it may not acquit, and what was not measured is left out."""

import numpy as np
import pytest

import analyzer
from analyzer.domain.evidence import Verdict
from analyzer.errors import RunError


def write(folder, *, loss=None, score=None):
    """Thirty epochs, resumed at epoch 26; the cells of the resumed epochs are given."""
    rng = np.random.default_rng(4)
    losses = 1 - 0.004 * np.arange(30) + rng.normal(0, 0.003, 30)
    scores = 0.5 + 0.002 * np.arange(30) + rng.normal(0, 0.002, 30)
    cells = [[f"{a:.5f}", f"{b:.5f}"] for a, b in zip(losses, scores, strict=True)]
    for row in cells[25:]:
        row[:] = [row[0] if loss is None else loss, row[1] if score is None else score]
    time = [10 * (i + 1) if i < 25 else 10 * (i - 24) for i in range(30)]
    lines = [f"{i + 1},{time[i]},{','.join(cells[i])}" for i in range(30)]
    (folder / "results.csv").write_text("\n".join(["epoch,time,train/box_loss,metrics/mAP50(B)", *lines]) + "\n")
    (folder / "args.yaml").write_text("epochs: 100\nwarmup_epochs: 3\nclose_mosaic: 10\n")
    return analyzer.analyze(folder, history_only=True)


def test_an_ordinary_resume_is_noise(tmp_path):
    assert write(tmp_path).verdict is Verdict.NOISE


def test_a_shift_for_the_better_beyond_the_margin_acquits_nobody(tmp_path):
    found = write(tmp_path, loss="0")
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "train/box_loss" in found.decision.reasons[0]


@pytest.mark.parametrize(("cell", "verdict"), [("", Verdict.NOISE), ("nan", Verdict.FAULT)])
def test_an_empty_cell_is_no_divergence(tmp_path, cell, verdict):
    found = write(tmp_path, score=cell)
    assert found.verdict is verdict
    left_out = [w for w in found.warnings if "Not measured at epoch 26 (empty cells)" in w]
    assert bool(left_out) is not bool(cell)
    assert ("metrics/mAP50(B)" in [m.name for m in found.metrics]) is bool(cell) or verdict is Verdict.FAULT


def test_an_epoch_of_which_nothing_was_measured_is_said(tmp_path):
    with pytest.raises(RunError, match="measured nothing at epoch 26"):
        write(tmp_path, loss="", score="")
