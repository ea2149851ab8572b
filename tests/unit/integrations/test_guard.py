"""The guard: what it keeps, what it tests, when it stops, and that it never breaks a training."""

import json
import logging
import pickle
import random

import numpy as np
import pytest

from analyzer.domain.replicate import EpochRecord, Outcome, Replicate
from analyzer.errors import UsageError
from analyzer.integrations.callback import add_drift_callback
from analyzer.integrations.guard import EVENTS, Guard
from analyzer.pipeline.guard import check
from analyzer.replicates.store import Store
from analyzer.runs.checkpoint import read_checkpoint
from analyzer.runs.versions import installed_versions

GOOD = np.array([0.999, 0.502, 1.199])
BAD = np.array([2.0, 0.1, 3.0])
COLUMNS = ("train/box_loss", "metrics/mAP50(B)", "val/box_loss")


def guard_json(run):
    return json.loads((run.path / "drift" / "guard.json").read_text(encoding="utf-8"))


@pytest.fixture
def warned():
    """Warnings of Ultralytics' logger, which does not propagate once Ultralytics is imported."""
    records = []
    handler = logging.Handler()
    handler.emit = records.append
    logger = logging.getLogger("ultralytics")
    logger.addHandler(handler)
    yield records
    logger.removeHandler(handler)


def store_null(run, n=6, epochs=1, centre=GOOD, sd=0.01, **facts):
    checkpoint = read_checkpoint(run.last)
    store = Store(run.path / "drift", "seam31-abc")
    versions = {k: v for k, v in installed_versions().items() if k in ("ultralytics", "torch")}
    store.describe({"checkpoint": checkpoint.sha256, "epoch": 29, "versions": versions, **facts})
    rng = np.random.default_rng(1)
    for seed in range(n):
        rows = [dict(zip(COLUMNS, map(float, centre + rng.normal(0, sd, 3)), strict=True)) for _ in range(epochs)]
        records = tuple(EpochRecord(31 + i, row, row, 1.0) for i, row in enumerate(rows))
        store.put(Replicate("healthy", seed, Outcome.OK, records))


@pytest.mark.parametrize(("hardware", "used"), [("cuda (A100)", True), ("2 x cuda (A100)", False)])
def test_a_null_of_another_number_of_gpus_raises_no_alarm(run, make_trainer, warned, hardware, used):
    store_null(run, centre=GOOD + 1, device=hardware)
    add_drift_callback(make_trainer()).train(GOOD)
    (check,) = guard_json(run)["checks"]
    assert check["against"] == ("seam31-abc" if used else "history")
    assert (check["verdict"] == "FAULT") is used


def test_the_seam_is_kept_before_it_is_overwritten(run, make_trainer, warned):
    before = run.last.read_bytes()
    add_drift_callback(make_trainer()).train(GOOD)
    (kept,) = (run.path / "drift" / "seams").glob("epoch30-*/checkpoint.pt")
    assert kept.read_bytes() == before
    assert run.last.read_bytes() == b"overwritten"
    assert "no manifest of the data" in guard_json(run)["error"]  # there is no data.yaml; the rest goes on
    assert len(guard_json(run)["checks"]) == 1


def test_a_new_training_is_left_alone(run, make_trainer):
    add_drift_callback(make_trainer(resume=False), on_fault="stop").train(BAD, BAD)
    assert not (run.path / "drift").exists()


def test_healthy_epochs_are_judged_up_to_k_and_final_eval_is_not(run, make_trainer):
    trainer = add_drift_callback(make_trainer(), on_fault="stop").train(GOOD, GOOD, GOOD, BAD)
    report = guard_json(run)
    assert [c["epoch"] for c in report["checks"]] == [31, 32, 33]
    assert [c["against"] for c in report["checks"]] == ["history"] * 3
    assert report["verdict"] in ("NOISE", "INCONCLUSIVE")
    assert not trainer.stop
    assert not report["stopped"]


@pytest.mark.parametrize("null", [False, True])
def test_a_fault_stops_or_warns(run, make_trainer, warned, null):
    if null:
        store_null(run)
    trainer = add_drift_callback(make_trainer(), on_fault="stop").train(BAD, GOOD)
    report = guard_json(run)
    assert trainer.stop
    assert report["stopped"]
    assert report["verdict"] == "FAULT"
    assert report["checks"][0]["against"] == ("seam31-abc" if null else "history")
    assert report["checks"][0]["replicates"] == (6 if null else 0)
    assert "train/box_loss 2, expected" in report["reason"]
    assert sum("FAULT at epoch 31" in r.getMessage() for r in warned) == 1


def test_on_fault_warn_lets_it_go_on(run, make_trainer, warned):
    trainer = add_drift_callback(make_trainer()).train(BAD, GOOD, GOOD)
    assert not trainer.stop
    assert guard_json(run)["verdict"] == "FAULT"  # a later good epoch does not take it back
    assert len(guard_json(run)["checks"]) == 3


def test_the_null_sees_what_history_does_not_accuse(run, make_trainer):
    """History accuses the adverse side only; a null both: a jump for the better is no healthy resume either."""
    better = GOOD * [0.5, 1.5, 0.5]
    store_null(run)
    assert guard_json(add_drift_callback(make_trainer()).train(better).run)["verdict"] == "FAULT"


def test_a_fault_that_all_resumes_share_is_seen_against_history(run, make_trainer):
    store_null(run, centre=BAD)
    report = guard_json(add_drift_callback(make_trainer()).train(BAD).run)
    assert report["checks"][0]["rule"] == "seam-adverse"


@pytest.mark.parametrize(
    "facts", [{"checkpoint": "0" * 64}, {"versions": {"ultralytics": "8.0.0"}}], ids=["checkpoint", "version"]
)
def test_a_null_of_something_else_is_not_used(run, make_trainer, facts):
    store_null(run, centre=BAD, **facts)
    assert guard_json(add_drift_callback(make_trainer()).train(GOOD).run)["checks"][0]["against"] == "history"


def test_later_epochs_use_the_null_only_where_it_has_them(run, make_trainer):
    store_null(run, epochs=2)
    report = guard_json(add_drift_callback(make_trainer()).train(GOOD, GOOD, GOOD).run)
    assert [c["against"] for c in report["checks"]] == ["seam31-abc", "seam31-abc", "history"]


def test_a_loss_that_becomes_nan_is_a_fault(run, make_trainer):
    report = guard_json(add_drift_callback(make_trainer()).train(np.array([np.nan, 0.5, 1.2])).run)
    assert report["verdict"] == "FAULT"


@pytest.mark.parametrize("where", ["keep", "check", "write"])
def test_any_error_is_one_warning_and_training_goes_on(run, make_trainer, warned, monkeypatch, where):
    def fail(*_, **__):
        raise ZeroDivisionError("on purpose")

    if where == "keep":
        monkeypatch.setattr("analyzer.replicates.archive.keep_checkpoint", fail)
    elif where == "check":
        monkeypatch.setattr(check, "check_epoch", fail)
    else:
        monkeypatch.setattr("analyzer.files.write_atomically", fail)
    monkeypatch.setattr("analyzer.runs.dataset.resolve_dataset", lambda *_, **__: None)
    monkeypatch.setattr("analyzer.replicates.archive.keep_manifest", lambda *_: None)
    trainer = add_drift_callback(make_trainer(), on_fault="stop").train(BAD, BAD)
    assert trainer.epoch == 32
    assert not trainer.stop
    assert len(warned) == 1
    assert "ZeroDivisionError: on purpose" in warned[0].getMessage()
    if where == "check":
        assert guard_json(run)["error"] == "ZeroDivisionError: on purpose"


def test_no_random_state_is_touched(run, make_trainer):
    import torch

    store_null(run, epochs=1)
    random.seed(1)
    np.random.seed(1)
    torch.manual_seed(1)
    before = random.getstate(), str(np.random.get_state()), torch.get_rng_state().tolist()
    add_drift_callback(make_trainer()).train(GOOD, GOOD)
    assert len(guard_json(run)["checks"]) == 2
    assert (random.getstate(), str(np.random.get_state()), torch.get_rng_state().tolist()) == before


def test_other_ranks_do_nothing(run, make_trainer, monkeypatch):
    monkeypatch.setenv("RANK", "1")
    add_drift_callback(make_trainer(), on_fault="stop").train(BAD)
    assert not (run.path / "drift").exists()


def test_the_guard_travels_to_ddp_workers(run, make_trainer):
    """Ultralytics pickles the callbacks; all of them stay one guard."""
    callbacks = pickle.loads(pickle.dumps(add_drift_callback(make_trainer(), on_fault="stop").callbacks))
    worker = make_trainer()
    worker.callbacks = callbacks
    assert len({id(c.__self__) for functions in callbacks.values() for c in functions}) == 1
    assert worker.train(BAD).stop


def test_a_second_guard_replaces_the_first(make_trainer):
    trainer = add_drift_callback(add_drift_callback(make_trainer()), epochs=1)
    assert [len(trainer.callbacks[e]) for e in EVENTS] == [1] * len(EVENTS)
    assert trainer.callbacks[EVENTS[0]][0].__self__.epochs == 1


def test_a_guard_can_be_used_again(run, make_trainer):
    guard = add_drift_callback(make_trainer())
    guard.train(GOOD)
    guard.args.resume = None
    guard.train(BAD)
    assert len(guard_json(run)["checks"]) == 1


@pytest.mark.parametrize("options", [{"on_fault": "explode"}, {"epochs": 0}, {"alpha": 0.0}, {"alpha": 0.7}])
def test_senseless_options_are_refused(options):
    with pytest.raises(UsageError):
        Guard(**options)


def test_a_certain_finding_of_the_audit_is_a_fault(run, make_trainer):
    """An argument that no resume may change: the checkpoint was edited."""
    text = (run.path / "args.yaml").read_text()
    (run.path / "args.yaml").write_text(text.replace("lr0: 0.01", "lr0: 0.1"))
    report = guard_json(add_drift_callback(make_trainer()).train(GOOD, GOOD).run)
    assert [c["rule"] == "certain-cause" for c in report["checks"]] == [True, False]
    assert "lr0" in report["reason"]
