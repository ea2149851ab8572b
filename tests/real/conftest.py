"""Real runs for the tests: trained, killed and resumed by plain Ultralytics in processes of their own, in seconds."""

import os
from pathlib import Path

import pytest

from data import demo_runs as runs
from tests.support.tiny_runs import make_tiny_data, train_tiny_run


def pytest_collection_modifyitems(items):
    """Whatever lies in this folder trains."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.real)


@pytest.fixture(scope="session")
def demo_runs():
    """The module data/demo_runs.py."""
    return runs


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
def train_run():
    """``train_run(tmp, until=3, images=16, **args)``: see `train_tiny_run`."""
    return train_tiny_run


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
