"""Which checkpoint lends a null, in which order of preference, and why none can."""

from pathlib import Path

import numpy as np
import pytest

from analyzer.domain.checkpoint import Checkpoint
from analyzer.domain.run import History, Run, Seam, SeamSign
from analyzer.errors import CheckpointError
from analyzer.pipeline.analysis.bases import lender as module
from analyzer.pipeline.analysis.bases.lender import find_lender
from analyzer.pipeline.analysis.regime import read_regime
from analyzer.pipeline.analysis.resume_point import ResumePoint
from analyzer.pipeline.request import AnalyzeRequest
from analyzer.runs.args import ArgsDiff

ARGS = {"epochs": 60, "close_mosaic": 10, "warmup_epochs": 3.0}


def scene(files, *, rows=40, seam=31, others=(), sign=SeamSign.TIME_FALLS):
    rng = np.random.default_rng(0)
    epochs = np.arange(1, rows + 1)
    values = np.stack([2 - 0.01 * epochs + 0.01 * rng.standard_normal(rows), 0.5 + 0.01 * rng.standard_normal(rows)], 1)
    columns = ("train/box_loss", "metrics/mAP50(B)")
    history = History(Path("results.csv"), epochs, None, columns, values, np.full(2, 1e-5))
    run = Run(Path("run"), history, ARGS, tuple(Path(f"run/weights/{name}") for name in files))
    where = Seam(seam, seam - 1, seam - 2, sign, "")
    return ResumePoint(run, where, others, None, "gone", ArgsDiff(()), ())


@pytest.fixture
def stored(monkeypatch):
    """``stored({name: csv_epoch})``: checkpoints as they would be read; 0 is stripped, None cannot be read."""

    def put(files):
        def read(path, trust=False):
            epoch = files[path.name]
            if epoch is None:
                raise CheckpointError(f"{path.name} is damaged.")
            return Checkpoint(
                path, "0" * 64, epoch - 1, 100 * epoch, "8.4.190", None, "detect", ARGS, {}, epoch > 0, "SGD-like", {}
            )

        monkeypatch.setattr(module, "read_checkpoint", read)
        return scene(files)

    return put


def found(place):
    request = AnalyzeRequest(run=place.run.path)
    return find_lender(place, read_regime(place, ()), request)


def test_the_nearest_whose_next_epoch_is_there_is_taken_and_compared_with_that_row(stored):
    place = stored({"epoch9.pt": 10, "best.pt": 26, "last.pt": 40})
    lender, why = found(place)
    assert (lender.checkpoint.path.name, lender.away, lender.kind, why) == ("best.pt", -4, "row", "")
    assert lender.own == pytest.approx(place.run.history.values[26])
    assert np.isnan(lender.own_sd).all()
    assert len(lender.regime.values) == 26 - 3  # the regime ends with the lender and starts after warmup


def test_the_last_checkpoint_is_compared_with_what_its_own_epochs_predict(stored):
    lender, _ = found(stored({"last.pt": 40}))
    assert (lender.away, lender.kind) == (10, "prediction")
    assert len(lender.regime.values) == 10  # from the seam on, not before
    assert np.isfinite(lender.own).all() and (lender.own_sd > 0).all()


def test_a_checkpoint_right_after_the_seam_lends_its_spread_alone(stored):
    place = scene(["last.pt"], rows=32)
    stored({"last.pt": 32})
    lender, _ = found(place)
    assert (lender.away, lender.kind) == (2, "unknown")
    assert np.isnan(lender.own).all()


def test_an_older_one_that_shows_what_a_resume_does_goes_before_a_nearer_that_does_not(stored):
    place = scene(["best.pt", "last.pt"], rows=32)
    stored({"best.pt": 18, "last.pt": 32})
    assert found(place)[0].checkpoint.path.name == "best.pt"


def test_the_same_regime_goes_before_the_nearest(stored):
    stored({"epoch46.pt": 47, "last.pt": 75})
    place = scene(["epoch46.pt", "last.pt"], rows=75, seam=60)  # mosaic closes at epoch 51
    lender, _ = found(place)
    assert (lender.checkpoint.path.name, lender.away, lender.same_regime) == ("last.pt", 16, True)


def test_stripped_and_damaged_ones_lend_nothing_and_are_named(stored):
    lender, why = found(stored({"best.pt": 0, "last.pt": 0, "epoch3.pt": None}))
    assert lender is None
    assert "weights/best.pt is stripped" in why and "epoch3.pt is damaged" in why


def test_a_new_training_in_the_same_file_borrows_nothing(stored):
    stored({"last.pt": 40})
    lender, why = found(scene(["last.pt"], sign=SeamSign.RESTART))
    assert lender is None and why


def test_nothing_is_borrowed_where_the_history_predicts_nothing(stored):
    stored({"epoch4.pt": 5})
    lender, why = found(scene(["epoch4.pt"], rows=11, seam=10))
    assert lender is None and "8 comparable epochs" in why
