"""Every fault that can be injected: what its row looks like, how the audit would see it, whether it is searched for."""

from __future__ import annotations

from dataclasses import dataclass

from analyzer.diagnosis.catalogue import entry_of

__all__ = ["SIGNATURES", "Signature", "remedy_of"]


@dataclass(frozen=True, slots=True)
class Signature:
    """One fault of `analyzer.faults`.

    Parameters
    ----------
    id
        Of the intervention.
    row
        What the first resumed row shows.
    state
        How the audit sees it, where it can.
    searched
        Which parameters the replay fingerprint tries; empty where none is tried.
    remedy
        What to do; empty: that of the catalogue of findings.
    """

    id: str
    row: str
    state: str
    searched: str
    remedy: str = ""


SIGNATURES: tuple[Signature, ...] = (
    Signature(
        "lr-jump",
        "The rate columns leave the schedule; train losses rise and come back within epochs, mAP slowly.",
        "The logged rate against the recomputed schedule; lr0 against the stored optimizer.",
        "The logged rate over that of the replay, per parameter group.",
    ),
    Signature(
        "warmup-repeated",
        "The rate columns ramp; val losses rise.",
        "The logged rates of a ramp that begins at the seam.",
        "Where the rate columns differ.",
    ),
    Signature(
        "not-a-resume",
        "Epoch numbers, learning rate and warmup begin again.",
        "Epoch numbers that start again, epoch -1, no optimizer.",
        "Where the rate columns differ.",
    ),
    Signature(
        "optimizer-lost",
        "Train losses differ a little, often inside the noise of one epoch.",
        "An empty state, Adam's step counters. SGD has no counter: only the row can tell.",
        "An optimizer without state.",
    ),
    Signature(
        "optimizer-changed",
        "Train losses differ; the rate columns may too.",
        "The keys of the stored groups, the class before and after the seam.",
        "",
    ),
    Signature(
        "ema-reset",
        "Train losses are the same, validation is not.",
        "The EMA's counter after the seam against the one before it.",
        "The counter set to 0; an EMA that copies the weights.",
    ),
    Signature(
        "wrong-checkpoint",
        "The row continues an earlier epoch.",
        "Repeated epochs; stored metrics against their row; counters after the seam.",
        "best.pt and the newest older epochN.pt that lie in the run (three files).",
    ),
    Signature(
        "weights-replaced",
        "Train losses jump at once, validation (EMA) follows later.",
        "All weights unrelated to those before the seam, in the first three epochs after it.",
        "The file that `pretrained` names; the one to whose weights those after the seam are nearer than to the seam's "
        "checkpoint; where there is no later checkpoint, the weights of the same three files.",
        "Resume without pretrained=; later versions do not let it overwrite resumed weights (upstream PR #25854).",
    ),
    Signature(
        "head-rebuilt",
        "mAP about 0, class loss high.",
        "Number of classes of data set and model; the head's weights after the seam against those before it.",
        "",
    ),
    Signature(
        "mosaic-state",
        "The level of the train losses changes, validation hardly.",
        "close_mosaic before and after, where the arguments say it.",
        "Closed where it should be open, and the reverse.",
    ),
    Signature(
        "augmentation-changed",
        "The level of the train losses changes, validation hardly.",
        "The arguments, where they say it.",
        "No augmentation; Ultralytics' defaults instead of yours; mixup=0.5.",
    ),
    Signature(
        "wrong-data",
        "Everything jumps; with other validation images only validation.",
        "Class names, numbers of images, the manifest of the seam.",
        "Training or validation on another split of the data yaml; training labels in alphabetical order of the class "
        "names or shifted by one, where the class loss alone jumps.",
    ),
    Signature(
        "batch-changed",
        "The train losses shift a little.",
        "The arguments; the number of EMA updates since the seam.",
        "What a checkpoint after the seam says; half the batch.",
        "Resume with the batch and imgsz of the checkpoint, on a device with enough free memory.",
    ),
    Signature(
        "constant-loader",
        "No seed changes anything: a null without variance.",
        "Named as a known bug of the version.",
        "",
        "Update Ultralytics to a version that seeds its loader (8.4.132 and later).",
    ),
)
_BY_ID = {s.id: s for s in SIGNATURES}


def remedy_of(fault: str) -> str:
    """What to do about a fault, in one sentence.

    Examples
    --------
    >>> remedy_of("optimizer-lost").startswith("Resume from a checkpoint that holds its optimizer")
    True
    """
    return _BY_ID[fault].remedy or entry_of(fault).remedy
