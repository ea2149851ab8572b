"""Every finding of the audit by its id: how much it may weigh, what is seen, what to do.

What the audit sees of a fault stands in the fault's class (`analyzer.faults`), all else here.
"""

from __future__ import annotations

from dataclasses import dataclass

from analyzer.domain.evidence import Finding, Severity
from analyzer.faults.registry import faults

__all__ = ["Entry", "catalogue", "entry_of", "finding"]

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


_OTHERS: tuple[Entry, ...] = (
    Entry(
        "optimizer-underflow",
        _H,
        "Adam's second moments are stored in half precision and were rounded to zero where the first moments are not.",
        "Update Ultralytics and resume from a checkpoint that the newer version wrote, or drop the optimizer state.",
    ),
    Entry(
        "non-finite",
        _H,
        "Stored weights or optimizer moments hold NaN or infinity.",
        "Go back to the newest checkpoint without NaN and resume from it, with a lower learning rate or amp=False.",
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
_ORDER = {severity: i for i, severity in enumerate((_H, _W, _I))}


def catalogue() -> tuple[Entry, ...]:
    """Every entry: those of the faults first, then all that is no fault that could be injected."""
    of_faults = (Entry(f.id, f.severity, f.seen, f.finding_remedy or f.remedy) for f in faults().values() if f.severity)
    return (*of_faults, *_OTHERS)


def entry_of(finding_id: str) -> Entry:
    """The entry of an id; KeyError where there is none."""
    return {entry.id: entry for entry in catalogue()}[finding_id]


def finding(
    finding_id: str, evidence: str, *, severity: Severity | None = None, remedy: str | None = None, fault: str = ""
) -> Finding:
    """Make a finding of the catalogue.

    Parameters
    ----------
    finding_id
        An id of :func:`catalogue`.
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
    entry = entry_of(finding_id)
    weight = severity or entry.severity
    if _ORDER[weight] < _ORDER[entry.severity]:
        raise ValueError(f"{finding_id} is at most {entry.severity.value}, not {weight.value}")
    text = remedy if remedy is not None else entry.remedy if weight is not _I else ""
    return Finding(finding_id, weight, evidence, text, fault)
