"""Every finding of the audit by its id: how much it may weigh, what is seen, what to do."""

from __future__ import annotations

from dataclasses import dataclass

from analyzer.domain.evidence import Finding, Severity

__all__ = ["CATALOGUE", "Entry", "entry_of", "finding"]

_H, _W, _I = Severity.HARD, Severity.WARNING, Severity.INFORMATION


@dataclass(frozen=True, slots=True)
class Entry:
    """One kind of finding.

    Parameters
    ----------
    id
        As in `Finding.id`.
    severity
        The most that it can weigh; a single finding may weigh less, never more.
    seen
        What the state shows.
    remedy
        What to do, in one sentence; empty where nothing needs to be done.
    """

    id: str
    severity: Severity
    seen: str
    remedy: str


CATALOGUE: tuple[Entry, ...] = (
    Entry(
        "lr-jump",
        _H,
        "The logged learning rate of a resumed epoch leaves the schedule of the earlier epochs, or lr0 differs.",
        "Resume again from the unedited checkpoint with plain `resume=True`, without setting a learning rate yourself.",
    ),
    Entry(
        "warmup-repeated",
        _H,
        "The logged learning rates after the seam are those of a warmup that began again.",
        "Resume with `resume=True` instead of a new training, or set warmup_epochs=0 in the continuation.",
    ),
    Entry(
        "not-a-resume",
        _H,
        "Epoch numbers start again, the checkpoint is stripped (epoch -1), or args.yaml says resume: false.",
        "Call `YOLO('RUN/weights/last.pt').train(resume=True)` on a checkpoint that still has its optimizer.",
    ),
    Entry(
        "wrong-checkpoint",
        _H,
        "Several epochs are repeated after the seam, the metrics stored in the checkpoint are not those of its row, or "
        "the counters after the seam are what an older epoch gives.",
        "Resume from the newest weights/last.pt of this very run.",
    ),
    Entry(
        "optimizer-lost",
        _H,
        "There is no optimizer state, or Adam's step counters count only the steps since the seam.",
        "Resume from a checkpoint that holds its optimizer (weights/last.pt or epochN.pt, never a stripped one).",
    ),
    Entry(
        "optimizer-changed",
        _H,
        "The optimizer's class or its parameter groups are not those of the arguments or of the checkpoint before.",
        "Resume with the optimizer named in the checkpoint's train_args, set explicitly instead of optimizer=auto.",
    ),
    Entry(
        "optimizer-underflow",
        _H,
        "Adam's second moments are stored in half precision and were rounded to zero where the first moments are not.",
        "Update Ultralytics and resume from a checkpoint that the newer version wrote, or drop the optimizer state.",
    ),
    Entry(
        "ema-reset",
        _H,
        "The EMA's update counter after the seam is smaller than before it.",
        "Resume again without replacing trainer.ema; validation recovers after some thousand updates.",
    ),
    Entry(
        "non-finite",
        _H,
        "Stored weights or optimizer moments hold NaN or infinity.",
        "Go back to the newest checkpoint without NaN and resume from it, with a lower learning rate or amp=False.",
    ),
    Entry(
        "head-rebuilt",
        _H,
        "The data set has another number of classes than the stored model, or the head's weights after the seam are "
        "unrelated to those before it while the rest of the model is not.",
        "Resume with the data yaml of the checkpoint; for other classes start a new training from the weights.",
    ),
    Entry(
        "wrong-data",
        _H,
        "Class names or their order differ from the stored model, or files are not as the manifest of the seam says.",
        "Restore the data set of the checkpoint (files, labels, order of the class names) and resume again.",
    ),
    Entry(
        "augmentation-changed",
        _H,
        "An augmentation argument differs that Ultralytics refuses to change on resume.",
        "Resume again from the unedited checkpoint, with the augmentation of its train_args.",
    ),
    Entry(
        "mosaic-state",
        _H,
        "Mosaic is on at the first resumed epoch where the checkpoint's arguments close it, or the reverse.",
        "Resume with the close_mosaic of the checkpoint.",
    ),
    Entry(
        "amp-changed",
        _H,
        "The precision argument differs, or a run with mixed precision lost its scaler's state.",
        "Resume with the amp of the checkpoint; a lost scaler finds its scale again within some hundred steps.",
    ),
    Entry(
        "edited-arguments",
        _H,
        "Another argument differs that Ultralytics refuses to change on resume.",
        "Resume again from the unedited checkpoint.",
    ),
    Entry(
        "changed-arguments",
        _W,
        "An argument differs that Ultralytics lets change on resume; its effect is measured, not judged here.",
        "If you did not want it, resume with the value of the checkpoint.",
    ),
    Entry(
        "steps-off",
        _W,
        "The EMA was updated more or less often since the seam than batch, nbs and the number of images give.",
        "Look into the log of the resume for an out-of-memory that halved the batch, or for a changed data set.",
    ),
    Entry(
        "weights-replaced",
        _W,
        "All weights after the seam are unrelated to those before it.",
        "Resume without pretrained= and without loading weights yourself.",
    ),
    Entry(
        "stale-cache",
        _W,
        "A label cache holds other classes than the label files beside it.",
        "Delete the .cache file beside the labels and resume again.",
    ),
    Entry(
        "csv-artefact",
        _W,
        "results.csv holds several runs, or its epoch numbers skip.",
        "Compare epochs of one run only; keep each training in a folder of its own.",
    ),
    Entry(
        "environment",
        _W,
        "The checkpoints before and after the seam were written by different versions of Ultralytics.",
        "Resume under the version that wrote the checkpoint to see whether the version is the cause.",
    ),
    Entry(
        "image-content",
        _W,
        "An image cannot be decoded, or lies in a split twice with different labels (`drift audit --deep`).",
        "Restore the named images and labels, delete the .cache files beside the labels and resume again.",
    ),
    Entry("images-read", _I, "How many images `drift audit --deep` read.", ""),
    Entry("seam-at-close-mosaic", _I, "Mosaic closes at the first resumed epoch: a step of the losses is planned.", ""),
    Entry("lr-unknown", _I, "The schedule could not be recomputed (optimizer=auto, `time`, own schedule).", ""),
    Entry("finished", _I, "The audited checkpoint is that of a finished run: no epoch, no optimizer.", ""),
    Entry("data-not-read", _I, "The data set could not be looked at, so nothing is said about it.", ""),
    Entry("cache-not-read", _I, "A label cache was not read; the reason is named.", ""),
    Entry("known-bug", _I, "A known bug of the version touches this resume.", ""),
)
_BY_ID = {entry.id: entry for entry in CATALOGUE}
_ORDER = {severity: i for i, severity in enumerate((_H, _W, _I))}


def entry_of(finding_id: str) -> Entry:
    """The entry of an id; KeyError where there is none."""
    return _BY_ID[finding_id]


def finding(
    finding_id: str, evidence: str, *, severity: Severity | None = None, remedy: str | None = None, fault: str = ""
) -> Finding:
    """Make a finding of the catalogue.

    Parameters
    ----------
    finding_id
        An id of :data:`CATALOGUE`.
    evidence
        What was seen, with numbers.
    severity
        Less than the entry's, where this case weighs less.
    remedy
        Instead of the entry's, where the command can be named.
    fault
        As in :class:`analyzer.domain.evidence.Finding`.

    Raises
    ------
    ValueError
        `severity` is more than the entry allows.

    Examples
    --------
    >>> finding("steps-off", "208 updates instead of 416.").severity.value
    'warning'
    """
    entry = _BY_ID[finding_id]
    weight = severity or entry.severity
    if _ORDER[weight] < _ORDER[entry.severity]:
        raise ValueError(f"{finding_id} is at most {entry.severity.value}, not {weight.value}")
    text = remedy if remedy is not None else entry.remedy if weight is not _I else ""
    return Finding(finding_id, weight, evidence, text, fault)
