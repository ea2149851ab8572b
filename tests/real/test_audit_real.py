"""The audit of healthy runs finds nothing; the same runs with a fault put in by hand are named."""

import shutil

import pytest
import torch

from analyzer.domain.evidence import Severity
from analyzer.pipeline.audit import AuditOptions, audit_place

CASES = {
    "adamw": {},
    "auto": {"optimizer": "auto", "nbs": 64},
    "musgd": {"optimizer": "MuSGD", "lr0": 0.01, "warmup_epochs": 1.0},
    "sgd-accumulating": {"optimizer": "SGD", "lr0": 0.01, "nbs": 8},
    "seam-in-warmup": {"optimizer": "SGD", "lr0": 0.01, "nbs": 16, "warmup_epochs": 5.0, "cos_lr": True},
}


def loud(audited):
    return [f for f in audited.findings if f.severity is not Severity.INFORMATION]


def ids(audited, severity=Severity.HARD):
    return [f.id for f in audited.findings if f.severity is severity]


def after_of(run):
    return audit_place(run).facts.after.checkpoint.path


def edit(path, change):
    payload = torch.load(path, map_location="cpu", weights_only=False)
    change(payload)
    torch.save(payload, path)


@pytest.fixture(scope="module", params=sorted(CASES))
def resumed(request, tmp_path_factory, train_run, resume_run):
    """A killed and a resumed run of each kind."""
    folder = tmp_path_factory.mktemp(request.param)
    killed = train_run(folder, until=2, **CASES[request.param])
    return killed, resume_run(killed, folder / "resumed", epochs=2)


def test_healthy_runs_are_not_accused(resumed):
    killed, run = resumed
    audited = audit_place(run)
    assert audited.facts.seam.epoch == 3 and audited.facts.after is not None and audited.facts.batches == 4
    assert loud(audited) == []
    assert loud(audit_place(killed)) == []
    assert "lr-unknown" not in [f.id for f in audited.findings]


def test_the_number_of_steps_is_exact(resumed):
    from analyzer.diagnosis.audit.steps import loops, optimizer_steps

    _, run = resumed
    facts = audit_place(run).facts
    before, after = facts.before.checkpoint, facts.after.checkpoint
    made = after.updates - before.updates
    assert made == optimizer_steps(loops(before.train_args, 4)[0], before.epoch + 1, after.epoch)
    assert before.updates == optimizer_steps(loops(before.train_args, 4)[0], 0, before.epoch)


@pytest.fixture
def run(tmp_path, resumed_run, copy_run):
    """A healthy resumed run of three epochs and one, to be spoilt."""
    return copy_run(resumed_run, tmp_path / "run")


def test_untouched_copy_is_healthy(run):
    assert loud(audit_place(run)) == []


def test_ema_reset(run):
    edit(after_of(run), lambda p: p.update(updates=4))
    assert ids(audit_place(run)) == ["ema-reset"]


def test_optimizer_lost(run):
    edit(after_of(run), lambda p: p["optimizer"]["state"].clear())
    assert ids(audit_place(run)) == ["optimizer-lost"]


def test_adam_counters_that_began_anew(run):
    def restart(payload):
        for state in payload["optimizer"]["state"].values():
            state["step"] = torch.tensor(4.0)

    edit(after_of(run), restart)
    assert "optimizer-lost" in ids(audit_place(run))


def test_second_moments_in_half_precision(run):
    def halve(payload):
        for state in payload["optimizer"]["state"].values():
            state["exp_avg_sq"] = state["exp_avg_sq"].half() * 0

    edit(after_of(run), halve)
    assert ids(audit_place(run)) == ["optimizer-underflow"]


def test_nan_weights(run):
    edit(after_of(run), lambda p: next(p["ema"].parameters()).data.fill_(float("nan")))
    assert "non-finite" in ids(audit_place(run))


def test_other_optimizer(run):
    edit(after_of(run), lambda p: p["train_args"].update(optimizer="SGD"))
    assert set(ids(audit_place(run))) == {"optimizer-changed"}


def test_metrics_of_another_run(run):
    seam = audit_place(run).facts.before.checkpoint.path
    edit(seam, lambda p: p["train_metrics"].update({"val/box_loss": 9.0}))
    assert ids(audit_place(run)) == ["wrong-checkpoint"]


def test_learning_rate_in_the_csv(run):
    path = run / "results.csv"
    *rest, last = path.read_text().strip().splitlines()
    cells = last.split(",")
    cells[-3:] = [f"{float(c) * 3:.6g}" for c in cells[-3:]]
    path.write_text("\n".join([*rest, ",".join(cells)]) + "\n")
    found = [f for f in audit_place(run).findings if f.id == "lr-jump"]
    assert [f.severity for f in found] == [Severity.HARD] and "factor 3 " in found[0].evidence


def test_stripped_checkpoint(run):
    alone = run / "weights" / "stripped.pt"
    shutil.copy2(run / "weights/last.pt", alone)
    edit(alone, lambda p: p.update(epoch=-1, optimizer=None))
    assert [f.id for f in audit_place(alone).findings] == ["finished"]
    assert "not-a-resume" in ids(audit_place(run, AuditOptions(checkpoint=alone)))
