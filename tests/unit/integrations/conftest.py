"""A run that was broken off at epoch 30, its checkpoint, and a trainer that stands in for Ultralytics'."""

import io
import pickle
import zipfile
from collections import OrderedDict
from types import SimpleNamespace

import numpy as np
import pytest
import yaml

BEFORE = 30
COLUMNS = ("train/box_loss", "metrics/mAP50(B)", "val/box_loss")
ARGS = {"task": "detect", "data": "data.yaml", "epochs": 100, "close_mosaic": 0, "warmup_epochs": 0.0, "lr0": 0.01}
VALUES = np.array([1.0, 0.5, 1.2])


class BrokenOff:
    """The run; `append` writes resumed rows as Ultralytics does."""

    def __init__(self, path):
        self.path = path
        self.last = path / "weights" / "last.pt"
        self.rng = np.random.default_rng(0)
        self.last.parent.mkdir(parents=True)
        header = "epoch,time," + ",".join(COLUMNS)
        rows = [self.row(e, 10.0 * e, self.healthy()) for e in range(1, BEFORE + 1)]
        (path / "results.csv").write_text("\n".join([header, *rows]) + "\n")
        (path / "args.yaml").write_text(yaml.safe_dump({**ARGS, "resume": str(self.last), "save_dir": str(path)}))
        content = {
            "epoch": BEFORE - 1,
            "ema": OrderedDict(),
            "optimizer": {"state": {0: {"exp_avg": None}}, "param_groups": [{"lr": 0.01}]},
            "train_args": {**ARGS, "save_dir": str(path)},
            "version": "8.4.190",
        }
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as z:
            z.writestr("last/data.pkl", pickle.dumps(content, protocol=2))
        self.last.write_bytes(buffer.getvalue())

    def healthy(self):
        return VALUES + self.rng.normal(0, 0.01, 3)

    @staticmethod
    def row(epoch, time, values):
        return ",".join([str(epoch), f"{time:.6g}", *(f"{v:.5f}" for v in values)])

    def append(self, epoch, values):
        with (self.path / "results.csv").open("a") as f:
            f.write(self.row(epoch, 10.0 * (epoch - BEFORE), values) + "\n")


class Trainer:
    """What the guard touches of a trainer."""

    def __init__(self, run, resume=True):
        self.run = run
        self.args = SimpleNamespace(resume=str(run.last) if resume else None, data="data.yaml")
        self.save_dir = run.path
        self.epoch = BEFORE
        self.stop = False
        self.callbacks = {}
        self.batches = 40
        self.train_loader = range(self.batches)
        self.device = SimpleNamespace(type="cpu")
        self.optimizer = SimpleNamespace(param_groups=[{"lr": 0.01}])
        self.loss_names = ("box_loss",)
        self.inside = np.full(self.batches, 1.0)  # running loss after each batch of the first epoch
        self.metrics, self.batch = {}, 0

    def add_callback(self, event, function):
        self.callbacks.setdefault(event, []).append(function)

    def call(self, event):
        for function in self.callbacks.get(event, []):
            function(self)

    def save_metrics(self, values):
        self.run.append(self.epoch + 1, values)

    def save_model(self):
        self.run.last.write_bytes(b"overwritten")

    def train(self, *rows):
        """As many epochs as rows, unless stopped, then the final evaluation; the last one's own call too."""
        self.call("on_pretrain_routine_start")
        for values in rows:
            self.call("on_train_epoch_start")
            for batch in range(1, self.batches + 1):
                self.batch = batch
                self.tloss = {"box_loss": float(self.inside[self.batch - 1])}
                self.call("on_train_batch_end")
                if self.stop:
                    break
            self.call("on_train_epoch_end")
            self.save_metrics(values)
            self.save_model()
            self.call("on_fit_epoch_end")
            self.epoch += 1
            if self.stop:
                break
        self.call("on_fit_epoch_end")  # final_eval, with epoch + 1
        return self


@pytest.fixture
def run(tmp_path):
    return BrokenOff(tmp_path / "run")


@pytest.fixture
def make_trainer(run):
    def make(**options):
        return Trainer(run, **options)

    return make
