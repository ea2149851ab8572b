from types import SimpleNamespace

import pytest

from analyzer.errors import UsageError
from analyzer.replicates.devices import choose_device, shares_device


def fake_torch(gpus):
    cuda = SimpleNamespace(
        is_available=lambda: gpus > 0, device_count=lambda: gpus, get_device_name=lambda i: f"NVIDIA Fake {i}"
    )
    return SimpleNamespace(cuda=cuda)


@pytest.mark.parametrize(
    ("wanted", "trained_on", "gpus", "argument", "approximate"),
    [
        (None, "cpu", 0, "cpu", False),
        (None, "cpu", 2, "cpu", False),  # as the run had it
        (None, None, 0, "cpu", False),
        (None, "", 1, "0", False),
        (None, "0", 1, "0", False),
        (None, "cuda:1", 2, "1", False),
        (None, "3", 2, "0", False),  # that GPU is not here
        (None, "0,1", 2, "0,1", False),  # one job on both
        (None, [0, 1], 2, "0,1", False),
        (None, [2, 3], 2, "0,1", False),  # as many, others
        (None, "0,1,2,3", 2, "0", True),
        (None, "0,1", 0, "cpu", True),
        (None, "0", 0, "cpu", True),
        (None, 0, 0, "cpu", True),  # as yaml reads it
        (None, 1, 2, "1", False),
        (None, "mps", 0, "mps", False),
        ("cpu", None, 1, "cpu", False),
        ("cpu", "0", 1, "cpu", True),
        ("1", "cpu", 2, "1", True),
        ("0", "0,1", 2, "0", True),
        ("0,1", "0,1", 2, "0,1", False),
        ("0,1", "0", 2, "0,1", True),
    ],
)
def test_the_device_of_the_run_is_taken_where_it_is_here(wanted, trained_on, gpus, argument, approximate):
    device = choose_device(wanted, trained_on, torch=fake_torch(gpus))
    assert device.argument == argument
    assert bool(device.note) is approximate
    assert device.words.startswith({"0,1": "2 x cuda:0,1 (", "cpu": "cpu", "mps": "mps"}.get(argument, "cuda:"))


def test_hardware_is_told_apart_in_the_fingerprint():
    assert choose_device("0", None, torch=fake_torch(1)).words == "cuda:0 (NVIDIA Fake 0)"
    assert choose_device("0", None, torch=fake_torch(1)).hardware == "cuda (NVIDIA Fake 0)"
    assert choose_device("0,1", None, torch=fake_torch(2)).hardware == "2 x cuda (NVIDIA Fake 0 + NVIDIA Fake 1)"


@pytest.mark.parametrize("wanted", ["2", "0,2", "0,0", "", "gpu", "0,"])
def test_a_device_that_is_not_here_is_one_sentence(wanted):
    if wanted == "0,":  # as Ultralytics reads it
        assert choose_device(wanted, None, torch=fake_torch(2)).argument == "0"
        return
    with pytest.raises(UsageError, match="no such device"):
        choose_device(wanted, None, torch=fake_torch(2))


@pytest.mark.parametrize(
    ("argument", "trained_on", "shared"),
    [
        ("0", "0", True), ("0", 0, True), ("1", "0", False), ("0,1", [0, 1], True), ("1", "0,1", True),
        ("0,1", "2,3", False), ("cpu", "cpu", True), ("cpu", "0", False), ("0", "cpu", False), ("1", "", True),
        ("cpu", None, True), ("0", "cuda:0", True),
    ],
)  # fmt: skip
def test_a_device_of_a_running_training_is_known_however_it_is_written(argument, trained_on, shared):
    assert shares_device(argument, trained_on) is shared
