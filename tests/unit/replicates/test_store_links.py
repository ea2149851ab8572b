"""A run directory of a stranger may bring its own drift folder, with links in it."""

import os

import pytest

from analyzer.errors import StoreError
from analyzer.files import write_atomically
from analyzer.replicates.store import Store


@pytest.mark.parametrize("name", ["", "worker.log", "lock", "scratch", "replicates", "replicates/healthy"])
def test_nothing_is_written_through_a_link_in_a_study(tmp_path, name):
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").write_text("kept")
    link = tmp_path / "drift" / "study" / name
    link.parent.mkdir(parents=True)
    link.symlink_to(precious / "file" if name in ("worker.log", "lock") else precious)
    with pytest.raises(StoreError, match="symbolic link"), Store(tmp_path / "drift", "study").lock():
        pass
    assert [(p.name, p.read_text()) for p in precious.iterdir()] == [("file", "kept")]


def test_a_link_in_place_of_the_temporary_file_is_not_followed(tmp_path):
    precious = tmp_path / "precious"
    precious.write_text("kept")
    (tmp_path / f".a.json.{os.getpid()}.tmp").symlink_to(precious)
    write_atomically(tmp_path / "a.json", b"new")
    assert ((tmp_path / "a.json").read_bytes(), precious.read_text()) == (b"new", "kept")


def test_the_drift_folder_itself_may_be_a_link(tmp_path):
    """Users keep studies on another disk."""
    (tmp_path / "disk").mkdir()
    (tmp_path / "drift").symlink_to(tmp_path / "disk")
    with Store(tmp_path / "drift", "study").lock():
        assert (tmp_path / "disk" / "study" / "lock").is_file()
