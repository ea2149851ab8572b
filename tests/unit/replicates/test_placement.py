from pathlib import Path
from types import SimpleNamespace

import pytest

from analyzer.errors import UsageError
from analyzer.pipeline.request import AnalyzeRequest
from analyzer.replicates import placement as module
from analyzer.replicates.placement import Placement, place, ultralytics_threads


def fake_torch(*names):
    cuda = SimpleNamespace(
        is_available=lambda: bool(names), device_count=lambda: len(names), get_device_name=lambda i: names[i]
    )
    return SimpleNamespace(cuda=cuda)


A100 = fake_torch("A100", "A100", "A100")


@pytest.fixture
def machine(monkeypatch):
    def cores(n, memory=64):
        monkeypatch.setattr(module.os, "cpu_count", lambda: n)
        monkeypatch.setattr(module, "_free_memory", lambda: memory * 1024**3)

    return cores


def placed(seconds=60.0, torch=None, trained_on="cpu", single_threaded=False, **options):
    request = AnalyzeRequest(run=Path("run"), **options)
    return place(request, trained_on, seconds, single_threaded=single_threaded, torch=torch or fake_torch())


def test_the_threads_are_those_that_ultralytics_takes():
    from ultralytics.utils import NUM_THREADS

    assert ultralytics_threads() == NUM_THREADS


def test_two_cores_train_two_at_once_where_the_bits_stay_and_it_pays(machine):
    machine(2)
    _, workers = placed()
    assert (workers.devices, workers.threads, workers.run_threads) == (("cpu", "cpu"), 1, 1)
    assert placed(seconds=3.0)[1].devices == ("cpu", "cpu")  # eight of them, or so
    assert placed(seconds=3.0, replicates=5)[1].devices == ("cpu",)  # starting a worker takes longer
    assert placed(seconds=1.0, replicates=20)[1].devices == ("cpu", "cpu")
    assert placed(seconds=60.0, replicates=3)[1].devices == ("cpu",)
    assert placed(seconds=1.0)[1].devices == ("cpu",)
    assert placed(seconds=None)[1].devices == ("cpu",)
    assert placed(seconds=1.0)[1].threads == 1  # so both are the same study
    machine(2, memory=3)
    assert placed()[1].devices == ("cpu",)


def test_nobody_gets_other_bits_than_ultralytics_own_unasked(machine):
    machine(8)
    assert (placed()[1].devices, placed()[1].threads) == (("cpu",), 7)
    _, workers = placed(per_device=6)
    assert (len(workers.devices), workers.threads, workers.run_threads) == (6, 1, 7)


def test_single_threaded_replicates_that_are_there_are_extended(machine):
    machine(8)
    assert placed(single_threaded=True)[1].threads == 1
    assert placed(single_threaded=True, per_device=1)[1].threads == 7  # asked for


def test_one_worker_a_device(machine):
    device, workers = placed(torch=A100, workers_on="0,2", trained_on="0")
    assert (workers.devices, workers.threads) == (("0", "2"), None)
    assert device.words == "2 x cuda (A100)"
    assert device.hardware == placed(torch=A100, trained_on="1")[0].hardware  # so the study is the same
    assert placed(torch=A100, workers_on="0,2", per_device=2)[1].devices == ("0", "2", "0", "2")
    assert placed(torch=A100, trained_on="0")[1].devices == ("0",)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"workers_on": "0,1", "device": "0"}, "one of them"),
        ({"workers_on": ","}, "names no device"),
        ({"workers_on": "0,0"}, "twice"),
        ({"workers_on": "0,3"}, "no such device"),
        ({"workers_on": "0,cpu"}, "one kind"),
    ],
)
def test_what_cannot_be_meant_is_refused(options, words):
    with pytest.raises(UsageError, match=words):
        placed(torch=A100, **options)


def test_one_null_has_one_kind_of_device():
    with pytest.raises(UsageError, match="mixes cuda"):
        placed(torch=fake_torch("A100", "T4"), workers_on="0,1")


def test_only_workers_that_do_not_share_a_device_count_as_faster(machine):
    machine(2)
    assert placed()[1].at_once == 2  # as many threads as Ultralytics itself takes
    assert placed(per_device=5)[1].at_once == 2  # no more than there are cores
    machine(8)
    assert placed()[1].at_once == 1
    assert placed(per_device=7)[1].at_once == 1  # one thread each, where Ultralytics takes seven
    assert placed(per_device=2)[1].at_once == pytest.approx(2 / 7)
    assert placed(torch=A100, workers_on="0,1,2", per_device=4)[1].at_once == 3
    assert Placement((), 1, 7, ray="auto").at_once == 1


def test_a_run_on_more_gpus_than_a_worker_has_was_as_much_faster():
    assert placed(torch=A100, trained_on="0,1")[1].at_once == 1  # one job on both
    assert placed(torch=A100, trained_on="0,1", device="0")[1].at_once == 0.5
    assert placed(torch=A100, trained_on=[0, 1], workers_on="0,1")[1].at_once == 1
    assert placed(torch=A100, trained_on="0", device="0,1")[1].at_once == 1  # how much faster is not known


class FakeCluster:
    """What `connect` returns, of a cluster with some GPUs; remote functions run here."""

    def __init__(self, gpus):
        self.gpus = gpus

    def cluster_resources(self):
        return {"CPU": 8.0, **({"GPU": self.gpus} if self.gpus else {})}

    def remote(self, **options):
        return lambda function: SimpleNamespace(remote=lambda: "cuda (A100)")

    def get(self, value):
        return value


@pytest.mark.parametrize(
    ("gpus", "trained_on", "options", "hardware", "note"),
    [
        (4.0, "0", {}, "cuda (A100)", ""),
        (4.0, None, {}, "cuda (A100)", ""),
        (4.0, "0,1", {}, "cuda (A100)", "The run used 2 GPUs"),  # an actor holds one
        (4.0, [0, 1, 2], {}, "cuda (A100)", "The run used 3 GPUs"),
        (4.0, "cpu", {}, "cpu", ""),
        (4.0, "cpu", {"device": "0"}, "cuda (A100)", "a null made on GPU is approximate"),
        (4.0, "0", {"device": "cpu"}, "cpu", "a null made on CPU is approximate"),
        (0, [0, 1], {}, "cpu", "a null made on CPU is approximate"),
        (0, None, {}, "cpu", ""),
    ],
)
def test_a_cluster_says_where_its_null_is_approximate(monkeypatch, gpus, trained_on, options, hardware, note):
    monkeypatch.setattr(module, "connect", lambda address: FakeCluster(gpus))
    device, workers = placed(ray="auto", trained_on=trained_on, **options)
    assert (device.hardware, workers.ray) == (hardware, "auto")
    assert note in device.note and bool(note) is bool(device.note)


@pytest.mark.parametrize(("device", "gpus", "words"), [("0", 0, "has no GPU"), ("0,1", 4.0, "on one device")])
def test_a_device_that_the_cluster_cannot_give_is_refused(monkeypatch, device, gpus, words):
    monkeypatch.setattr(module, "connect", lambda address: FakeCluster(gpus))
    with pytest.raises(UsageError, match=words):
        placed(ray="auto", device=device)


def test_one_worker_a_device_is_approximate_for_a_job_on_two():
    assert "The run used 2 GPUs" in placed(torch=A100, workers_on="0,1", trained_on=[0, 1])[0].note
    assert placed(torch=A100, workers_on="0,1", trained_on="0")[0].note == ""
