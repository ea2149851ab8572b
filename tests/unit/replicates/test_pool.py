"""Several lanes at once, with lanes that train nothing and finish in an order that the test draws."""

import random
import threading
import time
from pathlib import Path

import pytest

from analyzer.domain.replicate import HEALTHY, Arm, ArmKind, EpochRecord, Outcome, Replicate
from analyzer.errors import EngineError
from analyzer.replicates.executors.pool import LaneLost, Pool
from analyzer.replicates.executors.worker_process import WorkerDied
from analyzer.replicates.job import ArmJob


def job(arm=HEALTHY):
    return ArmJob(arm, Path("last.pt"), {}, "cpu", 1, Path("scratch"), Path("root"), "study")


def made(seed):
    row = {"val/box_loss": float(seed)}
    return Replicate("healthy", seed, Outcome.OK, (EpochRecord(1, row, row, 1.0),))


class FakeLane:
    """`answers` gives, a seed, what its attempts raise or return; after them the replicate."""

    def __init__(self, answers, device="cpu", seconds=lambda: 0.0):
        self.answers = answers
        self.device, self.log = device, "worker.log"
        self.seconds = seconds
        self.begun = []
        self.dead = threading.Event()

    def open(self):
        if self.dead.is_set():
            raise WorkerDied("stopped")

    def train(self, job, seed):
        self.begun.append(seed)
        if self.dead.wait(self.seconds()):
            raise WorkerDied("stopped")
        answer = self.answers.get(seed, [])
        found = answer.pop(0) if answer else made(seed)
        if isinstance(found, BaseException):
            raise found
        return found

    def kill(self):
        self.dead.set()

    def close(self):
        assert self.dead.is_set()


@pytest.fixture
def several():
    opened = []

    def make(lanes):
        said = []
        executor = Pool(lanes, lambda fraction: None, said.append)
        opened.append(executor)
        return executor, said

    yield make
    for executor in opened:
        executor.close()


def test_every_seed_once_whatever_the_order(several):
    draw = random.Random(3)
    lanes = [FakeLane({}, seconds=lambda: draw.uniform(0, 0.01)) for _ in range(4)]
    executor, _ = several(lanes)
    found = list(executor.run(job(), range(40)))
    assert sorted(r.seed for r in found) == list(range(40))
    assert [r.seed for r in found] != list(range(40))  # they did overtake each other
    assert sum(len(lane.begun) for lane in lanes) == 40
    assert all(lane.begun == sorted(lane.begun) for lane in lanes)  # handed out in order


def test_a_seed_is_taken_only_for_a_free_lane(several):
    taken = []

    def seeds():
        for seed in range(10):
            taken.append(seed)
            yield seed

    executor, _ = several([FakeLane({}, seconds=lambda: 0.02), FakeLane({}, seconds=lambda: 60.0)])
    found = executor.run(job(), seeds())
    first = next(found)
    assert len(taken) == 2  # one a lane, none ahead
    assert first.seed in taken


def test_what_is_still_being_trained_is_taken_up_by_the_next_call(several):
    lanes = [FakeLane({}, seconds=lambda: 0.0), FakeLane({}, seconds=lambda: 0.3)]
    executor, _ = several(lanes)
    begun = executor.run(job(), [1, 2, 3])
    first = next(begun).seed
    begun.close()
    rest = list(executor.run(job(), [seed for seed in (1, 2, 3) if seed != first]))
    assert sorted([first, *(r.seed for r in rest)]) == [1, 2, 3]
    assert sorted(lanes[0].begun + lanes[1].begun) == [1, 2, 3]


def test_a_result_of_another_arm_is_not_yielded(several):
    executor, _ = several([FakeLane({}, seconds=lambda: 0.0), FakeLane({}, seconds=lambda: 0.2)])
    begun = executor.run(job(Arm(ArmKind.REPEAT, label="2")), [1, 2])
    next(begun)
    begun.close()
    assert [r.seed for r in executor.run(job(), [7])] == [7]


def test_a_worker_that_dies_once_is_forgiven_and_twice_is_not(several):
    answers = {5: [WorkerDied("It crashed.")], 9: [WorkerDied("It crashed."), WorkerDied("It crashed.")]}
    executor, said = several([FakeLane(answers), FakeLane(answers)])
    assert sorted(r.seed for r in executor.run(job(), range(9))) == list(range(9))
    with pytest.raises(EngineError, match="died twice on seed 9"):
        list(executor.run(job(), [9]))
    assert said == []


@pytest.mark.parametrize(
    "lack", [WorkerDied("Killed.", memory=True), Replicate("healthy", 4, Outcome.FAILED, (), "OOM")]
)
def test_lack_of_memory_costs_a_lane_and_no_replicate(several, lack):
    answers = {4: [lack, lack]}
    lanes = [FakeLane(answers, seconds=lambda: 0.002) for _ in range(3)]
    executor, said = several(lanes)
    assert sorted(r.seed for r in executor.run(job(), range(12))) == list(range(12))
    assert [lane.dead.is_set() for lane in lanes].count(True) == 2
    assert len(said) == 2
    answers[20] = [Replicate("healthy", 20, Outcome.FAILED, (), "Out of memory with batch=4.")] * 2
    with pytest.raises(EngineError, match="Out of memory with batch=4"):  # the last lane has the device to itself
        list(executor.run(job(), [20]))


def test_another_device_is_not_spared_for_lack_of_memory_on_one(several):
    lack = WorkerDied("Killed.", memory=True)
    answers = {0: [lack], 1: [lack]}
    lanes = [FakeLane(answers, device="0"), FakeLane(answers, device="1")]
    executor, said = several(lanes)
    assert sorted(r.seed for r in executor.run(job(), range(6))) == list(range(6))
    assert said == [] and not any(lane.dead.is_set() for lane in lanes)


def test_a_lost_machine_is_not_the_fault_of_the_seed(several):
    executor, _ = several([FakeLane({3: [LaneLost("The node is gone.")] * 5})])
    assert sorted(r.seed for r in executor.run(job(), range(5))) == list(range(5))
    lost = FakeLane({3: [LaneLost("The node is gone.")] * 50})
    with pytest.raises(EngineError, match="lost its machine"):
        list(several([lost])[0].run(job(), [3]))


def test_close_stops_at_once(several):
    executor, _ = several([FakeLane({}, seconds=lambda: 60.0) for _ in range(3)])
    begun = executor.run(job(), range(3))
    threading.Timer(0.1, executor.lanes[0].kill).start()
    before = time.monotonic()
    threading.Timer(0.3, executor.lanes[1].kill).start()
    threading.Timer(0.5, executor.lanes[2].kill).start()
    with pytest.raises(EngineError, match="stopped"):
        list(begun)  # no lane comes back
    executor.close()
    assert time.monotonic() - before < 5


def test_close_while_all_train(several):
    executor, _ = several([FakeLane({}, seconds=lambda: 0.0), FakeLane({}, seconds=lambda: 60.0)])
    next(executor.run(job(), range(3)))
    before = time.monotonic()
    executor.close()
    assert time.monotonic() - before < 5
    assert not any(thread.is_alive() for thread in executor.threads)


def test_a_place_that_cannot_be_had_is_done_without(several):
    shut = FakeLane({})
    shut.dead.set()
    executor, said = several([FakeLane({}, seconds=lambda: 0.005), shut])
    assert sorted(r.seed for r in executor.run(job(), range(5))) == list(range(5))
    assert shut.begun == [] and len(said) == 1


def test_a_lane_may_come_in_the_middle(several):
    executor, _ = several([FakeLane({}, seconds=lambda: 0.01)])
    late = FakeLane({}, seconds=lambda: 0.0)
    found = executor.run(job(), range(30))
    next(found)
    executor.add(late)
    assert len(list(found)) == 29
    assert late.begun
