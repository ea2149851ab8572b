"""Whole checkpoints of every task, as the trainer saves them, through our allow-list."""

import os
from copy import deepcopy

import pytest

from analyzer.errors import CheckpointError
from analyzer.runs.checkpoint import load_payload, read_checkpoint

TASKS = {
    "detect": ("DetectionModel", "yolov8n.yaml"),
    "segment": ("SegmentationModel", "yolo11n-seg.yaml"),
    "pose": ("PoseModel", "yolov8n-pose.yaml"),
    "obb": ("OBBModel", "yolov8n-obb.yaml"),
    "classify": ("ClassificationModel", "yolov8n-cls.yaml"),
}


@pytest.fixture(scope="module")
def ultralytics(tmp_path_factory):
    """Ultralytics with settings of its own."""
    old = os.environ.get("YOLO_CONFIG_DIR")
    os.environ["YOLO_CONFIG_DIR"] = str(tmp_path_factory.mktemp("config"))
    tasks = pytest.importorskip("ultralytics.nn.tasks")
    yield tasks
    if old is None:
        del os.environ["YOLO_CONFIG_DIR"]
    else:
        os.environ["YOLO_CONFIG_DIR"] = old


def save(tasks, task, file, adam):
    """What ``BaseTrainer.save_model`` of 8.4.190 writes, after one optimizer step."""
    import torch
    from ultralytics.utils import IterableSimpleNamespace
    from ultralytics.utils.torch_utils import convert_optimizer_state_dict_to_fp16

    name, yaml = TASKS[task]
    torch.manual_seed(0)
    model = getattr(tasks, name)(yaml, ch=3, nc=2, verbose=False)
    model.names = {0: "a", 1: "b"}
    args = {"task": task, "data": "data.yaml", "seed": 0}
    model.args = IterableSimpleNamespace(**args)
    optimizer = torch.optim.AdamW(model.parameters()) if adam else torch.optim.SGD(model.parameters(), 0.01, 0.9)
    for p in model.parameters():
        p.grad = torch.zeros_like(p)
    optimizer.step()
    torch.save(
        {
            "epoch": 2,
            "best_fitness": 0.5,
            "stopper": {"best_fitness": 0.5, "best_epoch": 2},
            "model": None,
            "ema": deepcopy(model).half(),
            "updates": 7,
            "optimizer": convert_optimizer_state_dict_to_fp16(deepcopy(optimizer.state_dict())),
            "scaler": torch.amp.GradScaler("cpu", enabled=False).state_dict(),
            "train_args": args,
            "train_metrics": {"fitness": 0.5},
            "train_results": {"epoch": [1, 2, 3]},
            "date": "2024-01-01T00:00:00",
            "version": "8.4.190",
        },
        file,
    )
    return model


@pytest.mark.parametrize("task", TASKS)
def test_every_task(tmp_path, ultralytics, task):
    import torch

    file = tmp_path / "last.pt"
    adam = task in ("segment", "pose")
    model = save(ultralytics, task, file, adam)
    allowed = set(torch.serialization.get_safe_globals())

    facts = read_checkpoint(file)
    assert (facts.task, facts.epoch, facts.updates, dict(facts.names)) == (task, 2, 7, {0: "a", 1: "b"})
    assert facts.optimizer_kind == ("Adam-like" if adam else "SGD-like")

    payload = load_payload(file)
    assert type(payload["ema"]) is type(model)
    loaded = payload["ema"].state_dict()
    for key, value in model.state_dict().items():
        assert torch.equal(loaded[key].float(), value.half().float()), key
    assert len(payload["optimizer"]["state"]) == len(list(model.parameters()))
    assert set(torch.serialization.get_safe_globals()) == allowed  # nothing stays registered in the process


def test_truncated_tensor_data(tmp_path, ultralytics):
    file = tmp_path / "last.pt"
    save(ultralytics, "classify", file, False)
    file.write_bytes(file.read_bytes()[:-3000])
    with pytest.raises(CheckpointError, match="truncated"):
        load_payload(file)


def test_torchscript_and_state_dict(tmp_path):
    import torch

    file = tmp_path / "last.pt"
    torch.save(torch.nn.Linear(2, 2).state_dict(), file)
    with pytest.raises(CheckpointError, match="state_dict"):
        read_checkpoint(file)
    torch.save(torch.nn.Linear(2, 2), file)
    with pytest.raises(CheckpointError, match="holds a Linear alone"):
        load_payload(file)
    torch.save({"a": torch.zeros(2)}, file, _use_new_zipfile_serialization=False)
    with pytest.raises(CheckpointError, match=r"torch before 1\.6"):
        read_checkpoint(file)


def test_crafted_model_constructor_is_not_called(tmp_path, ultralytics):
    """A yaml's activation string is evaluated by the constructor of a model: calling it would run code."""
    import torch

    mark = tmp_path / "mark"

    class Attack:
        def __reduce__(self):
            code = f"open({str(mark)!r}, 'w')"
            yaml = {"nc": 1, "activation": code, "backbone": [], "head": []}
            return ultralytics.DetectionModel, (yaml,)

    file = tmp_path / "last.pt"
    torch.save({"epoch": 1, "train_args": {}, "ema": Attack()}, file)
    for reader in (read_checkpoint, load_payload):
        with pytest.raises(CheckpointError, match="DetectionModel is called"):
            reader(file)
    assert not mark.exists()
