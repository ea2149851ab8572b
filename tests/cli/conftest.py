"""Fixtures of the command line; the helpers beside them can be imported as `hostile`."""

import importlib.util
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from analyzer.cli.app import app

_spec = importlib.util.spec_from_file_location("hostile", Path(__file__).with_name("hostile.py"))
hostile = importlib.util.module_from_spec(_spec)
sys.modules["hostile"] = hostile  # the tests have no package from which it could be imported
_spec.loader.exec_module(hostile)


@pytest.fixture
def run(tmp_path):
    return hostile.make_run(tmp_path)


@pytest.fixture
def drift(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        return CliRunner().invoke(app, [str(a) for a in arguments], env={"COLUMNS": "80", "TERM": "dumb"})

    return call
