"""The order of the batches seeded apart from every other draw."""

import random
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, DistributedSampler

from analyzer.errors import EngineError
from analyzer.replicates.worker.seeding import reseed


def trainer():
    generator = torch.Generator()
    loader = DataLoader(list(range(64)), batch_size=4, shuffle=True, generator=generator)
    return SimpleNamespace(train_loader=loader, test_loader=DataLoader([0]))


def epoch(made, seed, order_seed=None):
    """Order of one epoch, and the next draw of each other source."""
    reseed(made, seed, order_seed)
    order = [int(i) for batch in made.train_loader for i in batch]
    return order, (random.random(), np.random.random(), float(torch.rand(())))


def test_each_seed_reaches_its_own_half():
    made = trainer()
    order, draws = epoch(made, 1, 5)
    assert epoch(made, 2, 5)[0] == order
    assert epoch(made, 2, 5)[1] != draws
    assert epoch(made, 1, 6)[0] != order
    assert epoch(made, 1, 6)[1] == draws


def test_a_pair_of_equal_seeds_is_one_seed_and_nothing_is_left_behind():
    made = trainer()
    plain = epoch(made, 3)
    assert epoch(made, 3, 3) == plain
    assert epoch(made, 4, 9) != plain
    assert epoch(made, 3) == plain


class FetchesAhead(DataLoader):
    """A loader whose order is drawn when it is restarted, as Ultralytics' was with worker processes up to 8.4.100."""

    def reset(self):
        self.order = list(self.sampler)


def test_on_several_devices_an_earlier_path_leaves_no_epoch_behind():
    sampler = DistributedSampler(list(range(64)), num_replicas=2, rank=1)
    made = SimpleNamespace(train_loader=FetchesAhead(list(range(64)), sampler=sampler), test_loader=None)

    def order(seed, order_seed=None):
        reseed(made, seed, order_seed)
        found = made.train_loader.order
        sampler.set_epoch(100)  # what Ultralytics does at the start of each epoch
        return found

    first = order(3)
    assert order(4) != first
    assert order(3) == first
    assert order(4, order_seed=3) == first


def test_a_sampler_without_a_generator_is_refused():
    made = SimpleNamespace(train_loader=DataLoader([0, 1], shuffle=False), test_loader=DataLoader([0]))
    with pytest.raises(EngineError, match="SequentialSampler has no generator"):
        reseed(made, 1, 2)
