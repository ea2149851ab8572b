"""Re-validation: the checkpoint's own weights on the user's data, before anything is trained.

They must give the row that was logged with them. Where they do not, the data, a label cache or the environment changed,
and no fault of the training is looked for first.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from analyzer.diagnosis.revalidation import Difference, compare_rows
from analyzer.domain.evidence import Revalidation
from analyzer.domain.replicate import Replicate
from analyzer.errors import EngineError
from analyzer.replicates.collector import Collector
from analyzer.replicates.study import Study
from analyzer.report.formatting import duration, short_name
from analyzer.report.model.analysis import StepResult

__all__ = ["revalidate"]


def revalidate(study: Study, collector: Collector) -> tuple[Revalidation, StepResult]:
    """Validate the stored weights once, or read that from the study, and compare.

    Returns
    -------
    tuple of Revalidation and StepResult
        NOT_RUN where it is not possible, or where a difference could come from elsewhere (another version, another
        device) and therefore accuses nothing.
    """
    if reason := _why_not(study):
        return Revalidation.NOT_RUN, StepResult("not possible", f"Not possible: {reason}.")
    try:
        found = collector.validation()
    except EngineError as e:
        return Revalidation.NOT_RUN, StepResult("not possible", f"Not possible: {e.what}")
    return revalidation_outcome(study, found)


def revalidation_outcome(study: Study, found: Replicate) -> tuple[Revalidation, StepResult]:
    """What the validated row says."""
    record = found.epochs[0]
    logged, now = study.checkpoint.train_metrics, record.printed
    columns = compare_rows(logged, now, instances=_instances(study), shuffled=_shuffled(study))
    details: dict[str, Any] = {
        "seconds": round(record.seconds, 3),
        "columns": {
            c.name: {"logged": c.logged, "now": c.now, "difference": c.now - c.logged, "tolerance": c.tolerance}
            for c in columns
        },
        "differ": [c.name for c in columns if not c.agrees],
    }
    if not any(c.tolerance for c in columns):
        text = "Not possible: the stored row shares no loss and no score with the validation of this version."
        return Revalidation.NOT_RUN, StepResult("not possible", text, details=details)
    cost = f"(validation only, {duration(record.seconds)})"
    worst = max(columns, key=lambda c: c.share)
    if not details["differ"]:
        text = f"The checkpoint's own weights give its logged row again, as far as rounding allows {cost}."
        return Revalidation.AGREES, StepResult("agrees", text, details=details)
    said = f"{_words(worst)} {cost}"
    if other := _elsewhere(study):
        text = f"The checkpoint's own weights give another row, {said}; that accuses nothing: {other}."
        return Revalidation.NOT_RUN, StepResult("differs", text, details=details)
    text = f"The checkpoint's own weights do not give its logged row any more: {said}."
    return Revalidation.DISAGREES, StepResult("disagrees", text, details=details)


def _words(column: Difference) -> str:
    return f"{short_name(column.name)} {column.now:.4g} instead of {column.logged:.4g}"


def _instances(study: Study) -> int:
    counts: Mapping[Any, int] = study.data_facts["instances"].get("val", {})
    return sum(counts.values())


def _shuffled(study: Study) -> bool:
    """Whether the order of validation changes the losses.

    The classification trainer shuffles its validation images, too, in batches of twice the training's; the last one may
    be smaller and its images then weigh more.
    """
    batch = study.checkpoint.train_args.get("batch")
    images = study.data_facts["images"].get("val", 0)
    unequal = not isinstance(batch, int) or batch < 1 or bool(images % (2 * batch) and images > 2 * batch)
    return study.checkpoint.task == "classify" and unequal


def _why_not(study: Study) -> str:
    """Why there is nothing to compare with; empty where there is."""
    args, logged = study.checkpoint.train_args, study.checkpoint.train_metrics
    reasons = {
        "the checkpoint holds no metrics of its epoch (train_metrics)": not logged,
        "the run did not validate after each epoch (val=False)": args.get("val") is False,
        "the metrics stored in the checkpoint are all zero: it was never validated": not any(logged.values()),
    }
    return next((reason for reason, holds in reasons.items() if holds), "")


def _elsewhere(study: Study) -> str:
    """What else than data, cache and environment may explain another row; empty where nothing does."""
    args = study.checkpoint.train_args
    installed, wrote = study.versions.get("ultralytics"), study.checkpoint.version
    device, batch = args.get("device"), args.get("batch")
    reasons = {
        f"Ultralytics {wrote or 'of an unknown version'} wrote it, here is {installed}, and versions validate "
        "differently": wrote != installed,
        "the run validated on several GPUs": isinstance(device, (list, tuple)) or "," in str(device),
        "the run validated on another device, or it is not known on which": str(device).lower() != "cpu",
        "it was validated on a GPU now, where rounding has not been measured": study.device.argument != "cpu",
        "AutoBatch chose the batch, and the mean of the losses depends on it": isinstance(batch, (int, float))
        and batch < 1,
    }
    return next((reason for reason, holds in reasons.items() if holds), "")
