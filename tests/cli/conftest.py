"""A run directory, and the command line called in this process."""

import pytest
from typer.testing import CliRunner

from analyzer.cli.app import app
from tests.support.written_run import make_run


@pytest.fixture
def run(tmp_path):
    return make_run(tmp_path)


@pytest.fixture
def drift(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        return CliRunner().invoke(app, [str(a) for a in arguments], env={"COLUMNS": "80", "TERM": "dumb"})

    return call
