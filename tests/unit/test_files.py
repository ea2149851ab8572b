"""One way to write a file and one to read a stranger's."""

import os
import stat

import pytest

from analyzer.errors import StoreError
from analyzer.files import read_json, read_regular, write_atomically


@pytest.mark.parametrize("content", [b"new \xff", "new µ"])
def test_a_file_is_replaced_whole_and_its_folder_is_made(tmp_path, content):
    path = tmp_path / "a" / "b.json"
    for old in (b"old", content):
        assert write_atomically(path, old) == path
    assert path.read_bytes() == (content if isinstance(content, bytes) else content.encode())
    assert [p.name for p in path.parent.iterdir()] == ["b.json"]


def test_a_file_system_that_cannot_sync_folders_does_not_end_a_command(tmp_path, monkeypatch):
    real = os.fsync

    def refuse_folders(descriptor):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(22, "Invalid argument")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", refuse_folders)
    assert write_atomically(tmp_path / "a", b"x").read_bytes() == b"x"


def test_what_cannot_be_synced_is_not_put_in_place_and_leaves_nothing(tmp_path, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device")

    (tmp_path / "a").write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match=r"Cannot write .*: No space left on device"):
        write_atomically(tmp_path / "a", b"new")
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("a", b"old")]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_is_refused_instead_of_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="no regular file"):
        read_regular(tmp_path / "pipe")


def test_too_large_or_too_deep_a_file_is_refused(tmp_path):
    path = tmp_path / "a.json"
    path.write_text("[" * 100_000)
    with pytest.raises(ValueError, match="nested"):
        read_json(path)
    with pytest.raises(OSError, match="larger than 10 bytes"):
        read_regular(path, 10)
