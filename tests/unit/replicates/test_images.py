"""Decoded images are kept: once read, never aliased, read again when the file changes, within a budget."""

import os

import numpy as np
import pytest
from PIL import Image

from analyzer.replicates.worker import image_cache as images


@pytest.fixture
def reader(monkeypatch):
    """Ultralytics' own reader below `keep_images`, counting the files that it decodes."""
    base = pytest.importorskip("ultralytics.data.base")
    decoded, read = [], base.imread

    def counting(filename, *args, **kwargs):
        decoded.append(filename)
        return read(filename, *args, **kwargs)

    monkeypatch.setattr(base, "imread", counting)

    def keep(budget=None):
        images.keep_images(budget)
        return base.imread, decoded

    return keep


def picture(path, level, size=8):
    Image.fromarray(np.full((size, size, 3), level, np.uint8)).save(path)
    return str(path)


def test_a_file_is_decoded_once_and_nobody_writes_into_what_is_kept(reader, tmp_path):
    imread, decoded = reader()
    path = picture(tmp_path / "a.png", 100)
    first = imread(path, flags=1)
    first[:] = 0  # as RandomHSV does
    assert (imread(path, flags=1) == 100).all()
    assert decoded == [path]


def test_another_flag_and_a_changed_file_are_read_again(reader, tmp_path):
    imread, decoded = reader()
    path = picture(tmp_path / "a.png", 100)
    assert imread(path, flags=1).shape[-1] == 3
    assert imread(path, flags=0).reshape(-1).size == 64
    picture(tmp_path / "a.png", 50)
    os.utime(path, ns=(1, 1))
    assert (imread(path, flags=1) == 50).all()
    assert len(decoded) == 3


def test_what_does_not_fit_the_budget_is_decoded_each_time(reader, tmp_path):
    imread, decoded = reader(budget=8 * 8 * 3)
    small, large = picture(tmp_path / "a.png", 1), picture(tmp_path / "b.png", 2)
    for path in (small, large, large, small):
        imread(path, flags=1)
    assert decoded == [small, large, large]


def test_nothing_more_is_kept_where_other_workers_took_half_of_the_memory(reader, tmp_path, monkeypatch):
    monkeypatch.setattr(images, "_available", lambda: 1000)
    imread, decoded = reader(budget=10**6)
    first, second = picture(tmp_path / "a.png", 1), picture(tmp_path / "b.png", 2)
    imread(first, flags=1)
    monkeypatch.setattr(images, "_available", lambda: 400)
    for path in (second, first, second):
        imread(path, flags=1)
    assert decoded == [first, second, second]


def test_a_missing_file_stays_missing(reader, tmp_path):
    imread, decoded = reader()
    assert imread(str(tmp_path / "none.png"), flags=1) is None  # as Ultralytics' own reader says it
    assert len(decoded) == 1
