from dataclasses import replace

import numpy as np
import pytest

from analyzer.diagnosis.audit import Side, audit_run
from analyzer.diagnosis.audit.facts import DataFacts, ManifestChange
from analyzer.diagnosis.audit.schedule import decay
from analyzer.domain.evidence import Severity
from analyzer.domain.run import SeamSign
from analyzer.runs.weights import PartMove
from tests.support import audit_facts as build

HARD, WARNING, INFORMATION = Severity.HARD, Severity.WARNING, Severity.INFORMATION


def found(facts, least=WARNING):
    kept = (HARD,) if least is HARD else (HARD, WARNING) if least is WARNING else tuple(Severity)
    return [(f.id, f.severity) for f in audit_run(facts) if f.severity in kept]


def test_a_healthy_resume_is_silent():
    assert audit_run(build.facts()) == ()


@pytest.mark.parametrize("factor", [10.0, 0.3, 1.01])
def test_lr_jump_names_the_factor(factor):
    rate = build.history().column("lr/pg0").copy()
    rate[build.SEAM - 1 :] *= factor
    (only,) = [f for f in audit_run(build.with_history(**{"lr/pg0": rate, "lr/pg1": rate})) if f.severity is HARD]
    assert only.id == "lr-jump" and f"factor {factor:.4g} " in only.evidence


def test_rounding_of_the_rate_is_no_jump():
    rate = np.array([float(f"{v:.6g}") for v in build.history().column("lr/pg0") * (1 + 4e-7)])
    assert found(build.with_history(**{"lr/pg0": rate, "lr/pg1": rate})) == []


def test_lr_jump_without_any_checkpoint():
    rate = build.history().column("lr/pg0").copy()
    rate[build.SEAM - 1 :] *= 10
    whole = build.with_history(**{"lr/pg0": rate, "lr/pg1": rate})
    run = replace(whole.run, args={**whole.run.args, "lr0": 0.1})
    assert found(replace(whole, run=run, before=None, after=None)) == [("lr-jump", HARD)]


def test_a_jump_of_a_later_resume_is_not_this_ones():
    rate = build.history().column("lr/pg0").copy()
    rate[8:] *= 10
    whole = build.with_history(**{"lr/pg0": rate, "lr/pg1": rate})
    later = build.seam(epoch=9, row=8, before=7)
    assert found(replace(whole, seams=(build.seam(), later))) == []
    assert found(replace(whole, seams=(build.seam(),))) == [("lr-jump", HARD)]


def test_warmup_repeated():
    args = {**build.ARGS, "warmup_epochs": 3.0}
    rate = build.history().column("lr/pg0").copy()
    loop = 3 * build.BATCHES  # iterations of warmup
    for epoch in (1, 2, 3):
        rate[epoch - 1] = 0.01 * decay(args, epoch - 1) * min((epoch * build.BATCHES - 1) / loop, 1)
    for j in range(2):
        epoch = build.SEAM + j
        rate[epoch - 1] = 0.01 * decay(args, epoch - 1) * ((j + 1) * build.BATCHES - 1) / loop
    whole = build.with_history(**{"lr/pg0": rate, "lr/pg1": rate})
    whole = replace(
        whole,
        run=replace(whole.run, args={**whole.run.args, "warmup_epochs": 3.0}),
        before=Side(build.checkpoint(build.SEAM - 1, train_args=args), whole.before.tensors),
        after=Side(build.checkpoint(build.SEAM, train_args=args), whole.after.tensors),
    )
    assert found(whole) == [("warmup-repeated", HARD)]


def test_edited_lr0_in_the_checkpoint():
    edited = {**build.ARGS, "lr0": 0.1}
    alone = Side(build.checkpoint(5, train_args=edited), build.tensors(25))
    whole = replace(build.facts(), run=None, seam=None, seams=(), before=alone, after=None)
    (only,) = audit_run(whole)
    assert (only.id, only.severity) == ("lr-jump", HARD) and "by 10." in only.evidence


def test_an_automatic_optimizer_is_told_apart():
    auto = {**build.ARGS, "optimizer": "auto", "lr0": 0.05}
    whole = build.facts()
    side = Side(build.checkpoint(5, train_args=auto), whole.before.tensors)
    after = Side(build.checkpoint(6, train_args=auto), whole.after.tensors)
    whole = replace(whole, before=side, after=after, run=replace(whole.run, args={**auto, "resume": "x"}))
    assert found(whole) == []  # the groups say 0.01, and the column follows it


def test_wrong_checkpoint_by_metrics_and_by_repeated_epochs():
    assert found(build.with_before(train_metrics={"val/box_loss": 0.61})) == [("wrong-checkpoint", HARD)]
    assert found(build.with_before(train_metrics={"val/box_loss": 0.600009})) == []
    whole = build.facts()
    epochs = np.array([1, 2, 3, 4, 5, 6, 7, 3, 4, 5])
    whole = replace(
        whole,
        run=replace(whole.run, history=replace(whole.run.history, epochs=epochs)),
        seam=build.seam(epoch=3, row=7, before=1, sign=SeamSign.EPOCH_REPEATS),
        before=None,
        after=None,
    )
    assert ("wrong-checkpoint", HARD) in found(whole)


def test_a_kill_between_row_and_checkpoint_is_no_fault():
    whole = build.facts()
    epochs = np.array([1, 2, 3, 4, 5, 6, 6, 7, 8, 9])
    whole = replace(
        whole,
        run=replace(whole.run, history=replace(whole.run.history, epochs=epochs)),
        seam=build.seam(row=6, before=4, sign=SeamSign.EPOCH_REPEATS),
        seams=(),
        before=None,
        after=None,
    )
    assert "wrong-checkpoint" not in [i for i, _ in found(whole)]


def test_not_a_resume():
    restarted = build.seam(sign=SeamSign.RESTART, epoch=1)
    assert ("not-a-resume", HARD) in found(replace(build.facts(), seam=restarted, seams=(restarted,), after=None))
    whole = build.facts()
    whole = replace(whole, run=replace(whole.run, args=build.ARGS))
    assert found(whole) == [("not-a-resume", WARNING)]
    stripped = build.with_before(epoch=-1, has_optimizer=False, updates=None)
    assert ("not-a-resume", HARD) in found(stripped)


def test_ema_counter():
    assert found(build.with_after(updates=3)) == [("ema-reset", HARD)]
    whole = build.facts()
    side = Side(build.checkpoint(6, updates=5 * build.BATCHES + 3), build.tensors(28))
    assert found(replace(whole, after=side)) == [("steps-off", WARNING)]


def test_counters_of_an_older_epoch_name_it():
    whole = build.facts()
    after = Side(build.checkpoint(6, updates=3 * build.BATCHES + 5), build.tensors(3 * build.BATCHES + 5))
    (only,) = [f for f in audit_run(replace(whole, after=after)) if f.severity is HARD]
    assert only.id == "wrong-checkpoint" and "epoch 3 gives" in only.evidence
    other = Side(build.checkpoint(6, updates=20), build.tensors(5))  # Adam began anew: two faults
    assert found(replace(whole, after=other)) == [("optimizer-lost", HARD), ("wrong-checkpoint", HARD)]


def test_counters_that_disagree_before_the_seam_do_not_accuse_this_resume():
    whole = build.facts()
    mature = {"updates": 20_000}
    before = Side(build.checkpoint(5, **mature), build.tensors(25))
    after = Side(build.checkpoint(6, updates=20_005), build.tensors(30))
    assert found(replace(whole, before=before, after=after), INFORMATION) == [("optimizer-lost", INFORMATION)]
    alone = replace(whole, run=None, seam=None, seams=(), before=before, after=None)
    assert found(alone) == [("optimizer-lost", WARNING)]


def test_a_checkpoint_without_its_row():
    whole = build.facts()
    short = replace(whole.run.history, epochs=whole.run.history.epochs + 100)
    assert ("wrong-checkpoint", WARNING) in found(replace(whole, run=replace(whole.run, history=short)))


def test_optimizer_state():
    whole = build.facts()

    def after(**changes):
        return found(replace(whole, after=Side(build.checkpoint(6), build.tensors(30, **changes))))

    assert after(states=0) == [("optimizer-lost", HARD)]
    assert after(formats=("float16",), vanished=0.4) == [("optimizer-underflow", HARD)]
    assert after(formats=("float16",), vanished=0.001) == [("optimizer-underflow", WARNING)]
    assert after(vanished=0.4) == []  # float32 zeros are weights without a gradient
    assert ("non-finite", HARD) in after(not_finite=("model.0.conv.weight",))
    assert set(after(options={"momentum": 0.9, "nesterov": True, "initial_lr": 0.01})) == {("optimizer-changed", HARD)}
    young = {"before": Side(build.checkpoint(5, updates=0), build.tensors(0, states=0)), "after": None}
    assert found(replace(whole, **young)) == []  # no step was made yet
    restarted = Side(build.checkpoint(6), build.tensors(5))
    assert ("optimizer-lost", HARD) in found(replace(whole, after=restarted))
    missing = Side(build.checkpoint(6, has_optimizer=False), replace(whole.after.tensors, optimizer=None))
    assert found(replace(whole, after=missing)) == [("optimizer-lost", HARD)]


def test_skipped_steps_of_mixed_precision_are_no_fault():
    cuda = {**build.ARGS, "device": "0"}
    whole = build.facts()
    before = Side(build.checkpoint(5, train_args=cuda), build.tensors(23))
    after = Side(build.checkpoint(6, train_args=cuda), build.tensors(28))
    whole = replace(whole, before=before, after=after, run=replace(whole.run, args={**cuda, "resume": "x"}))
    assert found(whole) == []


def test_arguments():
    whole = build.facts()

    def args(**changes):
        return found(replace(whole, run=replace(whole.run, args={**whole.run.args, **changes})))

    assert args(lr0=0.1) == [("lr-jump", HARD)]
    assert args(mixup=0.5) == [("augmentation-changed", HARD)]
    assert args(dropout=0.5) == [("edited-arguments", HARD)]
    assert args(batch=8) == [("changed-arguments", WARNING)]
    assert args(seed=5) == []
    later = build.seam(epoch=9, row=8, before=7)
    changed = replace(whole, run=replace(whole.run, args={**whole.run.args, "mixup": 0.5}))
    assert found(replace(changed, seams=(build.seam(), later))) == []  # args.yaml is that of the later resume


def test_mosaic_at_the_seam():
    closing = {**build.ARGS, "close_mosaic": build.ARGS["epochs"] - build.SEAM + 1}
    whole = build.facts()
    side = Side(build.checkpoint(5, train_args=closing), whole.before.tensors)
    after = Side(build.checkpoint(6, train_args=closing), whole.after.tensors)
    same = replace(whole, before=side, after=after, run=replace(whole.run, args={**closing, "resume": "x"}))
    assert found(same, INFORMATION) == [("seam-at-close-mosaic", INFORMATION)]
    opened = replace(same, after=Side(build.checkpoint(6), whole.after.tensors))
    assert ("mosaic-state", WARNING) in found(opened)


def test_data():
    whole = build.facts()

    def data(**changes):
        return found(replace(whole, data=replace(whole.data, **changes)), INFORMATION)

    assert data(names={0: "dog", 1: "cat", 2: "cow"}) == [("wrong-data", HARD)]
    assert data(names={0: "cat", 1: "dog"}) == [("head-rebuilt", HARD)]
    assert data(names={0: "cat", 1: "dog", 2: "kuh"}) == [("wrong-data", WARNING)]
    assert data(newer=("train/1.txt",)) == [("wrong-data", WARNING)]
    assert data(newer=tuple(map(str, range(24)))) == [("wrong-data", INFORMATION)]  # copied as a whole
    early, late = 1.0, 4e9
    assert data(changes=(ManifestChange("train", "1.jpg", "label changed", early),)) == [("wrong-data", HARD)]
    assert data(changes=(ManifestChange("train", "1.jpg", "label changed", late),)) == [("wrong-data", WARNING)]
    assert data(changes=()) == []
    assert found(replace(whole, data=DataFacts(missing="gone")), INFORMATION) == [("data-not-read", INFORMATION)]


def test_versions_of_both_sides():
    assert ("environment", WARNING) in found(build.with_after(version="8.4.100"))
    other = replace(build.facts(), installed={"ultralytics": "8.4.200"})
    assert found(other, INFORMATION) == [("environment", INFORMATION)]
    wrote = other.before.checkpoint.version
    (said,) = (f for f in audit_run(other) if f.id == "environment")
    assert "pip install" not in said.evidence
    (said,) = (f for f in audit_run(replace(other, installed={"ultralytics": "8.3.0"})) if f.id == "environment")
    assert f"so nothing resumes from it here: pip install ultralytics=={wrote}." in said.evidence


def test_a_warmup_of_another_length_is_seen_by_its_biases():
    share = (build.BATCHES - 1) / (3 * build.BATCHES)  # three epochs, where the arguments say none
    whole = build.facts()
    rates = {name: whole.run.history.column(name).copy() for name in ("lr/pg0", "lr/pg1")}
    at = build.SEAM - 1
    target = rates["lr/pg0"][at]
    rates["lr/pg0"][at] = share * target
    multiplied = {name: np.where(np.arange(build.N) == at, share * r, r) for name, r in rates.items()}
    rates["lr/pg1"][at] = 0.1 + (target - 0.1) * share
    assert found(build.with_history(**rates)) == [("warmup-repeated", HARD)]
    multiplied["lr/pg0"] = multiplied["lr/pg1"]
    assert found(build.with_history(**multiplied)) == [("lr-jump", HARD)]


@pytest.mark.parametrize(
    ("body", "head", "seen"),
    [
        (0.999, 0.999, []),
        (0.999, 0.02, [("head-rebuilt", HARD)]),
        (0.02, 0.02, [("weights-replaced", WARNING)]),
        (0.7, 0.02, []),
    ],
)
def test_unrelated_weights_after_the_seam(body, head, seen):
    moved = (PartMove("body", body, 1.0), PartMove("cv2", 0.999, 0.1), PartMove("cv3", head, 1.0))
    assert found(build.facts(moved=moved)) == seen
    late = replace(build.with_after(epoch=build.SEAM + 4, updates=None), moved=moved)
    assert not {"head-rebuilt", "weights-replaced"} & {i for i, _ in found(late)}


def test_as_many_steps_as_from_the_images_of_another_split():
    whole = build.with_after(updates=(build.SEAM - 1) * build.BATCHES + 1)  # one batch, as of the four val images
    (seen,) = [f for f in audit_run(whole) if f.id == "steps-off"]
    assert (seen.cause, "from the val images" in seen.evidence) == ("wrong-data", True)


def test_steps_of_another_data_set_are_no_sign_of_another_batch():
    steps = (build.SEAM - 1) * build.BATCHES + 3
    data = build.with_before(train_args={**build.ARGS, "data": "/d/a.yaml"})
    other = build.with_after(updates=steps, train_args={**build.ARGS, "data": "/d/b.yaml"})
    seen = {f.cause for f in audit_run(replace(data, after=other.after)) if f.id == "steps-off"}
    assert seen == {"wrong-data"}
    assert {f.cause for f in audit_run(build.with_after(updates=steps)) if f.id == "steps-off"} == {"batch-changed"}
