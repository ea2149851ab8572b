"""Real runs for the tests: trained, killed and resumed by plain Ultralytics in processes of their own, in seconds."""

import importlib.util
import os
import shutil
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]

#: Few images and few steps. A run of three epochs takes about ten seconds, most of it imports.
TINY_ARGS = {"epochs": 10, "warmup_epochs": 0.0, "close_mosaic": 0, "save_period": 1, "seed": 0}
KILLED_AFTER = 3  # epochs, as results.csv counts


def pytest_collection_modifyitems(items):
    """Whatever lies in this folder trains."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.real)


def load_demo_runs():
    """data/demo_runs.py as a module: it is no part of the package."""
    if "demo_runs" not in sys.modules:
        spec = importlib.util.spec_from_file_location("demo_runs", ROOT / "data" / "demo_runs.py")
        module = importlib.util.module_from_spec(spec)
        sys.modules["demo_runs"] = module
        spec.loader.exec_module(module)
    return sys.modules["demo_runs"]


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


@pytest.fixture(scope="session")
def demo_runs():
    """The module data/demo_runs.py."""
    return load_demo_runs()


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """Child processes of these tests use one thread each."""
    before = os.environ.get("OMP_NUM_THREADS")
    os.environ["OMP_NUM_THREADS"] = "1"
    yield
    if before is None:
        del os.environ["OMP_NUM_THREADS"]
    else:
        os.environ["OMP_NUM_THREADS"] = before


@pytest.fixture(scope="session")
def tiny_data():
    """``tiny_data(folder, train=16, val=8)`` makes a data set and returns its yaml."""
    return make_tiny_data


@pytest.fixture(scope="session")
def train_run(demo_runs):
    """``train_run(tmp, until=3, images=16, **args)`` trains ``tmp/run`` on ``tmp/data``, kills it after `until`.

    `args` are arguments of Ultralytics and override `TINY_ARGS`: optimizer, cache, nbs (nbs = 8 accumulates two batches
    of 4), close_mosaic, warmup_epochs, epochs, seed, lr0 ...
    """

    def train(tmp, until=KILLED_AFTER, images=16, **args):
        yaml_file = make_tiny_data(Path(tmp) / "data", train=images)
        return demo_runs.train_and_kill(Path(tmp) / "run", until, data=yaml_file, **{**TINY_ARGS, **args})

    return train


@pytest.fixture(scope="session")
def resume_run(demo_runs):
    """``resume_run(killed, to, epochs=1, **train_args)``: a copy, its last.pt edited, resumed by plain Ultralytics."""
    return demo_runs.resumed_copy


@pytest.fixture(scope="session")
def copy_run(demo_runs):
    """``copy_run(run, to)`` copies a run directory, without the tool's own folder."""
    return demo_runs.copy_run


@pytest.fixture(scope="session")
def killed_run(tmp_path_factory, train_run):
    """A run that was killed after three epochs and not resumed. Shared: copy it before anything writes into it."""
    return train_run(tmp_path_factory.mktemp("killed"))


@pytest.fixture(scope="session")
def resumed_run(tmp_path_factory, killed_run, resume_run):
    """A copy of `killed_run`, resumed for one epoch and killed again. Shared: copy it before writing."""
    return resume_run(killed_run, tmp_path_factory.mktemp("resumed") / "run")
