"""Read args.yaml with the safe loader only, and tell which arguments of two runs really differ."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

import yaml

from analyzer.errors import RunError
from analyzer.runs.versions import TRAIN_DEFAULTS, resume_allows

__all__ = ["ArgChange", "ArgsDiff", "diff_args", "read_args"]

_LIMIT = 5_000_000  # bytes; a real args.yaml has 2 kB, and yaml aliases can blow up larger ones

# Where the run is kept, how it is reported, or only read by predict, export and track: without effect on an epoch's metrics.
_BOOKKEEPING = frozenset(
    "save_dir project name resume model exist_ok plots verbose save save_period patience mode task_id profile cfg "  # run
    "save_json save_hybrid augment half int8 dnn retina_masks visualize "  # validation flags that training overrides
    "source vid_stride stream_buffer show save_frames save_txt save_conf save_crop show_labels show_conf show_boxes "
    "line_width embed format keras optimize dynamic simplify opset workspace nms tracker "
    "v5loader session upload_dataset".split()
)
_INFORMATION = frozenset({"seed"})
# What optimizer=auto decides by itself and some versions write back into train_args.
_AUTO = frozenset({"optimizer", "lr0", "momentum", "warmup_bias_lr"})
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$", re.IGNORECASE)


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
    """Read an args.yaml; no tag but yaml's own is understood, so nothing is built or run.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    dict
        Argument to value.

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


def load_yaml(path: Path) -> Any:
    """Load a small yaml file with the safe loader; RunError with the reason otherwise."""
    if path.is_dir():
        raise RunError(f"{path} is a directory, not a yaml file.")
    try:
        if path.stat().st_size > _LIMIT:
            raise RunError(f"{path} is too large for a yaml of arguments ({path.stat().st_size} bytes).")
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as e:
        raise RunError(f"{path} cannot be read: {e.strerror}.") from e
    except UnicodeDecodeError as e:
        raise RunError(f"{path} is no text file (byte {e.start} is not UTF-8).") from e
    text = re.sub(r"[^\x09\x0A\x0D\x20-\x7E\x85\xA0-\uD7FF\uE000-\uFFFD\U00010000-\U0010ffff]", "", text)
    try:
        return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - a safe loader
    except yaml.constructor.ConstructorError as e:
        raise RunError(f"{path} holds an object that is not loaded: {e.problem}.", "Delete that line in a copy.") from e
    except (yaml.YAMLError, ValueError, RecursionError, TypeError) as e:
        mark = getattr(e, "problem_mark", None)
        where = f" (line {mark.line + 1})" if mark else ""
        raise RunError(f"{path} is no valid yaml{where}.", "Compare it with the args.yaml of another run.") from e


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
    auto = {_text(before.get("optimizer", "auto")), _text(after.get("optimizer", "auto"))}
    for name in sorted((set(before) | set(after)) - _BOOKKEEPING):
        old, new, known = _pair(name, before, after)
        if not known:
            side = "the earlier" if name not in before else "the later"
            notes.append(f"'{name}' is unknown to {side} arguments and its default is not known: not compared.")
            continue
        if _same(name, old, new, notes):
            continue
        if name in _AUTO and "auto" in auto and (name != "optimizer" or len(auto) == 2):
            notes.append(f"'{name}' ({old} and {new}) is decided by optimizer=auto: not compared.")
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


def _same(name: str, old: Any, new: Any, notes: list[str]) -> bool:
    a, b = _normal(name, old), _normal(name, new)
    if _equal(a, b):
        return True
    if name == "device" and ("" in (a, b)):
        notes.append(f"'device' is automatic on one side ({old!r} and {new!r}): which one it was is not known.")
        return True
    if name in ("data", "distill_model", "pretrained") and isinstance(a, str) and isinstance(b, str):
        return _same_path(a, b)
    return False


def _equal(a: Any, b: Any) -> bool:
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-15) or (math.isnan(a) and math.isnan(b))
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(_equal(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_equal(a[k], b[k]) for k in a)
    return type(a) is type(b) and bool(a == b)


def _same_path(a: str, b: str) -> bool:
    """Whether two spellings can mean one file: the same on disk, or one the end of the other."""
    try:
        if Path(a).exists() and Path(b).exists():
            return Path(a).samefile(b)
    except (OSError, ValueError):
        pass
    parts = sorted((_parts(a), _parts(b)), key=len)
    relative = not (parts[0][:1] == ["/"] or re.match(r"[A-Za-z]:$", parts[0][0] if parts[0] else ""))
    return relative and bool(parts[0]) and parts[1][-len(parts[0]) :] == parts[0]


def _parts(text: str) -> list[str]:
    slashed = text.replace("\\", "/")
    root = ["/"] if slashed.startswith("/") else []
    return root + [p for p in slashed.split("/") if p not in ("", ".")]


def _text(value: Any) -> str:
    return str(value).strip().lower()


def _normal(name: str, value: Any) -> Any:
    """One spelling for each meaning; numbers become floats, sequences lists, paths and enums text."""
    special = _SPECIAL.get(name)
    return _plain(special(value) if special else value)


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, str):
        return _plain_text(value.strip())
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(v) for v in value]
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if hasattr(value, "item") and callable(value.item):  # a numpy or torch scalar
        value = value.item()
    return float(value) if isinstance(value, (int, float)) else value


def _plain_text(text: str) -> Any:
    lower = text.lower()
    if lower in ("none", "null", "~"):
        return None
    if lower in ("true", "false"):
        return lower == "true"
    return float(text) if _NUMBER.match(text) else text  # yaml 1.1 reads 1e-3 as a string


def _device(value: Any) -> str:
    text = ",".join(map(str, value)) if isinstance(value, (list, tuple)) else _text("" if value is None else value)
    text = re.sub(r"cuda:|[()\[\]' ]", "", text)
    return {"cuda": "", "none": "", "-1": "", "gpu": "0"}.get(text, f"device {text}" if text else "")


def _cache(value: Any) -> Any:
    return {"": False, "none": False, "false": False, "true": "ram"}.get(_text("" if value is None else value), value)


def _amp(value: Any) -> Any:
    return {"fp16": True, "fp32": False}.get(_text(value), value)


def _off(value: Any) -> Any:
    """False, None, 0 and an empty list all mean off."""
    return None if value is None or value == [] or value == () or (isinstance(value, (bool, float)) and not value) else value


def _square(value: Any) -> Any:
    items = list(value) if isinstance(value, (list, tuple)) else [value]
    return items[0] if items and all(i == items[0] for i in items) else value


_SPECIAL = {
    "device": _device,
    "cache": _cache,
    "amp": _amp,
    "freeze": lambda v: None if v == 0 and not isinstance(v, str) else _off(v),
    "multi_scale": lambda v: _off(float(v) if isinstance(v, int) and not isinstance(v, bool) else v),
    "compile": _off,
    "classes": _off,
    "augmentations": _off,
    "imgsz": _square,
    "optimizer": lambda v: _text(v),
}
