"""A data set of its own for each test, and none of the user's settings."""

import pytest

from tests.support.data_project import make


@pytest.fixture(autouse=True)
def no_settings(tmp_path, monkeypatch):
    """The settings of whoever runs the tests say nothing."""
    monkeypatch.setenv("YOLO_CONFIG_DIR", str(tmp_path / "config"))


@pytest.fixture
def place(tmp_path):
    return make(tmp_path / "project")
