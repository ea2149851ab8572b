"""Checkpoints: facts without torch, refusals by name, and nothing in a file is ever run."""

import contextlib
import datetime
import hashlib
import io
import pickle
import subprocess
import sys
import time
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest

from analyzer.errors import CheckpointError
from analyzer.runs.checkpoint import load_payload, read_checkpoint
from analyzer.runs.pickle_scan import scan_pickle

ARGS = {"task": "detect", "data": "data.yaml", "lr0": 0.01, "save_dir": Path("runs/a")}


MOMENTUM = {"state": {0: {"momentum_buffer": None}}, "param_groups": [{"lr": 0.01}]}
ADAM = {"state": {0: {"step": 1, "exp_avg": None, "exp_avg_sq": None}}, "param_groups": [{"lr": 0.01}]}
OTHER = {"state": {0: {"square_avg": None}}, "param_groups": [{"lr": 0.01}]}
FRESH = {"state": {}, "param_groups": [{"lr": 0.01}]}


def content(**changes):
    return {
        "epoch": 4,
        "updates": np.int64(123),
        "best_fitness": np.float64(0.5),
        "model": None,
        "ema": OrderedDict(),
        "optimizer": MOMENTUM,
        "train_args": ARGS,
        "train_metrics": {"metrics/mAP50(B)": np.float32(0.5), "fitness": 0.25, "word": "x"},
        "date": datetime.datetime(2024, 1, 2).isoformat(),
        "version": "8.4.190",
        **changes,
    }


def archive(data, name="last/data.pkl", others=()):
    """A torch archive around a pickle."""
    raw = data if isinstance(data, bytes) else pickle.dumps(data, protocol=2)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as z:
        z.writestr(name, raw)
        for other in others:
            z.writestr(other, b"x")
    return buffer.getvalue()


def write(folder, raw):
    file = folder / "last.pt"
    file.write_bytes(raw)
    return file


def test_facts(tmp_path):
    file = write(tmp_path, archive(content()))
    c = read_checkpoint(file)
    assert (c.path, c.sha256) == (file.absolute(), hashlib.sha256(file.read_bytes()).hexdigest())
    assert (c.epoch, c.csv_epoch, c.resumes_at, c.updates, c.version) == (4, 5, 6, 123, "8.4.190")
    assert (c.task, c.date) == ("detect", "2024-01-02T00:00:00")
    assert c.train_args == {**ARGS, "save_dir": "runs/a"}
    assert c.train_metrics == {"metrics/mAP50(B)": 0.5, "fitness": 0.25}
    assert c.resumable
    assert c.optimizer_kind == "SGD-like"


@pytest.mark.parametrize(
    ("optimizer", "kind", "has"),
    [
        (MOMENTUM, "SGD-like", True),
        (ADAM, "Adam-like", True),
        (OTHER, "unknown", True),
        (FRESH, None, True),
        (None, None, False),
        ({}, None, False),
    ],
)
def test_optimizer(tmp_path, optimizer, kind, has):
    c = read_checkpoint(write(tmp_path, archive(content(optimizer=optimizer))))
    assert (c.optimizer_kind, c.has_optimizer, c.resumable) == (kind, has, has)


def test_stripped_is_read_but_not_resumable(tmp_path):
    c = read_checkpoint(write(tmp_path, archive(content(epoch=-1, optimizer=None, updates=None, ema=None, model={}))))
    assert (c.epoch, c.updates, c.has_optimizer, c.resumable) == (-1, None, False, False)


GOOD = archive(content())
TORCH_LEGACY = pickle.dumps(119547037146038801333356, protocol=2) + pickle.dumps(1001, protocol=2)
NOT_CHECKPOINTS = {
    "empty": (b"", "is empty"),
    "JPEG": (b"\xff\xd8\xff\xe0" + bytes(100), "a JPEG image"),
    "PNG": (b"\x89PNG\r\n\x1a\n" + bytes(100), "a PNG image"),
    "text": (b"hello\nworld\n", "a text file"),
    "HTML": (b"<!DOCTYPE html>\n<HTML><body>404</body>", "an HTML page"),
    "LFS pointer": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS pointer"),
    "gzip": (b"\x1f\x8b\x08" + bytes(50), "gzip"),
    "bare pickle": (pickle.dumps(content(), protocol=2), "a bare pickle"),
    "old torch": (TORCH_LEGACY, "torch before 1.6"),
    "noise": (bytes(range(3, 256)), "binary file of another kind"),
    "half": (GOOD[: len(GOOD) // 2], "truncated"),
    "without the last byte": (GOOD[:-1], "truncated"),
    "first bytes only": (GOOD[:10], "truncated"),
    "hole in the middle": (GOOD[:100] + bytes(200) + GOOD[300:], "truncated"),
    "zip of something else": (archive(b"x", name="a/readme.txt"), "without data.pkl"),
    "TorchScript": (archive(content(), others=["last/code/__torch__.py", "last/constants.pkl"]), "TorchScript"),
    "cut pickle": (archive(pickle.dumps(content(), protocol=2)[:-40]), "is damaged"),
    "no pickle": (archive(b"\xff\xfe\xfd"), "is damaged"),
    "empty pickle": (archive(b""), "is damaged"),
    "missing memo": (archive(b"h\x63."), "is damaged"),
    "list": (archive([1, 2]), "holds a list alone"),
    "state_dict": (archive(OrderedDict({"model.0.weight": 1})), "a bare state_dict"),
    "own dictionary": (archive({"epoch": 1, "weights": 2}), "without train_args"),
    "train_args is text": (archive(content(train_args="x")), "no mapping"),
}


@pytest.mark.parametrize("reader", [read_checkpoint, load_payload])
@pytest.mark.parametrize(("raw", "words"), NOT_CHECKPOINTS.values(), ids=NOT_CHECKPOINTS.keys())
def test_clear_error(tmp_path, reader, raw, words):
    with pytest.raises(CheckpointError) as e:
        reader(write(tmp_path, raw))
    assert words in e.value.what
    assert "last.pt" in e.value.what


@pytest.mark.parametrize("reader", [read_checkpoint, load_payload])
def test_directory_and_missing(tmp_path, reader):
    with pytest.raises(CheckpointError, match="is a directory"):
        reader(tmp_path)
    with pytest.raises(CheckpointError, match="does not exist"):
        reader(tmp_path / "no.pt")


@pytest.mark.parametrize("step", range(7))
def test_every_damage_is_a_clear_error(tmp_path, step):
    """One byte changed anywhere in the pickle: a reading or a CheckpointError, never another exception."""
    raw = pickle.dumps(content(), protocol=2)
    for i in range(step, len(raw), 7):
        broken = bytes([*raw[:i], raw[i] ^ (1 << (i % 8)), *raw[i + 1 :]])
        with contextlib.suppress(CheckpointError):
            read_checkpoint(write(tmp_path, archive(broken)))


def test_a_bit_that_says_encrypted_is_damage(tmp_path):
    raw = bytearray(archive(pickle.dumps(content())))
    raw[raw.rindex(b"PK\x01\x02") + 8] |= 1  # the flag in the archive's directory
    raw[raw.index(b"PK\x03\x04") + 6] |= 1
    with pytest.raises(CheckpointError, match="damaged"):
        read_checkpoint(write(tmp_path, bytes(raw)))


def test_a_huge_memo_index_costs_nothing(tmp_path):
    start = time.perf_counter()
    with pytest.raises(CheckpointError, match="memo index"):
        read_checkpoint(write(tmp_path, archive(b"}r\xff\xff\xff\xfe.")))
    assert time.perf_counter() - start < 5


def opcodes(module, name, argument):
    """A pickle in which ``module.name(argument)`` is called and kept in a training checkpoint's dictionary."""
    call = f"c{module}\n{name}\n(V{argument}\ntR".encode()
    return b"(dVtrain_args\n(dsVema\n" + call + b"s."


def attacks(mark):
    touch = f"touch {mark}"
    python = f"open({str(mark)!r}, 'w')"
    return {
        "os.system": opcodes("os", "system", touch),
        "posix.system": opcodes("posix", "system", touch),
        "subprocess": opcodes("subprocess", "getoutput", touch),
        "exec": opcodes("builtins", "exec", python),
        "eval of python 2": opcodes("__builtin__", "eval", python),
        "attribute of an allowed module": opcodes("ultralytics.nn.tasks", "os.system", touch),
        "module inside an allowed module": opcodes("ultralytics.nn.tasks", "contextlib", touch),
        "function of an allowed module": opcodes("ultralytics.nn.tasks", "parse_model", touch),
        "function of torch": opcodes("torch.nn.modules.module", "_forward_unimplemented", touch),
        "torch.hub": opcodes("torch.hub", "load", touch),
        "torch.load": opcodes("torch", "load", touch),
        "operator": opcodes("operator", "attrgetter", "x"),
        "partial": opcodes("functools", "partial", "x"),
        "runpy": opcodes("runpy", "run_path", "x"),
        "constructor of a model": opcodes("ultralytics.nn.tasks", "DetectionModel", "x.yaml"),
        "constructor of a layer": opcodes("torch.nn.modules.conv", "Conv2d", "x"),
        "getattr of a stand-in": (
            b"(dVtrain_args\n(dsVema\ncbuiltins\ngetattr\n(cultralytics.nn.tasks\nDetectionModel\nV__init__\ntRs."
        ),
        "encode by another codec": b"(dVtrain_args\n(dsVema\nc_codecs\nencode\n(Vx\nVidna\ntRs.",
        "extension registry": b"\x80\x02\x82\x01.",
    }


@pytest.mark.parametrize("reader", [read_checkpoint, load_payload])
@pytest.mark.parametrize("attack", attacks("m"))
def test_malicious_pickle_is_refused_and_not_run(tmp_path, reader, attack):
    mark = tmp_path / "mark"
    file = write(tmp_path, archive(attacks(mark)[attack]))
    with pytest.raises(CheckpointError):
        reader(file)
    assert not mark.exists()
    if reader is read_checkpoint:  # even if trusted, reading the facts runs nothing
        with contextlib.suppress(CheckpointError):
            read_checkpoint(file, trust=True)
        assert not mark.exists()


def test_reduce_to_os_system_would_run_without_us(tmp_path):
    """The attack is real: the standard unpickler runs it."""
    mark = tmp_path / "mark"
    raw = attacks(mark)["os.system"]
    pickle.loads(raw)
    assert mark.exists()


def test_imported_class_of_an_allowed_module_is_not_given_to_torch(tmp_path):
    """``ultralytics.nn.tasks.Path`` is pathlib's: the facts are readable, the payload is refused."""
    raw = b"(dVtrain_args\n(dsVema\ncultralytics.nn.tasks\nPath\n)\x81s."
    file = write(tmp_path, archive(raw))
    assert read_checkpoint(file).epoch == -1
    with pytest.raises(CheckpointError, match="no class of that module"):
        load_payload(file)


def test_class_that_the_installed_version_lacks(tmp_path):
    raw = b"(dVtrain_args\n(dsVema\ncultralytics.nn.modules.block\nNeverWritten\n)\x81s."
    with pytest.raises(CheckpointError, match="installed packages do not have"):
        load_payload(write(tmp_path, archive(raw)))


@pytest.mark.parametrize(
    ("module", "name", "words"),
    [
        ("models.yolo", "DetectionModel", "YOLOv5"),
        ("ultralytics.yolo.utils", "IterableSimpleNamespace", "before 8.1"),
        ("my.layers", "Block", "my.layers.Block"),
    ],
)
def test_other_families_are_named(tmp_path, module, name, words):
    raw = f"(dVtrain_args\n(dsVema\nc{module}\n{name}\n".encode() + b")\x81s."
    with pytest.raises(CheckpointError) as e:
        read_checkpoint(write(tmp_path, archive(raw)))
    assert words in e.value.what


def test_own_classes_can_be_trusted_for_their_facts(tmp_path):
    file = write(tmp_path, archive(b"(dVtrain_args\n(dsVema\ncmy.layers\nBlock\n)\x81sVepoch\nI3\ns."))
    assert read_checkpoint(file, trust=True).epoch == 3


def test_facts_need_no_torch(tmp_path):
    file = write(tmp_path, archive(content()))
    code = (
        "import sys; from pathlib import Path; from analyzer.runs.checkpoint import read_checkpoint;"
        "print(read_checkpoint(Path(sys.argv[1])).epoch, {'torch', 'ultralytics'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code, file], capture_output=True, text=True, check=True)
    assert done.stdout == "4 set()\n"


def test_reading_leaves_the_file_as_it_is(tmp_path):
    file = write(tmp_path, GOOD)
    before = (file.read_bytes(), file.stat().st_mtime_ns, list(tmp_path.iterdir()))
    read_checkpoint(file)
    assert (file.read_bytes(), file.stat().st_mtime_ns, list(tmp_path.iterdir())) == before


@pytest.mark.parametrize(
    "stored",
    [
        b"cbuiltins\ngetattr\n(ctorchvision.transforms.functional\nInterpolationMode\nVBILINEAR\ntR.",  # before 3.11.4
        b"ctorchvision.transforms.functional\nInterpolationMode\n(Vbilinear\ntR.",
    ],
)
def test_the_interpolation_of_a_classifier_is_read_as_every_python_stores_it(stored):
    found, named = scan_pickle(stored)
    assert isinstance(found, str)
    assert "bilinear" in found.lower()
    assert "torchvision.transforms.functional.InterpolationMode" in named
