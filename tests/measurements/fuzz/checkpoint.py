"""Cases of a .pt: facts as the mutator wrote them, or a refusal; a global that is not on the list is never resolved."""

from __future__ import annotations

import io
import pickle
import pickletools
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from math import inf, nan
from pathlib import Path
from random import Random
from typing import Any

from analyzer.runs.checkpoint import read_checkpoint
from tests.measurements.fuzz.case import ERROR, Case, Target, comparable, cut, flipped

Mutated = tuple[bytes, tuple[Any, ...]]

# Ways from a pickle to a program, some through modules that a real checkpoint names.
EVIL = (
    "os system", "posix system", "builtins eval", "builtins exec", "builtins __import__", "subprocess Popen",
    "importlib import_module", "runpy run_path", "operator attrgetter", "operator methodcaller", "functools partial",
    "torch load", "torch.hub load", "torch.nn.modules os", "torch.nn os", "torch.serialization load",
    "torch._utils _import_dotted_name", "torch.storage _load_from_bytes", "ultralytics.nn.tasks torch_safe_load",
    "ultralytics.nn.tasks parse_model", "ultralytics.nn.tasks os.system", "ultralytics.utils.downloads download",
    "ultralytics.utils checks", "numpy load", "numpy.lib.npyio load", "pathlib Path.write_text", "codecs open",
    "builtins open", "shutil rmtree", "webbrowser open", "ctypes CDLL", "pickle loads", "types FunctionType",
    "builtins type", "builtins object", "copyreg _reconstructor", "pip main",
)  # fmt: skip


def _payload(random: Random) -> dict[str, Any]:
    optimizer = {"state": {0: {"momentum_buffer": 1.0}}, "param_groups": [{"lr": random.random()}]}
    return {
        "epoch": random.choice((-1, 0, 5, 299)),
        "updates": random.choice((None, 0, 12_345)),
        "ema": OrderedDict(),
        "model": None,
        "optimizer": random.choice((None, optimizer)),
        "train_args": {"task": "detect", "epochs": random.randint(1, 300), "lr0": random.random(), "data": "d.yaml"},
        "train_metrics": {"metrics/mAP50(B)": random.random(), "val/box_loss": random.random()},
        "version": random.choice(("8.3.0", "8.4.190", None)),
        "date": "2026-01-01T00:00:00",
    }


def _archive(pickled: bytes, random: Random) -> bytes:
    """As torch writes it: stored, not compressed, with storages beside the pickle."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as z:
        z.writestr("last/data.pkl", pickled)
        z.writestr("last/byteorder", b"little")
        z.writestr("last/data/0", random.randbytes(random.choice((0, 64, 600))))
        z.writestr("last/version", b"3\n")
    return buffer.getvalue()


def expected(payload: Any) -> Any:
    """Facts of a payload of plain data."""
    args, metrics, optimizer = payload["train_args"], payload.get("train_metrics"), payload.get("optimizer")

    def number(v):
        return int(v) if type(v) in (int, float) and abs(v) < 1e18 and v == int(v) else None

    return comparable(
        {
            "epoch": -1 if number(payload.get("epoch")) is None else number(payload["epoch"]),
            "updates": number(payload.get("updates")),
            "version": payload.get("version") if isinstance(payload.get("version"), str) else None,
            "train_args": {str(k): v for k, v in args.items()},
            "has_optimizer": isinstance(optimizer, dict) and bool(optimizer.get("param_groups")),
            "train_metrics": {
                str(k): float(v)
                for k, v in (metrics.items() if isinstance(metrics, dict) else ())
                if type(v) is float or number(v) is not None
            },
        }
    )


def read(path: Path) -> Any:
    """The reading of the code under test."""
    facts = read_checkpoint(path)
    names = ("epoch", "updates", "version", "train_args", "has_optimizer", "train_metrics")
    return comparable({name: getattr(facts, name) for name in names})


def _sound(random: Random, payload: dict[str, Any]) -> Mutated:
    return _archive(pickle.dumps(payload, protocol=random.choice((2, 3, 4, 5))), random), (expected(payload),)


def _value_changed(random: Random, payload: dict[str, Any]) -> Mutated:
    name = random.choice(("epoch", "updates", "version", "optimizer", "train_metrics", "date"))
    payload[name] = random.choice(
        (None, 3, 2.5, "x", [], {}, {"a": float("nan")}, {"a": 10**400, "b": 1}, True, -7, 10**30, nan, inf, 7.0)
    )
    return _archive(pickle.dumps(payload, protocol=2), random), (expected(payload), ERROR)


def _entry_lost(random: Random, payload: dict[str, Any]) -> Mutated:
    name = random.choice(list(payload))
    del payload[name]
    right = ERROR if name == "train_args" else expected(payload)
    return _archive(pickle.dumps(payload, protocol=2), random), (right,)


def _no_checkpoint(random: Random, payload: dict[str, Any]) -> Mutated:
    other = random.choice(([], "x", 5, None, {}, {"a.weight": 1.0}, {**payload, "train_args": [1]}, [payload]))
    return _archive(pickle.dumps(other, protocol=2), random), (ERROR,)


def _no_archive(random: Random, payload: dict[str, Any]) -> Mutated:
    raw = pickle.dumps(payload, protocol=2)
    return random.choice((b"", raw, b"hello", b"\xff\xd8\xff" + raw, b"PK\x03\x04" + raw, b"\x1f\x8b" + raw)), (ERROR,)


def _cut_off(random: Random, payload: dict[str, Any]) -> Mutated:
    return cut(random, _archive(pickle.dumps(payload, protocol=2), random)), (ERROR,)


def _zeros(random: Random, payload: dict[str, Any]) -> Mutated:
    raw = _archive(pickle.dumps(payload, protocol=2), random)
    at = random.randrange(len(raw) - 22)
    return raw[:at] + b"\0" * (len(raw) - at), (ERROR,)


def _bytes_flipped(random: Random, payload: dict[str, Any]) -> Mutated:
    """The archive's checksums cover the pickle: the same facts, or a refusal."""
    return flipped(random, _archive(pickle.dumps(payload, protocol=2), random)), (expected(payload), ERROR)


class _Plain(pickle.Unpickler):
    """The standard unpickler, for plain data."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        raise pickle.UnpicklingError(name)


def _pickle_flipped(random: Random, payload: dict[str, Any]) -> Mutated:
    """Damage under a checksum that fits: what the standard unpickler makes of it, or a refusal."""
    raw = flipped(random, pickle.dumps(payload, protocol=random.choice((2, 4))))
    data = _archive(raw, random)
    if _reserves(raw):
        return data, (ERROR,)
    try:
        found = _Plain(io.BytesIO(raw)).load()
        right = (expected(found), ERROR)
    except Exception:  # whatever a damaged pickle raises in the standard unpickler
        right = (ERROR,)
    return data, right


def _reserves(raw: bytes) -> bool:
    """Whether a damaged memo index would make the standard unpickler reserve gigabytes in this very process."""
    try:
        return any(op.name in ("PUT", "LONG_BINPUT") and arg > len(raw) for op, arg, _ in pickletools.genops(raw))
    except Exception:
        return True  # broken in a place that the unpickler may reach after such an index


def _evil(random: Random, payload: dict[str, Any]) -> Mutated:
    """A global that is named, called, made or filled, in each of the ways that a pickle knows."""
    module, name = random.choice(EVIL).split(" ")
    named = random.choice(
        (f"c{module}\n{name}\n".encode(), _text(module) + _text(name) + b"\x93")  # GLOBAL, STACK_GLOBAL
    )
    argument = _text("touch HACKED") + b"\x85"
    used = random.choice((b"", argument + b"R", argument + b"\x81", argument + b"R}b", b"}b"))
    instance = b"(" + _text("touch HACKED") + f"i{module}\n{name}\n".encode() if random.random() < 0.1 else named + used
    body = pickle.dumps(payload, protocol=2)
    assert body[:3] == b"\x80\x02}" and body[-1:] == b"."
    return _archive(body[:-1] + _text("note") + instance + b"s.", random), (ERROR,)


def _text(text: str) -> bytes:
    raw = text.encode()
    return b"X" + len(raw).to_bytes(4, "little") + raw


MUTATIONS: tuple[Callable[[Random, dict[str, Any]], Mutated], ...] = (
    _sound, _value_changed, _entry_lost, _no_checkpoint, _no_archive, _cut_off, _zeros, _bytes_flipped, _pickle_flipped,
    _evil, _evil,
)  # fmt: skip


def draw(random: Random) -> Case:
    """One case."""
    mutate = random.choice(MUTATIONS)
    data, right = mutate(random, _payload(random))
    return Case(mutate.__name__[1:].replace("_", " "), data, right)


TARGET = Target("checkpoint", draw, read)
