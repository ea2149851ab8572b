"""Which faults may have made the observed row, the likeliest first, with parameters read from the evidence.

Pure: rows, arguments and findings in, hypotheses out. Three kinds of clue set the order: what the audit says, which
columns of the replay differ from the run's, and whether the train losses came out lower or higher.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from analyzer.diagnosis.rows import is_rate, is_train
from analyzer.domain.evidence import Finding, Severity
from analyzer.runs.versions import TRAIN_DEFAULTS

__all__ = ["Clues", "Hypothesis", "Interventions", "OtherFile", "completions", "hypotheses"]

Interventions = tuple[tuple[str, Mapping[str, Any]], ...]

_LARGE = 0.05  # a relative change of the train losses that another optimizer state does not make
_OF_FINDING = {"steps-off": "batch-changed"}
_NO_AUGMENTATION: Mapping[str, Any] = dict.fromkeys(
    ("mosaic", "mixup", "cutmix", "copy_paste", "hsv_h", "hsv_s", "hsv_v", "degrees", "translate", "scale", "shear",
     "perspective", "flipud", "fliplr", "erasing"), 0.0
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class OtherFile:
    """A weight file that may have been resumed by mistake.

    Parameters
    ----------
    path, sha256
        The file.
    epoch
        As results.csv counts; 0 for a file that is no checkpoint of this run (``pretrained=``).
    """

    path: Path
    sha256: str
    epoch: int


@dataclass(frozen=True, slots=True, eq=False)
class Clues:
    """What is known when the replay gave another row.

    Parameters
    ----------
    observed, replayed
        Row of the first resumed epoch, and what the replay printed for it.
    differ
        Columns that are not the same.
    args
        Arguments as configured.
    epoch
        The first resumed epoch as results.csv counts.
    findings
        Of the audit.
    files
        Other checkpoints of the run, and the file that ``pretrained`` names.
    splits
        Split to the images that the data yaml names, absolute.
    later_args
        Arguments that only a checkpoint after the seam knows to be different.
    """

    observed: Mapping[str, float]
    replayed: Mapping[str, float]
    differ: Sequence[str]
    args: Mapping[str, Any]
    epoch: int
    findings: tuple[Finding, ...] = ()
    files: tuple[OtherFile, ...] = ()
    splits: Mapping[str, Sequence[str]] = field(default_factory=dict)
    later_args: Mapping[str, Any] = field(default_factory=dict)

    @property
    def shift(self) -> float:
        """Median relative difference of the train losses, observed against replay; NaN where there are none."""
        pairs = [(self.observed[c], self.replayed[c]) for c in self.differ if c.startswith("train/")]
        relative = [(a - b) / abs(b) for a, b in pairs if np.isfinite([a, b]).all() and b]
        return float(np.median(relative)) if relative else float("nan")

    @property
    def mosaic_open(self) -> bool:
        """Whether mosaic is on in the first resumed epoch, as configured."""
        epochs, close = self.args.get("epochs"), self.args.get("close_mosaic", 10)
        closed = isinstance(epochs, int) and isinstance(close, int) and close > 0 and self.epoch > epochs - close
        return bool(self.args.get("mosaic", 1.0)) and not closed


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One fault, or two at once, that may explain the row.

    Parameters
    ----------
    interventions
        As in `Arm.interventions`.
    why
        What speaks for it, in half a sentence.
    """

    interventions: Interventions
    why: str

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids of its faults."""
        return tuple(i for i, _ in self.interventions)

    @property
    def words(self) -> str:
        """Faults with their parameters, as shown to the user.

        Examples
        --------
        >>> Hypothesis((("lr-jump", {"factors": 10.0}), ("ema-reset", {})), "").words
        'lr-jump (factors 10) and ema-reset'
        """
        return " and ".join(i + _shown(p) for i, p in self.interventions)


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
    named = {_OF_FINDING.get(f.id, f.id): f for f in clues.findings if f.severity is Severity.WARNING}
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
    rest = (*_validation(""), *_other_val(clues))
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
        yield from _validation("only validation differs")
        yield from _other_val(clues)
        return
    yield from _later(clues)
    shift = clues.shift
    if shift <= -_LARGE:
        order = (_weaker, _batch, _optimizer, _files, _stronger, _train_data)
    elif shift >= _LARGE:
        order = (_files, _stronger, _batch, _optimizer, _train_data, _weaker)
    else:
        order = (_optimizer, _batch, _files, _weaker, _stronger, _train_data)
    for source in order:
        yield from source(clues)


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


def _validation(why: str) -> Iterator[Hypothesis]:
    yield Hypothesis((("ema-reset", {"updates": 0}),), why)
    yield Hypothesis((("ema-reset", {"raw": True}),), why)


def _other_val(clues: Clues) -> Iterator[Hypothesis]:
    for split, images in clues.splits.items():
        if split != "val" and images != clues.splits.get("val"):
            yield Hypothesis((("wrong-data", {"val": list(images)}),), f"validation may have read the {split} images")


def _optimizer(clues: Clues) -> Iterator[Hypothesis]:
    yield Hypothesis((("optimizer-lost", {}),), "training differs at the scheduled learning rate")


def _later(clues: Clues) -> Iterator[Hypothesis]:
    later = {k: v for k, v in clues.later_args.items() if k in {"batch", "imgsz"} and isinstance(v, int)}
    if later:
        yield Hypothesis((("batch-changed", later),), "a checkpoint after the seam says so")


def _batch(clues: Clues) -> Iterator[Hypothesis]:
    batch = clues.args.get("batch")
    if isinstance(batch, int) and batch > 1:
        yield Hypothesis((("batch-changed", {"batch": batch // 2}),), "Ultralytics halves the batch when out of memory")


def _files(clues: Clues) -> Iterator[Hypothesis]:
    """The file of ``pretrained=`` first, best.pt before older epochs, the newest first."""
    for other in (f for f in clues.files if not f.epoch):
        named = {"path": str(other.path), "sha256": other.sha256, "raw_only": True}
        yield Hypothesis((("weights-replaced", named),), f"pretrained names {other.path.name}")
    ranked = sorted((f for f in clues.files if f.epoch), key=lambda f: (f.path.name != "best.pt", -f.epoch))
    for fault in ("wrong-checkpoint", "weights-replaced"):
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
    if not clues.mosaic_open:
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


def _shown(parameters: Mapping[str, Any]) -> str:
    values = {k: v for k, v in parameters.items() if k != "sha256"}
    shown = [f"{k} {Path(v).name if k == 'path' else _plain(v)}" for k, v in values.items()]
    return f" ({', '.join(shown)})" if shown else ""


def _plain(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return "/".join(_plain(v) for v in value)
    return f"{value:g}" if isinstance(value, float) else str(value)
