"""First halves of the epoch that `make measure-guard` resumes, healthy and faulty, for what looks inside an epoch."""

from __future__ import annotations

import json
from pathlib import Path
from types import MappingProxyType

import numpy as np

from analyzer.domain.progress import Silent
from analyzer.domain.replicate import Arm, ArmKind, Replicate
from analyzer.pipeline.analysis.regime import read_regime
from analyzer.pipeline.analysis.resume_point import running_resume_point
from analyzer.pipeline.replicate import read_resumable, run_of
from analyzer.pipeline.request import ReplicateRequest
from analyzer.replicates.budget import parse_budget
from analyzer.replicates.collector import Collector
from analyzer.replicates.seeds import replicate_seeds
from analyzer.replicates.store import Store
from analyzer.replicates.study import open_study
from tests.measurements.guard.alarm import EACH, NULLS, make_pool, make_run

__all__ = ["FAULTS", "HALF", "halves", "margins_of", "whole"]

HALF = 0.5
MORE = 110  # healthy seeds beyond those of the pool: 200 in all
EACH_FAULT = 20
FAULTS = MappingProxyType(
    {
        "learning rate x3": (("lr-jump", {"factors": 3.0}),),
        "learning rate x10": (("lr-jump", {"factors": 10.0}),),
        "mixup 0.5": (("augmentation-changed", {"mixup": 0.5}),),
    }
)


def whole(work: Path) -> tuple[Replicate, ...]:
    """The whole epochs that `make measure-guard` keeps, made where they are missing."""
    _, pristine = make_run(work)
    sha256 = read_resumable(ReplicateRequest(pristine / "weights" / "last.pt")).sha256
    for file in sorted((work / "pool").glob("*/study.json")):  # by an earlier version the study has another name
        if json.loads(file.read_text(encoding="utf-8"))["checkpoint"] == sha256:
            found = Store(file.parent.parent, file.parent.name).all("healthy")
            if len(found) >= NULLS * EACH:
                return found[: NULLS * EACH]
    pool = make_pool(work, pristine, NULLS * EACH)
    return Store(pool.parent, pool.name).all("healthy")


def halves(work: Path) -> dict[str, tuple[Replicate, ...]]:
    """Kind to its half epochs, trained where they are missing: further healthy seeds, and 20 of each fault."""
    _, pristine = make_run(work)
    request = ReplicateRequest(pristine / "weights" / "last.pt", fraction=HALF, out=work.resolve() / "inside")
    checkpoint = read_resumable(request)
    study = open_study(checkpoint, run_of(checkpoint), request)
    first = NULLS * EACH
    kinds = {"healthy": (Arm(ArmKind.HEALTHY, fraction=HALF), replicate_seeds(0, MORE, first=first))}
    for i, (kind, interventions) in enumerate(FAULTS.items()):
        seeds = replicate_seeds(0, EACH_FAULT, first=first + MORE + i * EACH_FAULT)
        kinds[kind] = Arm(ArmKind.SIMULATED_FAULT, {}, interventions, f"fault{i}", fraction=HALF), seeds
    collector = Collector(study, parse_budget(None), Silent())
    with study.store.lock():
        study.store.describe(study.facts)
        try:
            return {kind: collector.several(arm, seeds, 1) for kind, (arm, seeds) in kinds.items()}
        finally:
            collector.close()


def margins_of(work: Path, names: tuple[str, ...]) -> np.ndarray:
    """The `auto` margins that the run's history gives the train losses, NaN where it is too short."""
    _, pristine = make_run(work)
    checkpoint = pristine / "weights" / "last.pt"
    scene = running_resume_point(pristine, checkpoint, read_resumable(ReplicateRequest(checkpoint)).csv_epoch + 1)
    past = read_regime(scene, ())
    known = dict(zip(past.names, map(float, past.margins), strict=True))
    return np.array([known.get(name, np.nan) for name in names])
