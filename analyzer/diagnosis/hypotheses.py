"""Which faults may have made the observed row, the likeliest first, with parameters read from the evidence.

Pure: rows, arguments and findings in, hypotheses out. Three kinds of clue set the order: what the audit says, which
columns of the replay differ from the run's, and whether the train losses came out lower or higher.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from analyzer.diagnosis.clues import Clues, Hypothesis, OtherFile
from analyzer.diagnosis.rows import is_rate, is_train
from analyzer.domain.evidence import Severity
from analyzer.runs.args import has_mosaic
from analyzer.runs.versions import TRAIN_DEFAULTS

__all__ = ["completions", "hypotheses"]

_LARGE = 0.05  # a relative change of the train losses that another optimizer state does not make
_NEAR = 0.8  # of the distance from the seam's checkpoint; measured on healthy resumed epochs: 0.98 and more
_CLASSES = 0.3  # a relative change of the class loss that, where the other losses hardly move, the labels make
_NO_AUGMENTATION: Mapping[str, Any] = dict.fromkeys(
    ("mosaic", "mixup", "cutmix", "copy_paste", "hsv_h", "hsv_s", "hsv_v", "degrees", "translate", "scale", "shear",
     "perspective", "flipud", "fliplr", "erasing"), 0.0
)  # fmt: skip


def hypotheses(clues: Clues) -> tuple[Hypothesis, ...]:
    """Every hypothesis that the row does not rule out, the likeliest first.

    Parameters
    ----------
    clues
        The evidence.

    Returns
    -------
    tuple of Hypothesis
        Those that the audit names come first, as a pair where it names two.
    """
    found = list(_by_columns(clues))
    # What the resumed run was given by its arguments is part of the replay already.
    warnings = [f for f in clues.findings if f.severity is Severity.WARNING and f.id != "changed-arguments"]
    named = {f.cause: f for f in warnings}
    first = [h for h in found if h.ids[0] in named]
    heads = list({h.ids[0]: h for h in reversed(first)}.values())[::-1]  # the first of each id
    pairs = [_pair(heads[0], heads[1], "the audit names both")] if len(heads) >= 2 else []
    return (*pairs, *first, *(h for h in found if h not in first))


def completions(tried: Hypothesis, half: str, clues: Clues) -> tuple[Hypothesis, ...]:
    """Pairs that may give the rest of a row of which a hypothesis gave the training columns.

    Parameters
    ----------
    tried
        What was tried.
    half
        Which half of the row it gave, as in `Trial.half`.
    clues
        The evidence.
    """
    explained = half == "training" and any(is_train(c) for c in clues.differ)
    if not explained or len(tried.interventions) > 1:
        return ()
    rest = (*_validation(clues, ""), *_other_val(clues))
    return tuple(_pair(tried, h, f"{tried.ids[0]} alone gave the training columns") for h in rest)


def _pair(a: Hypothesis, b: Hypothesis, why: str) -> Hypothesis:
    """Both faults at once."""
    return Hypothesis((*a.interventions, *b.interventions), why)


def _by_columns(clues: Clues) -> Iterator[Hypothesis]:
    rates = any(is_rate(c) for c in clues.differ)
    if rates:
        yield from _rates(clues)
        return
    if not any(is_train(c) for c in clues.differ):
        yield from _validation(clues, "only validation differs")
        yield from _other_val(clues)
        return
    if "batch" in clues.later_args:  # halved when out of memory: what else is tried would lack it
        yield from _later(clues)
        return
    for source in (_later, _pretrained, _near, _other_split, _permuted, *_order(clues.shift)):
        yield from source(clues)


def _order(shift: float) -> tuple[Callable[[Clues], Iterator[Hypothesis]], ...]:
    """By the relative shift of the train losses: a lost state moves them little, images and weights move them more.

    Another validation set draws other random numbers before training starts, so it moves them as another seed does.
    """
    if shift <= -_LARGE:
        return (_weaker, _batch, _optimizer, _older, _stronger, _weights, _alike, _train_data)
    if shift >= _LARGE:
        return (_older, _stronger, _optimizer, _weights, _batch, _alike, _train_data, _weaker)
    if shift <= 0:
        return (_optimizer, _batch, _alike, _weaker, _older, _other_val, _stronger, _weights, _train_data)
    return (_optimizer, _batch, _alike, _older, _other_val, _stronger, _weaker, _weights, _train_data)


def _rates(clues: Clues) -> Iterator[Hypothesis]:
    columns = [c for c in clues.replayed if is_rate(c)]
    ratios = [clues.observed.get(c, np.nan) / clues.replayed[c] if clues.replayed[c] else np.nan for c in columns]
    if not np.isfinite(ratios).all():
        return
    factors = [_round(r) for r in ratios]
    same = len(set(factors)) == 1
    jump = Hypothesis(
        (("lr-jump", {"factors": factors[0] if same else factors}),),
        f"the logged learning rate is {', '.join(f'{f:g}' for f in dict.fromkeys(factors))} times the scheduled one",
    )
    ramp = Hypothesis((("warmup-repeated", {}),), "the learning rates of the groups left the schedule differently")
    anew = Hypothesis((("not-a-resume", {}),), "the learning rate left its schedule")
    yield from (jump, ramp, anew) if same else (ramp, jump, anew)


def _round(ratio: float) -> float:
    """The simplest number that prints like the ratio of two rates of six digits.

    Examples
    --------
    >>> _round(10.00001), _round(0.333333), _round(3.0000021)
    (10.0, 0.3333333333333333, 3.0)
    """
    for bound in (1, 2, 3, 4, 5, 8, 10, 100, 1000):
        simple = Fraction(ratio).limit_denominator(bound)
        if simple and abs(float(simple) - ratio) <= 3e-6 * abs(ratio):
            return float(simple)
    return ratio


def _validation(clues: Clues, why: str) -> Iterator[Hypothesis]:
    if clues.updates is None:
        yield Hypothesis((("ema-reset", {"updates": 0}),), why)
    yield Hypothesis((("ema-reset", {"raw": True}),), why)


def _other_val(clues: Clues) -> Iterator[Hypothesis]:
    for split, images in clues.splits.items():
        if split != "val" and images != clues.splits.get("val"):
            yield Hypothesis((("wrong-data", {"val": list(images)}),), f"validation may have read the {split} images")


def _optimizer(clues: Clues) -> Iterator[Hypothesis]:
    if not clues.state_kept:
        yield Hypothesis((("optimizer-lost", {}),), "training differs at the scheduled learning rate")


def _later(clues: Clues) -> Iterator[Hypothesis]:
    later = {k: v for k, v in clues.later_args.items() if k in {"batch", "imgsz"} and isinstance(v, int)}
    if later:
        yield Hypothesis((("batch-changed", later),), "a checkpoint after the seam says so")


def _batch(clues: Clues) -> Iterator[Hypothesis]:
    batch = clues.args.get("batch")
    if isinstance(batch, int) and batch > 1 and clues.updates is None and not clues.read_splits:
        yield Hypothesis((("batch-changed", {"batch": batch // 2}),), "Ultralytics halves the batch when out of memory")


def _other_split(clues: Clues) -> Iterator[Hypothesis]:
    for split in clues.read_splits:
        why = f"the number of {split} images gives the number of updates after the seam"
        yield Hypothesis((("wrong-data", {"train": list(clues.splits[split])}),), why)


def _permuted(clues: Clues) -> Iterator[Hypothesis]:
    """Training labels in another order of the classes, where the class loss alone jumps."""
    shifts = clues.shifts("train/")
    of_classes = [v for c, v in shifts.items() if "cls" in c]
    others = [abs(v) for c, v in shifts.items() if "cls" not in c]
    n = len(clues.names)
    if not of_classes or not others or n < 2 or sorted(clues.names) != list(range(n)):
        return
    if min(of_classes) < _CLASSES or min(of_classes) < 3 * float(np.median(others)):
        return
    rank = [int(i) for i in np.argsort(np.argsort([clues.names[i] for i in range(n)]))]
    orders = {
        "in alphabetical order": rank,
        "counted from one": [min(i + 1, n - 1) for i in range(n)],
        "counted as from one": [max(i - 1, 0) for i in range(n)],
    }
    for words, order in orders.items():
        if order != list(range(n)):
            why = f"the class loss alone jumps; the classes of the labels may be {words}"
            yield Hypothesis((("wrong-data", {"order": order}),), why)


def _near(clues: Clues) -> Iterator[Hypothesis]:
    """The file from whose weights the resume trained, going by the weights after the seam."""
    near = [f for f in clues.files if f.near is not None and f.near < _NEAR]
    for other in sorted(near, key=lambda f: f.near or 0.0)[:1]:
        yield from _replaced(other, f"the weights after the seam are nearer to those of {other.path.name}")


def _replaced(other: OtherFile, why: str) -> Iterator[Hypothesis]:
    """Weights and average, or the weights alone."""
    for raw_only in (False, True):
        named = {"path": str(other.path), "sha256": other.sha256, "raw_only": raw_only}
        yield Hypothesis((("weights-replaced", named),), why)


def _pretrained(clues: Clues) -> Iterator[Hypothesis]:
    for other in (f for f in clues.files if not f.epoch):
        named = {"path": str(other.path), "sha256": other.sha256, "raw_only": True}
        yield Hypothesis((("weights-replaced", named),), f"pretrained names {other.path.name}")


def _weights(clues: Clues) -> Iterator[Hypothesis]:
    """Where weights after the seam are known, only the files that they do not tell from the seam's checkpoint."""
    yield from _files("weights-replaced", [f for f in clues.files if f.near is None])


def _alike(clues: Clues) -> Iterator[Hypothesis]:
    """Files whose weights are nearly those of the seam's checkpoint, as under an average that hardly moves."""
    for other in clues.files:
        if other.epoch and other.near is not None and _NEAR <= other.near < 1 / _NEAR:
            yield from _replaced(other, f"the weights of {other.path.name} are nearly those of the seam's checkpoint")


def _older(clues: Clues) -> Iterator[Hypothesis]:
    files = clues.files
    if clues.updates is not None:  # its counter would show after the seam
        files = tuple(f for f in files if f.updates in (None, clues.updates))
    yield from _files("wrong-checkpoint", files)


def _files(fault: str, files: Sequence[OtherFile]) -> Iterator[Hypothesis]:
    """best.pt before older epochs, the newest first; three at most."""
    ranked = sorted((f for f in files if f.epoch), key=lambda f: (f.path.name != "best.pt", -f.epoch))
    for other in ranked[:3]:
        file = {"path": str(other.path), "sha256": other.sha256}
        yield Hypothesis(((fault, file),), f"{other.path.name} (epoch {other.epoch}) lies in the run")


def _weaker(clues: Clues) -> Iterator[Hypothesis]:
    if clues.mosaic_open:
        yield Hypothesis((("mosaic-state", {"state": "closed"}),), "without mosaic the train losses are lower")
    off = {k: v for k, v in _NO_AUGMENTATION.items() if clues.args.get(k)}
    if off:
        yield Hypothesis((("augmentation-changed", off),), "without augmentation the train losses are lower")


def _stronger(clues: Clues) -> Iterator[Hypothesis]:
    if has_mosaic(clues.args) and not clues.mosaic_open:
        yield Hypothesis((("mosaic-state", {"state": "open"}),), "with mosaic the train losses are higher")
    lost = {k: TRAIN_DEFAULTS[k] for k in _NO_AUGMENTATION if clues.args.get(k, TRAIN_DEFAULTS[k]) != TRAIN_DEFAULTS[k]}
    if lost:
        yield Hypothesis((("augmentation-changed", lost),), f"the defaults of {', '.join(sorted(lost))} may be back")
    if clues.args.get("mixup") == 0:
        yield Hypothesis((("augmentation-changed", {"mixup": 0.5}),), "with mixup the train losses are higher")


def _train_data(clues: Clues) -> Iterator[Hypothesis]:
    for split, images in clues.splits.items():
        if split != "train" and images != clues.splits.get("train"):
            yield Hypothesis((("wrong-data", {"train": list(images)}),), f"training may have read the {split} images")
