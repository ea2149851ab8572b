from types import SimpleNamespace

import pytest

from analyzer.pipeline.device import choose_device


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
        (None, "0,1", 2, "0", True),  # DDP
        (None, [0, 1], 2, "0", True),
        (None, "0", 0, "cpu", True),
        (None, "mps", 0, "mps", False),
        ("cpu", "0", 1, "cpu", False),
        ("1", "cpu", 2, "1", False),
    ],
)
def test_the_device_of_the_run_is_taken_where_it_is_here(wanted, trained_on, gpus, argument, approximate):
    device = choose_device(wanted, trained_on, torch=fake_torch(gpus))
    assert device.argument == argument
    assert bool(device.note) is approximate
    assert device.words.startswith("cuda:" if argument.isdigit() else argument)


def test_hardware_is_told_apart_in_the_fingerprint():
    assert choose_device("0", None, torch=fake_torch(1)).words == "cuda:0 (NVIDIA Fake 0)"
