"""Every intervention does what its fault is, and nothing that outlives the replicate."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from analyzer.errors import UsageError
from analyzer.faults import files
from analyzer.faults.registry import faults, make


def trainer(groups=("weight", "bias"), momentum=0.9):
    made = [{"lr": 0.002, "initial_lr": 0.01, "param_group": g, "momentum": momentum} for g in groups]
    return SimpleNamespace(
        optimizer=SimpleNamespace(param_groups=made, state={"weight": 1}),
        scheduler=SimpleNamespace(base_lrs=[0.01] * len(groups), last_epoch=4),
        ema=SimpleNamespace(updates=400),
        args=SimpleNamespace(warmup_epochs=2.0, warmup_bias_lr=0.1, warmup_momentum=0.8, momentum=0.9, nbs=16),
        train_loader=[0] * 60,
        batch_size=4,
        accumulate=4,
        start_epoch=5,
        epoch=5,
        lf=lambda epoch: 0.5,
    )


def test_every_fault_of_the_catalogue_of_interventions_has_an_id_of_its_own():
    assert set(faults()) >= {
        "not-a-resume", "weights-replaced", "wrong-checkpoint", "optimizer-lost", "optimizer-changed", "lr-jump",
        "warmup-repeated", "ema-reset", "mosaic-state", "augmentation-changed", "wrong-data", "batch-changed",
        "head-rebuilt",
    }  # fmt: skip
    assert all(fault.id == name for name, fault in faults().items())


@pytest.mark.parametrize(("name", "parameters"), [("no-such", {}), ("ema-reset", {"wrong": 1}), ("lr-jump", {})])
def test_what_does_not_fit_is_a_sentence(name, parameters):
    with pytest.raises(UsageError):
        make(name, parameters)


@pytest.mark.parametrize(
    ("name", "parameters", "before", "after"),
    [
        ("mosaic-state", {"state": "off"}, {"mosaic": 1.0}, {"mosaic": 0.0}),
        ("mosaic-state", {"state": "open"}, {"mosaic": 0.0, "close_mosaic": 10}, {"mosaic": 1.0, "close_mosaic": 0}),
        ("mosaic-state", {"state": "closed"}, {"epochs": 80, "close_mosaic": 10}, {"epochs": 80, "close_mosaic": 80}),
        ("augmentation-changed", {"mixup": 0.5}, {"mixup": 0.0}, {"mixup": 0.5}),
        ("batch-changed", {"batch": 8}, {"batch": 16, "imgsz": 96}, {"batch": 8, "imgsz": 96}),
        ("batch-changed", {"imgsz": 32}, {"batch": 16, "imgsz": 96}, {"batch": 16, "imgsz": 32}),
    ],
)
def test_arguments_are_edited(name, parameters, before, after):
    args = dict(before)
    make(name, parameters).edit_args(args)
    assert args == after


def test_a_lost_optimizer_keeps_its_groups():
    payload = {"optimizer": {"state": {0: 1}, "param_groups": ["g"]}}
    make("optimizer-lost", {}).edit_checkpoint(payload)
    assert payload["optimizer"] == {"state": {}, "param_groups": ["g"]}


def test_another_optimizer_is_built_as_ultralytics_does():
    t, built = trainer(), {}
    t.args = SimpleNamespace(lr0=0.01, momentum=0.9, weight_decay=0.0005, nbs=16)
    t.model = "model"
    t.build_optimizer = lambda **how: built.update(how) or "another"
    t._setup_scheduler = lambda: setattr(t, "scheduler", SimpleNamespace(last_epoch=0))
    make("optimizer-changed", {"optimizer": "SGD"}).at_start(t)
    assert built == {"model": "model", "name": "SGD", "lr": 0.01, "momentum": 0.9, "decay": 0.0005}
    assert (t.optimizer, t.scheduler.last_epoch) == ("another", 4)


@pytest.mark.parametrize(("factors", "expected"), [(10, [0.1, 0.1]), ([10, 2], [0.1, 0.02])])
def test_a_jump_reaches_schedule_and_warmup(factors, expected):
    t = trainer()
    make("lr-jump", {"factors": factors}).at_start(t)
    assert t.scheduler.base_lrs == pytest.approx(expected)
    assert [g["initial_lr"] for g in t.optimizer.param_groups] == pytest.approx(expected)


def test_factors_must_fit_the_groups():
    with pytest.raises(UsageError, match="3 factors"):
        make("lr-jump", {"factors": [1, 2, 3]}).at_start(trainer())


def test_a_repeated_warmup_ramps_from_the_first_resumed_batch():
    t, fault = trainer(), make("warmup-repeated", {})
    fault.at_start(t)
    rates, steps = [], []
    for _ in range(130):
        fault.at_batch(t)
        rates.append([g["lr"] for g in t.optimizer.param_groups])
        steps.append(t.accumulate)
    target = 0.01 * 0.5
    assert rates[0] == pytest.approx([0.0, 0.1])
    assert rates[60] == pytest.approx([target / 2, (0.1 + target) / 2])  # half of 2 epochs of 60 batches
    assert rates[-1] == pytest.approx([target, target])
    assert (steps[0], steps[-1]) == (1, 4)
    assert t.optimizer.param_groups[0]["momentum"] == pytest.approx(0.9)


def test_no_warmup_is_not_repeated():
    t, fault = trainer(), make("warmup-repeated", {})
    t.args.warmup_epochs = 0.0
    fault.at_start(t)
    fault.at_batch(t)
    assert t.optimizer.param_groups[0]["lr"] == 0.002


def test_a_reset_ema_and_a_new_training():
    t = trainer()
    make("ema-reset", {}).at_start(t)
    assert t.ema.updates == 0
    t = trainer()
    make("ema-reset", {"raw": True}).at_start(t)
    assert (t.ema.updates, t.ema.decay(400)) == (400, 0.0)
    t = trainer()
    make("not-a-resume", {}).at_start(t)
    assert (t.start_epoch, t.scheduler.last_epoch, t.optimizer.state, t.ema.updates) == (0, -1, {}, 0)


def test_permuted_classes_leave_the_shared_labels_alone():
    labels = [{"cls": np.array([[0.0], [2.0]], dtype=np.float32)}]
    t = trainer()
    t.train_loader = SimpleNamespace(dataset=SimpleNamespace(labels=labels))
    make("wrong-data", {"order": [2, 1, 0]}).at_start(t)
    changed = t.train_loader.dataset.labels[0]["cls"]
    assert changed.tolist() == [[2.0], [0.0]]
    assert changed.dtype == np.float32
    assert labels[0]["cls"].tolist() == [[0.0], [2.0]]


def test_other_images_are_named_in_the_data_yaml():
    data = {"train": "/a", "val": "/b", "nc": 2}
    make("wrong-data", {"val": "/a"}).edit_data(data)
    assert data == {"train": "/a", "val": "/a", "nc": 2}


def net(value):
    module = torch.nn.Linear(2, 1)
    torch.nn.init.constant_(module.weight, value)
    module.args = {"seed": value}
    return module


@pytest.fixture
def other(monkeypatch):
    """Another checkpoint, read whatever path is given."""
    payload = {"ema": net(7), "updates": 70, "optimizer": {"state": {1: 7}}, "epoch": 6, "train_args": {"seed": 7}}
    monkeypatch.setattr(files, "load_payload", lambda path, sha256: payload)
    return payload


def test_another_checkpoint_brings_its_state_but_neither_epoch_nor_arguments(other):
    payload = {"ema": net(9), "updates": 90, "optimizer": {}, "epoch": 8, "train_args": {"seed": 9}}
    make("wrong-checkpoint", {"path": "x.pt"}).edit_checkpoint(payload)
    assert (payload["epoch"], payload["train_args"], payload["ema"].args) == (8, {"seed": 9}, {"seed": 9})
    assert (payload["updates"], payload["optimizer"]) == (70, {"state": {1: 7}})
    assert payload["ema"].weight.tolist() == [[7.0, 7.0]]


def test_replaced_weights_keep_optimizer_and_counter(other):
    payload = {"ema": net(9), "updates": 90, "optimizer": {"state": {}}}
    make("weights-replaced", {"path": "x.pt"}).edit_checkpoint(payload)
    assert payload["ema"].weight.tolist() == [[7.0, 7.0]]
    assert (payload["updates"], payload["optimizer"]) == (90, {"state": {}})


def test_raw_weights_alone_are_replaced_in_the_trainer(other):
    payload, t = {"ema": net(9)}, SimpleNamespace(model=net(9))
    fault = make("weights-replaced", {"path": "x.pt", "raw_only": True})
    fault.edit_checkpoint(payload)
    fault.at_start(t)
    assert payload["ema"].weight.tolist() == [[9.0, 9.0]]
    assert t.model.weight.tolist() == [[7.0, 7.0]]

    wrapped = SimpleNamespace(model=torch.nn.Sequential())  # as on several GPUs: the same names with a prefix
    wrapped.model.module = net(9)
    fault.at_start(wrapped)
    assert wrapped.model.module.weight.tolist() == [[7.0, 7.0]]


def test_a_rebuilt_head_draws_from_a_generator_of_its_own():
    head = torch.nn.Sequential(torch.nn.Linear(2, 1))
    model = SimpleNamespace(model=[torch.nn.Identity(), head])
    t = SimpleNamespace(
        model=model, ema=SimpleNamespace(ema=SimpleNamespace(model=[None, torch.nn.Sequential(torch.nn.Linear(2, 1))]))
    )
    before, state = head[0].weight.clone(), torch.get_rng_state()
    make("head-rebuilt", {}).at_start(t)
    assert not torch.equal(before, head[0].weight)
    assert torch.equal(t.ema.ema.model[-1][0].weight, head[0].weight)
    assert torch.equal(torch.get_rng_state(), state)
