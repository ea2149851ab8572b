from pathlib import Path

import pytest

from analyzer.domain.checkpoint import Checkpoint


def checkpoint(epoch, updates):
    return Checkpoint(Path("x.pt"), "", epoch, updates, None, None, "detect", {}, {}, True, "SGD-like", {})


@pytest.mark.parametrize(
    ("epoch", "updates", "epochs"),
    [
        (33, 1768, 0.0272),  # decay 0.5868: 1.42 updates of 52 an epoch
        (44, 20_572, 16.3),  # decay 0.999866: 7,456 updates of 457 an epoch
        (-1, 20_572, 0.0),  # stripped
        (44, None, 0.0),
        (44, 0, 0.0),
    ],
)
def test_how_far_the_ema_looks_back(epoch, updates, epochs):
    assert checkpoint(epoch, updates).ema_epochs == pytest.approx(epochs, rel=0.02)
