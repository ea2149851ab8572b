"""Read args.yaml with the safe loader only, and tell which arguments of two runs really differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analyzer.errors import RunError
from analyzer.runs.same_value import is_automatic_device, same_value, spelling
from analyzer.runs.versions import TRAIN_DEFAULTS, resume_allows
from analyzer.runs.yamls import load_yaml

__all__ = ["ArgChange", "ArgsDiff", "diff_args", "read_args"]

# Where the run is kept, how it is reported, and what only predict, export and track read: without effect on metrics.
_BOOKKEEPING = frozenset(
    """
    save_dir project name resume model exist_ok plots verbose save save_period patience mode task_id profile cfg
    save_json save_hybrid augment half int8 dnn retina_masks visualize
    source vid_stride stream_buffer show save_frames save_txt save_conf save_crop show_labels show_conf show_boxes
    line_width embed format keras optimize dynamic simplify opset workspace nms tracker
    v5loader session upload_dataset
    """.split()  # second line: validation flags that training overrides  # noqa: SIM905 - words are easier to read
)
_INFORMATION = frozenset({"seed"})
# What optimizer=auto decides by itself and some versions write back into train_args.
_AUTO = frozenset({"optimizer", "lr0", "momentum", "warmup_bias_lr"})


@dataclass(frozen=True, slots=True)
class ArgChange:
    """One argument that differs.

    Parameters
    ----------
    name
        The argument.
    before, after
        Its values, as they stand in the two places (a default where one side does not know the key).
    allowed
        True where this version lets it change on resume; False: only an edited checkpoint or a new run explains it.
    """

    name: str
    before: Any
    after: Any
    allowed: bool


@dataclass(frozen=True, slots=True)
class ArgsDiff:
    """What differs between two sets of training arguments.

    Parameters
    ----------
    changes
        Those that can move a metric, by name.
    information
        Differences that cannot be a cause (seed), by name.
    notes
        What could not be compared, one sentence each.
    """

    changes: tuple[ArgChange, ...]
    information: tuple[ArgChange, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def refused(self) -> tuple[ArgChange, ...]:
        """The changes that this version refuses on resume: hard findings."""
        return tuple(c for c in self.changes if not c.allowed)

    @property
    def allowed(self) -> tuple[ArgChange, ...]:
        """The changes that this version allows on resume."""
        return tuple(c for c in self.changes if c.allowed)

    def __bool__(self) -> bool:
        return bool(self.changes)


def read_args(path: Path) -> dict[str, Any]:
    """Arguments by name, from an args.yaml; no tag but yaml's own is understood, so nothing is built or run.

    Raises
    ------
    RunError
        It cannot be read, is no text, no yaml, no mapping, or holds python objects.
    """
    loaded = load_yaml(path)
    if not isinstance(loaded, dict):
        kind = "empty" if loaded is None else f"a {type(loaded).__name__}, not a mapping"
        raise RunError(f"{path} is {kind}.", "Give the args.yaml that Ultralytics wrote, or move it away.")
    return {str(k): v for k, v in loaded.items()}


def diff_args(before: Mapping[str, Any], after: Mapping[str, Any], *, version: str | None = None) -> ArgsDiff:
    """Arguments that really differ, after their spellings are made equal.

    Parameters
    ----------
    before
        Usually the ``train_args`` of the checkpoint.
    after
        Usually the args.yaml that the resumed run wrote.
    version
        Ultralytics version of the resume: it decides what is allowed. None: the most permissive reading.

    Returns
    -------
    ArgsDiff
        Values compare equal across yaml and pickle (``"1e-3"`` and 0.001, tuple and list, ``""`` and null device ...),
        relative and absolute path of one file, and a missing key and its default.
    """
    changes: list[ArgChange] = []
    information: list[ArgChange] = []
    notes: list[str] = []
    for name in sorted((set(before) | set(after)) - _BOOKKEEPING):
        old, new, known = _pair(name, before, after)
        if not known:
            side = "the earlier" if name not in before else "the later"
            notes.append(f"'{name}' is unknown to {side} arguments and its default is not known: not compared.")
            continue
        if same_value(name, old, new):
            continue
        if reason := _incomparable(name, old, new, before, after):
            notes.append(f"'{name}' ({old!r} and {new!r}) is not compared: {reason}.")
            continue
        # Workers are set to 0 on CPU by the trainer itself, after args.yaml is written: never a sign of an edit.
        change = ArgChange(name, old, new, name == "workers" or resume_allows(name, version))
        (information if name in _INFORMATION else changes).append(change)
    return ArgsDiff(tuple(changes), tuple(information), tuple(notes))


def _pair(name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Any, Any, bool]:
    """Both values; the default where one side lacks the key, and whether both are known."""
    known = (name in before and name in after) or name in TRAIN_DEFAULTS
    default = TRAIN_DEFAULTS.get(name)
    return before.get(name, default), after.get(name, default), known


def _incomparable(
    name: str, old: object, new: object, before: Mapping[str, Any], after: Mapping[str, Any]
) -> str | None:
    """Why a difference says nothing; None where it does."""
    if name == "device" and (is_automatic_device(old) or is_automatic_device(new)):
        return "it is automatic on one side"
    auto = [spelling(a.get("optimizer", "auto")) == "auto" for a in (before, after)]
    if name in _AUTO and any(auto) and (name == "warmup_bias_lr" or not all(auto)):
        return "optimizer=auto decides it"
    return None
