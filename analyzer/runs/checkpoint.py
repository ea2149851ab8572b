"""Read checkpoints: their facts without torch, their tensors with an allow-list of our own."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from analyzer.domain.checkpoint import Checkpoint
from analyzer.errors import CheckpointError
from analyzer.files import LFS_HINT, is_lfs_pointer
from analyzer.runs.model_yaml import refuse_executable_yaml
from analyzer.runs.pickle_scan import BROKEN, Inert, RefusedGlobal, Tensor, scan_pickle

__all__ = ["load_payload", "read_checkpoint", "scan_checkpoint"]

_PICKLE_LIMIT = 500_000_000  # bytes; a real data.pkl has a few hundred kB
_TASKS = {
    "DetectionModel": "detect", "SegmentationModel": "segment", "PoseModel": "pose", "OBBModel": "obb",
    "ClassificationModel": "classify", "RTDETRDetectionModel": "detect", "WorldModel": "detect",
    "YOLOv10DetectionModel": "detect", "YOLOEModel": "detect", "YOLOESegModel": "segment",
}  # fmt: skip
_SIGNS = (
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"\x89PNG", "a PNG image"),
    (b"version https://git-lfs", "a Git LFS pointer, not the file itself"),
    (b"\x89HDF", "an HDF5 file"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.", "a file of torch before 1.6, which Ultralytics 8.3 never wrote"),
)


def read_checkpoint(path: Path, *, trust: bool = False) -> Checkpoint:
    """Read the facts of a checkpoint; torch is not needed, no tensor is read, and nothing in the file is run.

    Parameters
    ----------
    path
        A ``.pt`` that Ultralytics wrote while training.
    trust
        Accept classes that are not known (own modules); they are not imported here either.

    Returns
    -------
    Checkpoint
        A stripped one (of a finished run) is read too: epoch -1, ``resumable`` False.

    Raises
    ------
    CheckpointError
        Missing, a directory, truncated, an image, text, TorchScript, a bare state_dict, of YOLOv5, or it names
        something that is not on the allow-list.
    """
    path = path.absolute()
    raw, digest = _read(path)
    found, _ = _scan(path, raw, trust)
    return _facts(path, digest, _payload(path, found))


def scan_checkpoint(path: Path, *, trust: bool = False) -> tuple[bytes, Mapping[str, Any]]:
    """Read the file and its dictionary with stand-ins for modules and tensors; nothing in it is run.

    Parameters
    ----------
    path, trust
        As in :func:`read_checkpoint`.

    Returns
    -------
    tuple
        The bytes of the archive, and what Ultralytics saved.

    Raises
    ------
    CheckpointError
        As in :func:`read_checkpoint`.
    """
    path = path.absolute()
    raw = _bytes(path)
    found, _ = _scan(path, raw, trust)
    return raw, _payload(path, found)


def load_payload(path: Path, *, trust: bool = False, sha256: str = "") -> dict[str, Any]:
    """Load the whole dictionary with modules and tensors, on the CPU.

    The pickle is scanned with stand-ins first; only the globals that it names and the allow-list permits are then given
    to ``torch.load(weights_only=True)``, each checked to be what it says (a class defined in that very module).
    Importing Ultralytics for it may create Ultralytics' settings file: call it where ``YOLO_CONFIG_DIR`` is private.

    Parameters
    ----------
    path
        A ``.pt`` that Ultralytics wrote while training.
    trust
        Load classes that are not known as well. This **runs** what the file says: only for files of your own.
    sha256
        What the file must hash to, where it was read before; what is scanned, hashed and loaded are the same bytes.

    Returns
    -------
    dict
        As Ultralytics saved it: ``epoch``, ``ema``, ``optimizer``, ``train_args`` ...

    Raises
    ------
    CheckpointError
        As in :func:`read_checkpoint`, the installed Ultralytics lacks one of its classes, or the file has changed.
    """
    path = path.absolute()
    raw, digest = _read(path)
    if sha256 and digest != sha256:
        raise CheckpointError(f"{path} changed while it was used.", "Is a training still writing it? Try again.")
    found, named = _scan(path, raw, trust)
    _payload(path, found)
    import torch

    from analyzer.runs.safe_globals import resolve_globals

    if not hasattr(torch.serialization, "get_unsafe_globals_in_checkpoint"):
        raise CheckpointError(f"torch {torch.__version__} cannot load {path} safely.", "Install torch 2.6 or newer.")
    try:
        if trust:
            loaded = torch.load(io.BytesIO(raw), map_location="cpu", weights_only=False)
        else:
            with torch.serialization.safe_globals(resolve_globals(path, named)):
                loaded = torch.load(io.BytesIO(raw), map_location="cpu", weights_only=True)
    except (*BROKEN, RuntimeError, OSError) as e:
        _broken(path, e)
    if not trust:
        refuse_executable_yaml(path, loaded)
    return dict(loaded)


def _read(path: Path) -> tuple[bytes, str]:
    raw = _bytes(path)
    return raw, hashlib.sha256(raw).hexdigest()


def _bytes(path: Path) -> bytes:
    if path.is_dir():
        raise CheckpointError(f"{path} is a directory, not a checkpoint.", "Give a .pt file from its weights folder.")
    if not path.is_file():
        raise CheckpointError(f"{path} does not exist.", "Give a .pt file that Ultralytics wrote.")
    try:
        return path.read_bytes()
    except OSError as e:
        raise CheckpointError(f"{path} cannot be read: {e.strerror}.", "Check its permissions.") from e


def _scan(path: Path, raw: bytes, trust: bool) -> tuple[object, tuple[str, ...]]:
    """The pickle inside, with stand-ins, and the globals that it names."""
    try:
        return scan_pickle(_data_pkl(path, raw), trust=trust)
    except RefusedGlobal as e:
        if e.name.startswith(("models.", "utils.")):
            what = f"{path} is a checkpoint of YOLOv5 or a relative of it ({e.name}), not of Ultralytics 8."
            raise CheckpointError(what, "Only runs of the package `ultralytics` can be analysed.") from e
        if e.name.startswith("ultralytics.yolo."):
            what = f"{path} was written by an Ultralytics before 8.1 ({e.name})."
            raise CheckpointError(what, "Ultralytics 8.3.0 is the oldest that can be analysed.") from e
        what = (
            f"{path} is not loaded: it names {e}, which is not on the list of what an Ultralytics checkpoint may hold."
        )
        raise CheckpointError(what, "If the class is your own, give --trust-checkpoint.") from e
    except BROKEN as e:
        _broken(path, e)


def _broken(path: Path, error: BaseException) -> NoReturn:
    text = str(error).split("\n", 1)[0][:200] or type(error).__name__
    raise CheckpointError(f"{path} is damaged: {text}.", "Take an older checkpoint of the run.") from error


def _data_pkl(path: Path, raw: bytes) -> bytes:
    """The member ``data.pkl`` of a torch archive."""
    if is_lfs_pointer(raw):
        raise CheckpointError(f"{path} is a Git LFS pointer, not the file itself.", LFS_HINT)
    if not raw.startswith(b"PK\x03\x04"):
        raise CheckpointError(f"{path} is {_what(raw)}, not a checkpoint.", "Give a .pt file that Ultralytics wrote.")
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            names = archive.namelist()
            if any(n.endswith("/constants.pkl") or "/code/" in n for n in names):
                hint = "Give the .pt that training wrote, not an export."
                raise CheckpointError(f"{path} is a TorchScript export, not a training checkpoint.", hint)
            inner = [n for n in names if n == "data.pkl" or (n.count("/") == 1 and n.endswith("/data.pkl"))]
            if len(inner) != 1:
                raise CheckpointError(f"{path} is a zip archive without data.pkl, not a checkpoint.")
            if archive.getinfo(inner[0]).file_size > _PICKLE_LIMIT:
                raise CheckpointError(f"{path} is no checkpoint: its data.pkl is too large.")
            return archive.read(inner[0])
    except (zipfile.BadZipFile, EOFError, RuntimeError, OSError) as e:  # RuntimeError: a flipped bit says "encrypted"
        what = f"{path} is truncated: the end of the archive is missing or damaged ({len(raw)} bytes)."
        raise CheckpointError(what, "The process was killed while it saved; take an older checkpoint.") from e


def _what(raw: bytes) -> str:
    """What the first bytes say the file is."""
    if not raw:
        return "empty"
    for sign, name in _SIGNS:
        if raw.startswith(sign):
            return name
    if raw[:1] == b"\x80":
        return "a bare pickle"
    head = raw[:2048]
    if b"\x00" not in head and all(b >= 32 or b in b"\t\r\n\x0c" for b in head):
        return "an HTML page" if b"<html" in head.lower() else "a text file"
    return "a binary file of another kind"


def _payload(path: Path, found: object) -> Mapping[str, Any]:
    hint = "Give weights/last.pt or weights/epochN.pt of a run."
    if not isinstance(found, dict):
        raise CheckpointError(f"{path} holds a {type(found).__name__} alone, not a training checkpoint.", hint)
    if "train_args" not in found or not ("ema" in found or "model" in found):
        weights = found and all(isinstance(v, Tensor) or "." in str(k) for k, v in found.items())
        kind = "a bare state_dict" if weights else "a dictionary without train_args"
        raise CheckpointError(f"{path} holds {kind}, not an Ultralytics training checkpoint.", hint)
    if not isinstance(found.get("train_args"), dict):
        raise CheckpointError(f"{path}: its train_args are no mapping.", hint)
    return {str(k): v for k, v in found.items()}


def _facts(path: Path, digest: str, payload: Mapping[str, Any]) -> Checkpoint:
    train_args = {str(k): v for k, v in payload["train_args"].items()}
    model = payload.get("ema") or payload.get("model")
    held = vars(model) if isinstance(model, Inert) else {}
    optimizer = payload.get("optimizer")
    epoch = _integer(payload.get("epoch"))
    task = train_args.get("task") or held.get("task") or _TASKS.get(type(model).__name__, "detect")
    return Checkpoint(
        path=path,
        sha256=digest,
        epoch=-1 if epoch is None else epoch,
        updates=_integer(payload.get("updates")),
        version=_string(payload.get("version")),
        date=_string(payload.get("date")),
        task=str(task),
        train_args=train_args,
        train_metrics=_floats(payload.get("train_metrics")),
        has_optimizer=isinstance(optimizer, dict) and bool(optimizer.get("param_groups")),
        optimizer_kind=_optimizer_kind(optimizer),
        names=_names(held.get("names")),
    )


def _integer(value: object) -> int | None:
    """A whole number of 18 digits at most, also where it is stored as a float."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**18 else None


def _string(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _floats(value: object) -> dict[str, float]:
    items = value.items() if isinstance(value, dict) else ()
    return {str(k): float(v) for k, v in items if isinstance(v, float) or _integer(v) is not None}


def _names(value: object) -> dict[int, str]:
    if isinstance(value, (list, tuple)):
        return {i: str(v) for i, v in enumerate(value)}
    items = value.items() if isinstance(value, dict) else ()
    return {int(k): str(v) for k, v in items if str(k).lstrip("-").isdigit()}


def _optimizer_kind(optimizer: object) -> str | None:
    state = optimizer.get("state") if isinstance(optimizer, dict) else None
    if not isinstance(state, dict) or not state:
        return None
    keys = {str(k) for entry in state.values() if isinstance(entry, dict) for k in entry}
    if "exp_avg" in keys:
        return "Adam-like"
    return "SGD-like" if "momentum_buffer" in keys else "unknown"
