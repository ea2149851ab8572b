"""What is handed out follows the order of the seeds, whichever worker was faster."""

import random
import shutil
from types import SimpleNamespace

import pytest

from analyzer.domain.progress import Silent
from analyzer.domain.replicate import HEALTHY, EpochRecord, Outcome, Replicate
from analyzer.errors import EngineError, StoreError
from analyzer.replicates.budget import Budget
from analyzer.replicates.collector import Collector
from analyzer.replicates.job import ArmJob
from analyzer.replicates.seeds import replicate_seeds
from analyzer.replicates.store import Store

SEEDS = replicate_seeds(0, 19)


class Shuffled:
    """`width` workers that train nothing: of what is in flight, a drawn one is finished next."""

    def __init__(self, store, width, draw=None):
        self.store, self.width, self.draw = store, width, draw or random.Random(0)
        self.flying, self.begun = [], []
        self.fail_on = None

    def run(self, job, seeds):
        seeds = iter(seeds)
        while True:
            while len(self.flying) < self.width and (seed := next(seeds, None)) is not None:
                self.flying.append(seed)
                self.begun.append(seed)
            if not self.flying:
                return
            seed = self.flying.pop(self.draw.randrange(len(self.flying)))
            if seed == self.fail_on:
                raise EngineError("no")
            row = {"val/box_loss": float(seed)}
            self.store.put(Replicate(job.arm.folder, seed, Outcome.OK, (EpochRecord(1, row, row, 2.0),)))
            yield self.store.get(job.arm.folder, seed)

    def close(self):
        pass


@pytest.fixture
def make(tmp_path):
    def collector(width, budget=None, draw=None):
        store = Store(tmp_path, "study")
        job = ArmJob(HEALTHY, tmp_path, {}, "cpu", 1, tmp_path, tmp_path, "study")
        checkpoint = SimpleNamespace(path=tmp_path / "last.pt", version="8.4.100")
        study = SimpleNamespace(store=store, base_seed=0, epochs=1, job=lambda arm, scratch: job)
        study.checkpoint, study.versions = checkpoint, {"ultralytics": "8.4.190"}
        workers = Shuffled(store, width, draw)
        return Collector(study, budget or Budget(), Silent(), make_executor=lambda *_: workers), workers

    return collector


def grown(collector, *, at_most=19):
    """The null at every look of the sequential design, as `gather` asks for it."""
    null = collector.extend(HEALTHY, (), 5, at_most=at_most)
    looks = [null]
    while len(null) < 12:
        null = collector.extend(HEALTHY, null, len(null) + 1, at_most=at_most)
        looks.append(null)
    return looks


@pytest.mark.parametrize("width", [1, 2, 3, 30])
def test_a_look_sees_the_first_seeds_in_order(make, width):
    collector, workers = make(width, draw=random.Random(width))
    looks = grown(collector)
    assert [len(null) for null in looks] == list(range(5, 13))
    for null in looks:
        assert tuple(r.seed for r in null) == SEEDS[: len(null)]
    assert len(set(workers.begun)) == len(workers.begun)  # nothing was trained twice
    assert (collector.epochs_trained, collector.reused) == (12, 0)
    assert len(workers.begun) >= 12 if width > 1 else len(workers.begun) == 12


def test_one_worker_trains_nothing_that_no_look_asked_for(make):
    collector, workers = make(1)
    collector.extend(HEALTHY, (), 5, at_most=19)
    assert tuple(workers.begun) == SEEDS[:5]


def test_idle_workers_begin_with_what_may_follow(make):
    collector, workers = make(8)
    null = collector.extend(HEALTHY, (), 5, at_most=19)
    assert tuple(r.seed for r in null) == SEEDS[:5]
    assert set(workers.begun) > set(SEEDS[:5])
    assert collector.epochs_trained == 5


def test_counted_epochs_are_not_spent_ahead(make):
    collector, workers = make(8, Budget(epochs=7))
    null = collector.extend(HEALTHY, (), 5, at_most=19)
    assert tuple(workers.begun) == SEEDS[:5]
    null = collector.extend(HEALTHY, null, 10, at_most=19)
    assert tuple(r.seed for r in null) == SEEDS[:7]
    assert collector.exhausted
    assert collector.epochs_trained == 7


def test_a_gap_in_the_store_is_filled_first(make):
    collector, _ = make(3)
    for seed in (SEEDS[1], SEEDS[4]):
        row = {"val/box_loss": float(seed)}
        collector.study.store.put(Replicate("healthy", seed, Outcome.OK, (EpochRecord(1, row, row, 2.0),)))
    null = collector.extend(HEALTHY, (), 6)
    assert tuple(r.seed for r in null) == SEEDS[:6]
    assert (collector.epochs_trained, collector.reused) == (4, 2)


def test_a_budget_that_ends_before_a_stored_replicate_leaves_it_out(make):
    collector, _ = make(2, Budget(epochs=1))
    row = {"val/box_loss": 1.0}
    collector.study.store.put(Replicate("healthy", SEEDS[2], Outcome.OK, (EpochRecord(1, row, row, 2.0),)))
    assert tuple(r.seed for r in collector.extend(HEALTHY, (), 4)) == SEEDS[:1]
    assert (collector.epochs_trained, collector.reused) == (1, 0)


def test_after_an_error_the_same_seed_may_be_asked_for_again(make):
    collector, workers = make(1)
    workers.fail_on = SEEDS[2]
    with pytest.raises(EngineError):
        collector.extend(HEALTHY, (), 4)
    workers.fail_on = None
    assert tuple(r.seed for r in collector.extend(HEALTHY, (), 4)) == SEEDS[:4]
    assert (collector.epochs_trained, collector.reused) == (4, 2)


def test_an_engine_that_fails_at_once_under_another_version_names_the_command_that_installs_the_right_one(make):
    collector, workers = make(1)
    workers.fail_on = SEEDS[0]
    with pytest.raises(
        EngineError, match=r"^no\. .*last\.pt was written by Ultralytics 8\.4\.100, installed is 8\.4\.190"
    ) as e:
        collector.extend(HEALTHY, (), 1)
    assert "pip install ultralytics==8.4.100" in e.value.hint
    collector.study.versions = {"ultralytics": "8.4.100"}  # then it is not the version
    with pytest.raises(EngineError, match=r"^no$"):
        collector.extend(HEALTHY, (), 1)
    collector.study.versions = {"ultralytics": "8.4.190"}
    workers.fail_on = SEEDS[1]  # nor where it has trained
    with pytest.raises(EngineError, match=r"^no$"):
        collector.extend(HEALTHY, (), 2)


@pytest.mark.parametrize(("free", "error"), [(0, StoreError), (10**9, EngineError)])
def test_a_worker_that_fails_on_a_full_disk_is_not_to_blame(make, monkeypatch, free, error):
    collector, workers = make(1)
    workers.fail_on = SEEDS[2]
    monkeypatch.setattr(shutil, "disk_usage", lambda place: SimpleNamespace(free=free))
    with pytest.raises(error) as raised:
        collector.extend(HEALTHY, (), 5)
    assert raised.type is error
    assert ("No space is left" in str(raised.value)) == (free == 0)
