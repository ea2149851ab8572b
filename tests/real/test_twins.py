"""A fault made by plain Ultralytics at run time, which no state shows: without a replay, twins name it first."""

import subprocess
import sys

import analyzer
from analyzer.domain.evidence import Certainty

VALIDATES_ON_TRAINING_IMAGES = """
import os, sys
from ultralytics import YOLO
from ultralytics.models.yolo.detect import DetectionTrainer

class Trainer(DetectionTrainer):
    def build_dataset(self, img_path, mode="train", batch=None):
        return super().build_dataset(self.data["train"] if mode == "val" else img_path, mode, batch)

model = YOLO(sys.argv[1])
model.add_callback("on_model_save", lambda t: os._exit(0))
model.train(trainer=Trainer, resume=True)
"""


def test_the_fault_is_the_likeliest_and_never_certain(killed_run, demo_runs, tmp_path):
    run = demo_runs.copy_run(killed_run, tmp_path / "run", weights=("last.pt", "epoch2.pt"))
    last = demo_runs.relocate(run, seed=7)
    command = [sys.executable, "-c", VALIDATES_ON_TRAINING_IMAGES, str(last)]
    environment = demo_runs.child_environment(tmp_path)
    subprocess.run(command, env=environment, check=True, capture_output=True, cwd=tmp_path)
    for path in (run / "weights").glob("*.pt"):
        if path.name != "epoch2.pt":
            path.unlink()
    result = analyzer.analyze(run, replicates=5, replay=False)
    assert result.diagnosis[0].id == "wrong-data", result.twins
    assert result.diagnosis[0].certainty is not Certainty.CERTAIN
    assert result.twins.answer == "wrong-data"
    assert "val" in result.twins.arms[0].words
    assert result.cost.by_step["twins"] == result.twins.epochs > 0
