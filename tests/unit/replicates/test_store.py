"""The store keeps an epoch from inside, and reads what older versions wrote without it."""

import json
import math
import os
from pathlib import Path

import pytest

from analyzer.domain.replicate import EpochRecord, Outcome, Replicate
from analyzer.domain.within import Within
from analyzer.errors import StoreError
from analyzer.replicates.store import Store

ROW = {"train/box_loss": 1.5}


def test_an_epoch_from_inside_comes_back_as_it_was(tmp_path):
    within = Within(100, {1: {"train/box_loss": 2.5, "lr/pg0": 0.01}, 50: {"train/box_loss": math.nan, "lr/pg0": 0.01}})
    store = Store(tmp_path, "study")
    store.put(Replicate("healthy", 7, Outcome.OK, (EpochRecord(5, ROW, ROW, 1.0, within),)))
    found = store.get("healthy", 7).epochs[0].within
    assert (found.batches, found.after[1]) == (100, within.after[1])
    assert math.isnan(found.after[50]["train/box_loss"])


def test_a_store_without_it_is_read_as_before(tmp_path):
    store = Store(tmp_path, "study")
    made = Replicate("healthy", 7, Outcome.OK, (EpochRecord(5, ROW, ROW, 1.0),))
    store.put(made)
    assert "within" not in json.loads(store.file_of("healthy", 7).read_text())["replicate"]["epochs"][0]
    assert store.get("healthy", 7) == made


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo])
def test_a_replicate_that_is_no_file_is_refused_in_a_sentence(tmp_path, make):
    store = Store(tmp_path, "study")
    path = store.file_of("healthy", 1)
    path.parent.mkdir(parents=True)
    make(path)
    with pytest.raises(StoreError, match="cannot be read"):
        store.get("healthy", 1)
