"""A null without variance stops the analysis, made by a real cause: the constant loader generator of old versions."""

import pytest

from analyzer.domain.replicate import Arm, ArmKind
from analyzer.errors import DegenerateNullError
from analyzer.replicates.collector import refuse_degenerate
from tests.support import engine


def test_constant_loader_generator_with_workers_is_refused(killed_run, tmp_path):
    arm = Arm(ArmKind.SIMULATED_FAULT, {}, (("constant-loader", {}),))
    checkpoint = killed_run / "weights" / "last.pt"
    found = engine.replicates(checkpoint, tmp_path / "drift", [1, 2], workers=2, arm=arm)
    assert found[0].epochs[0].exact == found[1].epochs[0].exact  # the real cause has the real effect
    with pytest.raises(DegenerateNullError, match="same row in every column"):
        refuse_degenerate(tuple(found))


def test_varied_seeds_with_workers_are_accepted(killed_run, tmp_path):
    checkpoint = killed_run / "weights" / "last.pt"
    found = engine.replicates(checkpoint, tmp_path / "drift", [1, 2], workers=2)
    assert found[0].epochs[0].exact != found[1].epochs[0].exact
    refuse_degenerate(tuple(found))
