"""Order and augmentation seeded apart, in real resumes: what the split of `drift variance` stands on."""

import pytest

from analyzer.domain.replicate import HEALTHY, Arm, ArmKind
from tests.support import engine

AUGMENTED = ("mosaic", "hsv_h", "hsv_s", "hsv_v", "translate", "scale", "fliplr", "flipud", "mixup", "degrees")


def state(replicate):
    return replicate.hashes[0], replicate.epochs[0].exact


@pytest.mark.parametrize("workers", [None, 2])
def test_one_pair_of_seeds_is_one_resume(workers, tmp_path, killed_run):
    """(7, 7) is the healthy resume of seed 7, bit for bit; either seed alone makes another epoch."""
    checkpoint = killed_run / "weights" / "last.pt"

    def made(arm, seeds):
        return [state(r) for r in engine.replicates(checkpoint, tmp_path, seeds, workers=workers, arm=arm)]

    (healthy,) = made(HEALTHY, [7])
    same, other_augmentation = made(Arm(ArmKind.ORDER_APART, order_seed=7), [7, 8])
    (other_order,) = made(Arm(ArmKind.ORDER_APART, order_seed=8), [7])
    assert same == healthy
    assert other_augmentation != healthy
    assert other_order not in (healthy, other_augmentation)


@pytest.mark.parametrize("workers", [None, 2])
def test_without_augmentation_only_the_order_is_left(workers, tmp_path, train_run):
    """The seed of everything else reaches nothing then: it has no hand in the order."""
    run = train_run(tmp_path, until=1, **dict.fromkeys(AUGMENTED, 0.0), auto_augment=None, erasing=0.0)
    checkpoint = run / "weights" / "last.pt"
    one, two = engine.replicates(
        checkpoint, tmp_path / "a", [7, 8], workers=workers, arm=Arm(ArmKind.ORDER_APART, order_seed=7)
    )
    (other,) = engine.replicates(
        checkpoint, tmp_path / "b", [7], workers=workers, arm=Arm(ArmKind.ORDER_APART, order_seed=8)
    )
    assert state(one) == state(two)
    assert state(one) != state(other)
