import os
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from analyzer.cli.app import app
from analyzer.diagnosis.audit.optimizer import optimizer_classes
from analyzer.diagnosis.audit.run import audit_run
from analyzer.domain.evidence import Severity
from analyzer.errors import CheckpointError
from analyzer.pipeline.audit.collect import collect_facts
from analyzer.pipeline.audit.stale_labels import label_classes
from analyzer.runs.data_content import label_of
from analyzer.runs.dataset import manifest, resolve_dataset
from analyzer.runs.labelcache import read_label_cache
from analyzer.runs.tensors import read_tensors


class Payload:
    """A pickle that would make a file."""

    def __init__(self, mark):
        self.mark = str(mark)

    def __reduce__(self):
        return os.system, (f"touch {self.mark}",)


def save_cache(path, content):
    with path.open("wb") as file:
        np.save(file, content, allow_pickle=True)


@pytest.fixture
def data(tmp_path):
    for split in ("train", "val"):
        for kind, suffix, content in (("images", "jpg", "x"), ("labels", "txt", "1 0.5 0.5 0.1 0.1\n")):
            (tmp_path / kind / split).mkdir(parents=True)
            for i in range(3):
                (tmp_path / kind / split / f"{i}.{suffix}").write_text(content)
    (tmp_path / "data.yaml").write_text(f"path: {tmp_path}\ntrain: images/train\nval: images/val\nnames: [a, b]\n")
    return tmp_path


@pytest.fixture
def checkpoint(data):
    path = data / "run" / "weights" / "last.pt"
    path.parent.mkdir(parents=True)
    module = torch.nn.Linear(2, 2).half()
    state = {0: {"step": torch.tensor(3.0), "exp_avg": torch.ones(4), "exp_avg_sq": torch.tensor([0.0, 1, 1, 1])}}
    group = {"params": [0], "lr": 0.01, "initial_lr": 0.01, "betas": (0.9, 0.999), "amsgrad": False}
    content = {
        "epoch": 4,
        "updates": 3,
        "ema": module,
        "optimizer": {"state": state, "param_groups": [group]},
        "scaler": {"scale": 65536.0},
        "train_args": {"data": str(data / "data.yaml"), "epochs": 9, "optimizer": "Adam", "lr0": 0.01, "device": "cpu"},
        "train_metrics": {"val/box_loss": 1.0},
        "date": "2099-01-01T00:00:00+00:00",
        "version": "8.4.190",
    }
    torch.save(content, path)
    return path


def facts_of(checkpoint):
    from analyzer.runs.checkpoint import read_checkpoint

    return collect_facts(None, None, (), read_checkpoint(checkpoint))


def test_tensors_are_read_without_torch(checkpoint):
    facts = read_tensors(checkpoint)
    assert facts.weights == 2 and facts.not_finite == () and facts.scaler == {"scale": 65536.0}
    held = facts.optimizer
    assert held.steps == (3.0,) and held.states == 1 and held.groups[0].initial_lr == 0.01
    assert held.moments["exp_avg_sq"].zeros == 0.25 and held.moments["exp_avg_sq"].formats == ("float32",)
    assert held.vanished == 0.25


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_numbers_of_every_format(checkpoint, dtype):
    content = torch.load(checkpoint, weights_only=False)
    whole = torch.arange(12, dtype=torch.float32).to(dtype)
    content["optimizer"]["state"][0] = {
        "step": 7,
        "exp_avg": whole[4:8],
        "exp_avg_sq": whole[0:4],
    }  # views of one storage
    torch.save(content, checkpoint)
    held = read_tensors(checkpoint).optimizer
    assert held.steps == (7.0,) and held.moments["exp_avg"].zeros == 0.0 and held.moments["exp_avg_sq"].zeros == 0.25
    content["ema"].weight.data[0, 1] = float("inf")
    torch.save(content, checkpoint)
    assert read_tensors(checkpoint).not_finite == ("weight",)


def test_a_flipped_bit_in_a_tensor_is_damage_and_no_reading(checkpoint):
    raw = checkpoint.read_bytes()
    at = raw.index(torch.ones(4).numpy().tobytes())
    checkpoint.write_bytes(raw[: at + 3] + bytes([raw[at + 3] ^ 1]) + raw[at + 4 :])
    with pytest.raises(CheckpointError, match="damaged"):
        read_tensors(checkpoint)


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "Adamax", "NAdam", "RAdam", "RMSprop"])
def test_an_optimizer_is_recognised_by_its_groups(name):
    made = getattr(torch.optim, name)([torch.nn.Parameter(torch.ones(1))], lr=0.1)
    assert name in optimizer_classes(made.state_dict()["param_groups"][0])


def test_facts_of_a_checkpoint_alone(checkpoint):
    facts = facts_of(checkpoint)
    assert facts.data.images == {"train": 3, "val": 3} and facts.data.labels == {"train": 3, "val": 3}
    assert facts.data.newer == () and facts.data.changes is None
    assert audit_run(facts) == ()


def test_label_cache(data, checkpoint):
    entries = [
        {"im_file": str(data / "images/train" / f"{i}.jpg"), "cls": np.array([[1.0]], dtype=np.float32), "bboxes": 0}
        for i in range(3)
    ]
    content = {"labels": entries, "hash": "abc", "version": "1.0.3", "results": (3, 0, 0, 0, 3), "msgs": []}
    save_cache(data / "labels" / "train.cache", content)
    cache = read_label_cache(data / "labels" / "train.cache")
    assert cache.hash == "abc" and cache.problem == "" and list(cache.classes.values()) == [{1: 1}] * 3
    assert audit_run(facts_of(checkpoint)) == ()
    (data / "labels/train/1.txt").write_text("0 0.5 0.5 0.1 0.1\n")
    before = (data / "labels" / "train.cache").read_bytes()
    (only,) = audit_run(facts_of(checkpoint))
    assert only.id == "stale-cache" and "1 of 3 images (1.jpg)" in only.evidence
    assert (data / "labels" / "train.cache").read_bytes() == before


def test_of_many_labels_only_later_ones_are_opened(data, checkpoint, monkeypatch):
    entries = [{"im_file": str(data / f"images/train/{i}.jpg"), "cls": np.array([[0.0]])} for i in range(3)]
    cache = data / "labels" / "train.cache"
    save_cache(cache, {"labels": entries, "hash": "abc"})  # the files say class 1
    os.utime(cache, (4e9, 4e9))
    assert [f.id for f in audit_run(facts_of(checkpoint))] == ["stale-cache"]
    monkeypatch.setattr("analyzer.pipeline.audit.stale_labels._ALL", 2)
    assert audit_run(facts_of(checkpoint)) == ()
    os.utime(data / "labels/train/2.txt", (4e9 + 1, 4e9 + 1))
    found = [f for f in audit_run(facts_of(checkpoint)) if f.id == "stale-cache"]
    assert len(found) == 1 and "1 of 3 images (2.jpg)" in found[0].evidence


def test_a_malicious_label_cache_runs_nothing(data, checkpoint, tmp_path):
    mark = tmp_path / "it-ran"
    save_cache(data / "labels" / "train.cache", {"hash": Payload(mark), "labels": []})
    (data / "labels" / "val.cache").write_bytes(pickle.dumps(Payload(mark)))
    found = audit_run(facts_of(checkpoint))
    assert [f.id for f in found] == ["cache-not-read"] * 2 and not mark.exists()
    assert "system" in found[0].evidence + found[1].evidence


@pytest.mark.parametrize("cut", [0, 3, 20, 80, 200])
def test_a_damaged_label_cache_is_named(tmp_path, cut):
    path = tmp_path / "train.cache"
    save_cache(path, {"hash": "abc", "labels": [{"im_file": "a.jpg", "cls": np.zeros((3, 1))}]})
    path.write_bytes(path.read_bytes()[:cut])
    assert read_label_cache(path).problem


def test_manifest_names_the_files(data, checkpoint):
    import json

    from analyzer.pipeline.audit.collect import _changes
    from analyzer.runs.data_content import list_images

    dataset = resolve_dataset({"data": str(data / "data.yaml")}, run=data)
    recorded = json.loads(json.dumps(manifest(dataset)))
    (data / "labels/train/0.txt").write_text("0 0.5 0.5 0.1 0.1\n")
    (data / "images/train/1.jpg").write_text("xx")
    (data / "images/val/2.jpg").unlink()
    shutil.copy2(data / "images/val/0.jpg", data / "images/val/9.jpg")
    images = {s: [(p, i) for p in places for i in list_images(p)] for s, places in dataset.splits.items()}
    changes = {(c.split, c.name): c.what for c in _changes(dataset, recorded, images)}
    assert changes == {
        ("train", "0.jpg"): "label changed",
        ("train", "1.jpg"): "image size changed",
        ("val", "2.jpg"): "removed",
        ("val", "9.jpg"): "added",
    }


def test_manifest_of_the_seam_is_found_and_decides(data, checkpoint):
    import json

    from analyzer.domain.run import Seam, SeamSign
    from analyzer.runs.checkpoint import read_checkpoint
    from analyzer.runs.directory import read_run

    run = checkpoint.parents[1]
    rows = "".join(f"{e},{2 - 0.1 * e:.6g},1\n" for e in range(1, 8))
    (run / "results.csv").write_text("epoch,train/box_loss,val/box_loss\n" + rows)
    before = checkpoint.with_name("epoch4.pt")
    shutil.copy2(checkpoint, before)
    content = torch.load(checkpoint, weights_only=False)
    content |= {"epoch": 5, "updates": 6}
    content["optimizer"]["state"][0]["step"] = torch.tensor(6.0)
    torch.save(content, checkpoint)
    dataset = resolve_dataset({"data": str(data / "data.yaml")}, run=data)
    kept = run / "drift" / "seams" / "epoch5"
    kept.mkdir(parents=True)
    start = read_checkpoint(before)
    held = {"checkpoint": start.sha256, "epoch": start.csv_epoch, "data": manifest(dataset)}
    (kept / "manifest.json").write_text(json.dumps(held))
    seam = Seam(6, 5, 4, SeamSign.GIVEN, "given.")

    def hard():
        facts = collect_facts(read_run(run), seam, (seam,), start)
        assert facts.data.changes is not None and facts.after.checkpoint.epoch == 5
        return [f for f in audit_run(facts) if f.severity is Severity.HARD]

    assert hard() == []
    (data / "labels/train/2.txt").write_text("0 0.5 0.5 0.1 0.1\n")
    (only,) = hard()
    assert only.id == "wrong-data" and "1 label changed): train/2.jpg" in only.evidence


def test_labels_written_after_the_checkpoint(data, checkpoint):
    content = torch.load(checkpoint, weights_only=False)
    content["date"] = "2001-01-01T00:00:00+00:00"
    torch.save(content, checkpoint)
    os.utime(data / "labels/train/0.txt", (0, 0))
    (only,) = audit_run(facts_of(checkpoint))
    assert (only.id, only.severity) == ("wrong-data", Severity.WARNING) and "5 of 6 label files" in only.evidence


def test_masks_written_after_the_checkpoint(data, checkpoint):
    content = torch.load(checkpoint, weights_only=False)
    content["date"] = "2001-01-01T00:00:00+00:00"
    content["train_args"]["task"] = "semantic"
    torch.save(content, checkpoint)
    (data / "labels").rename(data / "masks")
    for file in (data / "masks").rglob("*.txt"):
        file.rename(file.with_suffix(".png"))
    os.utime(data / "masks/train/0.png", (0, 0))
    found = facts_of(checkpoint).data
    assert found.labels == {"train": 3, "val": 3}
    assert len(found.newer) == 5 and "train/0.png" not in found.newer


def test_labels_beside_images():
    assert label_of(Path("/d/images/train/a.b.jpg")) == Path("/d/labels/train/a.b.txt")
    assert label_of(Path("/d/images/train/a.b.jpg"), ("masks", (".png",))) == Path("/d/masks/train/a.b.png")
    assert label_classes(b"") == frozenset()


def test_command(checkpoint, tmp_path):
    runner = CliRunner()
    healthy = runner.invoke(app, ["audit", str(checkpoint)])
    assert healthy.exit_code == 0 and "Nothing found" in healthy.stdout
    content = torch.load(checkpoint, weights_only=False)
    content["ema"].weight.data.fill_(float("nan"))
    torch.save(content, checkpoint)
    faulty = runner.invoke(app, ["audit", str(checkpoint), "--json"])
    import json

    assert faulty.exit_code == 10
    assert [f["id"] for f in json.loads(faulty.stdout)["findings"]] == ["non-finite"]
    assert runner.invoke(app, ["audit", str(tmp_path / "none.pt")]).exit_code == 12
    bad = tmp_path / "bad.pt"
    mark = tmp_path / "it-ran"
    torch.save({"train_args": {}, "ema": Payload(mark), "epoch": 1}, bad)
    assert runner.invoke(app, ["audit", str(bad)]).exit_code == 12 and not mark.exists()
