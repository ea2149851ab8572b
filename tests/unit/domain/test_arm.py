"""Arms keep the folder names of version 0.1.0, so that its studies are read and extended."""

import json

import pytest

from analyzer.domain.replicate import HEALTHY, Arm, ArmKind
from analyzer.replicates.job import arm_from, arm_message

LOST = (("optimizer-lost", {}),)
TWO = (("mosaic-state", {"open": True}), ("lr-scale", {"factor": 10.0}))

FOLDERS = {  # as version 0.1.0 named them
    "healthy": HEALTHY,
    "healthy-first0.5": Arm(ArmKind.HEALTHY, fraction=0.5),
    "as-configured-db72241b": Arm(ArmKind.AS_CONFIGURED, {"lr0": 0.002, "batch": 8}),
    "as-configured-4c2a2aa7-first0.25": Arm(ArmKind.AS_CONFIGURED, {"lr0": 0.002}, fraction=0.25),
    "as-configured-a8d01138": Arm(ArmKind.AS_CONFIGURED, {"data": "other.yaml"}, data_sha256="ab12"),
    "replay-8d838297": Arm(ArmKind.REPLAY, {"seed": 0}),
    "replay-c3b59d12": Arm(ArmKind.REPLAY, {"batch": 8, "data": "other.yaml", "seed": 7}, data_sha256="ab12"),
    "fingerprint-eabe55da": Arm(ArmKind.FAULT_SEARCH, {"seed": 0}, LOST),
    "fingerprint-88d70d69": Arm(ArmKind.FAULT_SEARCH, {"seed": 0}, TWO),
    "revalidation": Arm(ArmKind.REVALIDATION),
    "uninterrupted": Arm(ArmKind.UNINTERRUPTED),
    "through-checkpoint": Arm(ArmKind.THROUGH_CHECKPOINT),
    "repeat2": Arm(ArmKind.REPEAT, label="2"),
    "apart-order0000000007": Arm(ArmKind.ORDER_APART, order_seed=7),
    "twin-optimizer-lost-adba6815": Arm(ArmKind.SIMULATED_FAULT, {}, LOST, "optimizer-lost"),
    "twin-a+b-7090b41e": Arm(ArmKind.SIMULATED_FAULT, {"batch": 8}, (("a", {"k": 1}), ("b", {})), "a+b"),
    "as-configured-0dfd78b7": Arm(ArmKind.NEW_AS_CONFIGURED, {"lr0": 0.002}),
    "new-training-8618d838": Arm(ArmKind.NEW_UNCHANGED),
    "only-data-b2bd03cd": Arm(ArmKind.NEW_WITH_ONE, {"data": "o.yaml"}, label="data", data_sha256="ab12"),
    "without-data-0dfd78b7": Arm(ArmKind.NEW_WITHOUT_ONE, {"lr0": 0.002}, label="data", data_sha256="ab12"),
}


@pytest.mark.parametrize(("folder", "arm"), FOLDERS.items(), ids=list(FOLDERS))
def test_a_folder_is_named_as_before_and_by_the_worker_too(folder, arm):
    assert arm.folder == folder
    assert arm_from(json.loads(json.dumps(arm_message(arm)))) == arm


def test_every_kind_is_named_here():
    assert {arm.kind for arm in FOLDERS.values()} == set(ArmKind)
