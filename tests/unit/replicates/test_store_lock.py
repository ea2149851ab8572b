"""The lock of a study is the kernel's, or the study is refused."""

import errno
import os

import pytest

from analyzer.errors import StoreError
from analyzer.replicates.store import Store

fcntl = pytest.importorskip("fcntl")


@pytest.fixture
def without_flock(monkeypatch):
    def flock(*_):
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    monkeypatch.setattr(fcntl, "flock", flock)


@pytest.mark.parametrize("left", [False, True], ids=["no file", "a file of a killed process"])
def test_a_file_system_without_locks_is_refused_in_a_sentence(tmp_path, without_flock, left):
    store = Store(tmp_path, "study")
    if left:
        store.path.mkdir()
        (store.path / "lock").touch()
    with pytest.raises(StoreError, match="cannot lock files") as refused, store.lock():
        pytest.fail("held without a lock of the kernel")
    assert "--out" in refused.value.hint


def test_a_lock_file_without_a_holder_does_not_stop_anybody(tmp_path):
    store = Store(tmp_path, "study")
    store.path.mkdir()
    (store.path / "lock").write_text("1234\nhost\n")
    with store.lock(), pytest.raises(StoreError, match="Another drift process"), Store(tmp_path, "study").lock():
        pytest.fail("held twice")
