"""Real runs in seconds: few images, few steps, trained and killed by plain Ultralytics in a process of its own."""

import shutil
from pathlib import Path

import yaml

from data.demo_runs import train_and_kill
from tests import ROOT

#: A run of three epochs takes about ten seconds, most of it imports.
TINY_ARGS = {"epochs": 10, "warmup_epochs": 0.0, "close_mosaic": 0, "save_period": 1, "seed": 0}
KILLED_AFTER = 3  # epochs, as results.csv counts


def make_tiny_data(folder, train=16, val=8):
    """Copy the first images of data/digits below `folder`, so that no test writes into the checkout."""
    source = ROOT / "data" / "digits"
    for split, count in (("train", train), ("val", val)):
        for kind, suffix in (("images", "jpg"), ("labels", "txt")):
            (folder / kind / split).mkdir(parents=True)
            for number in range(count):
                name = f"{number:04d}.{suffix}"
                shutil.copy2(source / kind / split / name, folder / kind / split / name)
    content = yaml.safe_load((source / "digits.yaml").read_text(encoding="utf-8"))
    (folder / "tiny.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    return folder / "tiny.yaml"


def train_tiny_run(tmp, until=KILLED_AFTER, images=16, val=8, **args):
    """Train ``tmp/run`` on ``tmp/data`` and kill it after `until` epochs.

    `args` are arguments of Ultralytics and override `TINY_ARGS`: optimizer, cache, nbs (nbs = 8 accumulates two batches
    of 4), close_mosaic, warmup_epochs, epochs, seed, lr0 ...
    """
    data = make_tiny_data(Path(tmp) / "data", train=images, val=val)
    return train_and_kill(Path(tmp) / "run", until, data=data, **{**TINY_ARGS, **args})
