"""Plain Ultralytics, imported once, a process forked for each training; nothing of analyzer is imported.

A line on stdin is an order (JSON), a line on stdout says that it was carried out:

    {"do": "train", "model": "yolo11n-seg.yaml", "until": 2, "args": {...}}     a new training, ended after epoch 2
    {"do": "resume", "model": ".../last.pt", "until": 3, "args": {}}            a resume of it
    {"do": "reference", "model": ".../last.pt", "out": "...json", "seed": 7, "epochs": 1}   as reference_resume.py does

The forked process ends abruptly after the epoch `until` was saved, as in a power cut. Importing takes longer than
the trainings of the tests: so many tasks can be tried.
"""

import importlib
import importlib.util
import json
import os
import sys
import traceback
from contextlib import suppress
from pathlib import Path

from tests.support import reference_resume

#: What every training imports once it runs.
LATER = ("torch._inductor", "torchvision", "matplotlib.font_manager", "polars", "requests")


def train(order):
    """Train until the epoch is saved; the process ends there."""
    from ultralytics import RTDETR, YOLO

    name = order["model"]
    model = (RTDETR if "rtdetr" in Path(name).name else YOLO)(name)

    def stop(trainer):
        if trainer.epoch + 1 == order["until"]:
            os._exit(0)

    model.add_callback("on_model_save", stop)
    model.train(**({"resume": True} if order["do"] == "resume" else {}), **order["args"])


def carry_out(order, log):
    """Do it in this process, which ends with it."""
    sink = os.open(log, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    os.dup2(sink, 1)
    os.dup2(sink, 2)
    try:
        if order["do"] == "reference":
            reference_resume.main(order["model"], order["out"], order["seed"], order["epochs"])
        else:
            train(order)
    except BaseException:
        traceback.print_exc()
    os._exit(1)


def main(log):
    """Import once, fork for each line."""
    import torch
    import ultralytics.models  # noqa: F401  (imported before the fork, so that each training need not)

    for name in LATER:
        with suppress(ImportError):
            importlib.import_module(name)
    torch.set_num_threads(1)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            carry_out(json.loads(line), log)
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{'done' if status == 0 else 'failed'}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
