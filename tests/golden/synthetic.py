"""Fixed synthetic analyses for the renderers.

The numbers are drawn once from a fixed generator: they show how a report looks, nothing was trained for them.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import sys
from pathlib import Path

import numpy as np

from analyzer.domain.evidence import (
    Cause,
    Certainty,
    Decision,
    Finding,
    Interval,
    SeamCheck,
    Severity,
    Significance,
    Size,
    Verdict,
)
from analyzer.domain.replicate import Outcome, Replicate
from analyzer.domain.run import Seam, SeamSign
from analyzer.report.model.analysis import (
    Analysis,
    ArgumentChange,
    Borrowed,
    CheckpointRef,
    Cost,
    Environment,
    HistoryPrediction,
    Look,
    NotRun,
    Omnibus,
    PathPoint,
    Plan,
    StepResult,
)
from analyzer.report.model.parts import ReportedArm
from analyzer.report.model.simulated_faults import FaultEffect, SimulatedFault, SimulatedFaults

_spec = importlib.util.spec_from_file_location("golden_drawn", Path(__file__).with_name("drawn.py"))
drawn = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = drawn
_spec.loader.exec_module(drawn)
SEAM_EPOCH, evidence, history, replicates = drawn.SEAM_EPOCH, drawn.evidence, drawn.history, drawn.replicates


def noise() -> Analysis:
    past = history(0.0)
    made = replicates(past, 8)
    return Analysis(
        decision=Decision(
            Verdict.NOISE,
            "none-significant-all-inside",
            ("No deciding metric moves further than a healthy resume does, and every one stays inside its margin.",),
        ),
        run=Path("runs/detect/train"),
        history=past,
        seam=Seam(SEAM_EPOCH, SEAM_EPOCH - 1, SEAM_EPOCH - 2, SeamSign.TIME_FALLS, "time falls from 43.4 to 3.1"),
        alpha=0.05,
        metrics=evidence(past, made),
        omnibus=Omnibus("largest standardised shift over the family", 0.42, 0.0004, Significance.NO),
        environment=Environment(
            python="3.11.9",
            platform="Linux-6.1-x86_64",
            device="cpu",
            threads=2,
            packages={"ultralytics": "8.4.190", "torch": "2.14.1", "numpy": "2.4.6", "yolo-drift": "0.1.0"},
        ),
        cost=Cost(epochs_trained=8, seconds=41.0, reused=0, seconds_per_epoch=3.2, by_step={"null": 8}),
        checkpoint=CheckpointRef(Path("runs/detect/train/weights/epoch13.pt"), 14, "ab" * 32, version="8.4.190"),
        study=Path("runs/detect/train/drift/5f2c9a01"),
        base_seed=20240611,
        arms=(ReportedArm("healthy"),),
        replicates=made,
        seam_check=SeamCheck.WITHIN,
        history_predictions=(
            HistoryPrediction("train/box_loss", 1.18, Interval(1.13, 1.23, 0.99, "prediction"), 1.169, 0.61, False),
        ),
        revalidation=StepResult(
            "agrees",
            "The checkpoint's own weights give its logged row again (validation only, 0.7 s).",
            details={
                "seconds": 0.7,
                "columns": {
                    "val/box_loss": {"logged": 1.25, "now": 1.2503, "difference": 0.0003, "tolerance": 0.0626},
                    "metrics/recall(B)": {"logged": 0.5, "now": 0.51, "difference": 0.01, "tolerance": None},
                },
                "differ": [],
            },
        ),
        looks=(
            Look(5, None, 0.04, 0.6, Verdict.INCONCLUSIVE),
            Look(6, 1.7, None, 0.5, Verdict.INCONCLUSIVE),
            Look(7, 1.7, None, 0.43, Verdict.NOISE),
        ),
        not_run=(
            NotRun("audit", "not part of this version"),
            NotRun("replay", "not part of this version"),
        ),
        created="2025-01-01T12:00:00+00:00",
        command="drift analyze runs/detect/train",
        tool_version="0.1.0",
    )


def fault() -> Analysis:
    base = noise()
    past = history(1.0)
    metrics = evidence(past, base.replicates)
    first = metrics[0]
    point = PathPoint(
        first.name, SEAM_EPOCH, first.observed, first.null_mean, first.prediction_interval, 0.0004, "recovering"
    )
    return dataclasses.replace(
        base,
        decision=Decision(
            Verdict.FAULT,
            "certain-cause",
            (
                "A cause was found that is certain, whatever the metrics say; it is the first of the causes.",
                "train/box_loss, train/cls_loss, train/dfl_loss and 5 more move further than chance explains.",
            ),
        ),
        history=past,
        metrics=metrics,
        omnibus=dataclasses.replace(base.omnibus, p=0.0004, significant=Significance.YES),
        replicates=(
            *base.replicates,
            Replicate("healthy", 99, Outcome.DIVERGED, (), "train/box_loss became NaN"),
        ),
        other_seams=(Seam(6, 5, 4, SeamSign.TIME_FALLS, "time falls from 15.5 to 3.0"),),
        argument_changes=(ArgumentChange("lr0", 0.01, 0.1, False), ArgumentChange("batch", 16, 8, True)),
        audit=(
            Finding(
                "lr-jump",
                Severity.HARD,
                "lr/pg0 at epoch 15 is 0.024, ten times what the schedule gives (0.0024).",
                "Set lr0 back to 0.01 and resume from the kept checkpoint.",
            ),
        ),
        replay=StepResult("other", "The replay gave another row: train/box_loss 1.169 instead of 1.361.", 1),
        fingerprint=StepResult("lr-jump", "Your resume with lr-jump (factors 10) gives all 13 columns of the row.", 1),
        diagnosis=(
            Cause(
                "lr-jump",
                Certainty.CERTAIN,
                (
                    "A resume with the learning rate times ten gives this row.",
                    "lr/pg0 at epoch 15 is 0.024, ten times what the schedule gives (0.0024).",
                ),
                "Set lr0 back to 0.01 and resume from the kept checkpoint.",
            ),
            Cause("changed-arguments", Certainty.POSSIBLE, ("batch was changed from 16 to 8.",), "Use batch=16."),
        ),
        paths=(point,),
        warnings=("The run was trained by Ultralytics 8.4.100, the replicates by 8.4.190.",),
        not_run=(NotRun("attribution", "the cause is certain"),),
        command="drift analyze runs/detect/train --epochs 1",
    )


def inconclusive() -> Analysis:
    """History only, hostile names, values that are not finite."""
    base = noise()
    past = dataclasses.replace(base.history, values=base.history.values.copy())
    past.values[3, 0] = np.nan
    strange = dataclasses.replace(
        base.metrics[0],
        name="train/<script>alert(1)</script>",
        observed=float("nan"),
        jump=None,
        null_mean=None,
        null_sd=None,
        sd=None,
        df=None,
        expected_seam=None,
        expected_seam_interval=None,
        unexplained_shift=None,
        shift_interval=None,
        prediction_interval=None,
        p=None,
        p_adjusted=None,
        margin=None,
        margin_source="",
        minimum_detectable_jump=None,
        significant=Significance.UNKNOWN,
        size=Size.UNKNOWN,
        verdict=Verdict.INCONCLUSIVE,
    )
    return dataclasses.replace(
        base,
        revalidation=None,
        decision=Decision(
            Verdict.INCONCLUSIVE,
            "not-tested",
            ("There is no null distribution to compare with, so nothing was tested.",),
            ("A checkpoint of the epoch before the seam, so that replicates can be trained: --checkpoint PT.",),
        ),
        run=Path("runs/[red]<b>&\x1b[2J"),
        history=past,
        metrics=(strange,),
        omnibus=None,
        checkpoint=None,
        study=None,
        replicates=(),
        arms=(),
        looks=(),
        history_only=True,
        seam_check=SeamCheck.UNKNOWN,
        history_predictions=(),
        cost=Cost(0, 0.3),
        plan=Plan(5, 1, 3.1, 15.5, {"train/box_loss": 0.05}, "budget 2 h"),
        not_run=(NotRun("null", "the checkpoint of epoch 14 is gone: save_period was -1"),),
    )


def borrowed() -> Analysis:
    """The checkpoint of the seam is gone; another one lent its resumes."""
    base = noise()
    assert base.checkpoint is not None
    lender = dataclasses.replace(base.checkpoint, path=Path("runs/detect/train/weights/best.pt"), epoch=9, kept=None)
    return dataclasses.replace(
        base,
        revalidation=None,
        checkpoint=None,
        borrowed=Borrowed(lender, -5, True, "row"),
        study=Path("runs/detect/train/drift/borrowed-seam15"),
        looks=(),
        replay=None,
        not_run=(NotRun("replay", "the checkpoint of epoch 14 is gone"),),
    )


def with_twins() -> Analysis:
    """No replay was possible, twins name the likeliest fault; one file has a hostile name."""
    base = fault()
    mosaic = {"train/box_loss": FaultEffect(0.18, 0.15, 0.21), "val/box_loss": FaultEffect(0.01, -0.02, 0.04)}
    arms = (
        SimulatedFault("mosaic-state", "mosaic-state (state open)", "with mosaic the train losses are higher", 5, 0.914,
                0.41, 0.97, effects=mosaic),
        SimulatedFault("wrong-checkpoint", "wrong-checkpoint (path <b>&|x.pt)", "it lies in the run", 3, 0.061, 0.02,
                0.88, effects={"train/box_loss": FaultEffect(0.11, 0.02, 0.2)}, diverged=1),
        SimulatedFault("optimizer-lost", "optimizer-lost", "training differs", 1, 0.0004, 0.0001, 0.05,
                effects={"train/box_loss": FaultEffect(0.02, None, None)}),
        SimulatedFault("head-rebuilt", "head-rebuilt", "the head", 0, 0.0, 0.0, 0.0,
                "diverged with every seed, the row did not", diverged=2),
    )  # fmt: skip
    found = SimulatedFaults(
        answer="mosaic-state",
        summary="mosaic-state has 91 % of the likelihood; next: wrong-checkpoint 6 % (4 twins).",
        arms=arms,
        healthy=0.0,
        none=0.0246,
        confused=(("mosaic-state (state open)", "wrong-checkpoint (path <b>&|x.pt)"),),
        untried=("ema-reset (updates 0)",),
        columns=("train/box_loss", "val/box_loss"),
        replicates=8,
        epochs=12,
    )
    cause = Cause("mosaic-state", Certainty.LIKELY, ("91 % of the likelihood.",), "Resume with the close_mosaic.")
    return dataclasses.replace(
        base, audit=(), replay=None, fingerprint=None, twins=found, diagnosis=(cause,), argument_changes=()
    )


ANALYSES = {
    "noise": noise,
    "fault": fault,
    "inconclusive": inconclusive,
    "borrowed": borrowed,
    "twins": with_twins,
}
