"""args.yaml is read safely, and only what really differs is called a difference."""

from pathlib import Path, PosixPath

import numpy as np
import pytest

from analyzer.errors import RunError
from analyzer.runs.args import diff_args, read_args
from analyzer.runs.same_value import same_value

WILD = Path(__file__).parents[3] / "../shared/wild"
BASE = {
    "task": "detect", "data": "data.yaml", "epochs": 100, "batch": 16, "imgsz": 640, "device": "", "workers": 8,
    "optimizer": "SGD", "lr0": 0.01, "warmup_bias_lr": 0.1, "seed": 0, "mosaic": 1.0, "cache": False, "freeze": None,
    "close_mosaic": 10, "resume": False, "save_dir": "runs/a", "name": "a", "project": None, "model": "yolov8n.yaml",
}  # fmt: skip


def write(tmp_path, content):
    file = tmp_path / "args.yaml"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


def test_reads_a_mapping(tmp_path):
    file = write(tmp_path, "\ufefftask: detect\r\nlr0: 0.01\r\ndevice: null\r\n8: x\r\n")
    assert read_args(file) == {"task": "detect", "lr0": 0.01, "device": None, "8": "x"}


ERRORS = {
    "empty": (b"", "is empty"),
    "list": ("- a\n- b\n", "a list, not a mapping"),
    "text": ("hello", "a str, not a mapping"),
    "broken": ("a: [1\nb: 2\n", "no valid yaml (line"),
    "tab": ("a:\n\t- 1\n", "no valid yaml (line"),
    "binary": (b"\xff\xd8\xff\xe0\x00\x10", "binary"),
    "latin-1": ("a: é\n".encode("latin-1"), "no text file"),
    "python object": ("a: !!python/object/apply:os.system ['touch HERE']\n", "holds an object that is not loaded"),
    "python name": ("a: !!python/name:os.system\n", "holds an object that is not loaded"),
    "custom tag": ("a: !Thing {b: 1}\n", "holds an object that is not loaded"),
    "unhashable key": ("? [1, 2]\n: 3\n? {a: 1}\n: 2\n", ""),
    "bad date": ("a: 2020-99-99\n", "no valid yaml"),
    "deep": ("[" * 5000, "no valid yaml"),
}


@pytest.mark.parametrize(("content", "words"), ERRORS.values(), ids=ERRORS.keys())
def test_clear_error(tmp_path, monkeypatch, content, words):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RunError) as e:
        read_args(write(tmp_path, content))
    assert words in e.value.what
    assert "args.yaml" in e.value.what
    assert not (tmp_path / "HERE").exists()


def test_directory_missing_and_huge(tmp_path):
    with pytest.raises(RunError, match="is a directory"):
        read_args(tmp_path)
    with pytest.raises(RunError, match="cannot be read"):
        read_args(tmp_path / "no.yaml")
    with pytest.raises(RunError, match="too large"):
        read_args(write(tmp_path, "a: " + "x" * 6_000_000))


def test_equal_arguments():
    diff = diff_args(BASE, dict(BASE))
    assert not diff
    assert diff.information == diff.notes == ()


SAME = [
    ("lr0", 0.001, "1e-3"),
    ("lr0", 0.01, np.float64(0.01)),
    ("lr0", 0.1 + 0.2, 0.3),
    ("batch", 16, 16.0),
    ("device", "", None),
    ("device", None, "None"),
    ("device", "0", 0),
    ("device", "cuda:0", "0"),
    ("device", [0, 1], "0,1"),
    ("device", "cpu", "CPU"),
    ("cache", False, None),
    ("cache", False, ""),
    ("cache", True, "ram"),
    ("freeze", None, []),
    ("freeze", None, 0),
    ("multi_scale", False, 0.0),
    ("imgsz", 640, [640, 640]),
    ("amp", True, "fp16"),
    ("scale", (0.5, 1.0), [0.5, 1]),
    ("optimizer", "SGD", "sgd"),
    ("data", "data.yaml", "/home/me/data.yaml"),
    ("data", PosixPath("/x/data.yaml"), "/x/data.yaml"),
    ("data", "./d/data.yaml", "C:\\me\\d\\data.yaml"),
    ("cos_lr", False, "False"),
]


@pytest.mark.parametrize(("name", "a", "b"), SAME)
def test_spellings_of_one_value(name, a, b):
    assert same_value(name, a, b)
    assert same_value(name, b, a)


DIFFERENT = [
    ("lr0", 0.01, 0.1),
    ("batch", 16, 8),
    ("device", "cpu", "0"),
    ("device", "0", "0,1"),
    ("cache", "ram", "disk"),
    ("cache", False, True),
    ("freeze", None, 10),
    ("mosaic", 1.0, True),
    ("cos_lr", False, None),
    ("imgsz", 640, [640, 480]),
    ("data", "/a/data.yaml", "/b/data.yaml"),
    ("data", "a/data.yaml", "/x/b/data.yaml"),
    ("data", "data.yaml", "other.yaml"),
    ("data", "ata.yaml", "/x/data.yaml"),
    ("classes", None, [1]),
]


@pytest.mark.parametrize(("name", "a", "b"), DIFFERENT)
def test_different_values(name, a, b):
    assert not same_value(name, a, b)
    assert not same_value(name, b, a)


def test_same_file_by_another_way(tmp_path, monkeypatch):
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "data.yaml").write_text("x")
    (tmp_path / "link.yaml").symlink_to(tmp_path / "d" / "data.yaml")
    monkeypatch.chdir(tmp_path)
    assert same_value("data", "link.yaml", str(tmp_path / "d" / "data.yaml"))
    (tmp_path / "data.yaml").write_text("y")  # both exist and are two files: the equal ending does not count
    assert not same_value("data", "data.yaml", str(tmp_path / "d" / "data.yaml"))


@pytest.mark.parametrize(
    "name", ["save_dir", "project", "name", "resume", "model", "exist_ok", "plots", "verbose", "save_period", "mode"]
)
def test_bookkeeping_is_ignored(name):
    diff = diff_args({**BASE, name: "a"}, {**BASE, name: "b"})
    assert not diff
    assert diff.notes == ()


CHANGES = [  # argument, new value, version, allowed there
    ("lr0", 0.1, "8.4.190", False),
    ("optimizer", "AdamW", "8.4.190", False),
    ("epochs", 200, "8.4.190", False),
    ("mosaic", 0.0, "8.4.190", False),
    ("batch", 8, "8.3.0", True),
    ("imgsz", 320, "8.3.0", True),
    ("close_mosaic", 0, "8.3.0", True),
    ("data", "other.yaml", "8.3.0", True),
    ("cache", "ram", "8.3.200", False),
    ("cache", "ram", "8.4.0", True),
    ("cache", "ram", "8.3.230", True),  # between two versions that were read: in doubt for the user
    ("cache", "ram", None, True),
    ("freeze", 10, "8.3.200", False),
    ("workers", 0, "8.3.0", True),  # the trainer itself sets it on CPU
]


@pytest.mark.parametrize(("name", "value", "version", "allowed"), CHANGES)
def test_changes_by_version(name, value, version, allowed):
    (change,) = diff_args(BASE, {**BASE, name: value}, version=version).changes
    assert (change.name, change.before, change.after, change.allowed) == (name, BASE[name], value, allowed)


def test_refused_and_allowed_are_apart():
    diff = diff_args(BASE, {**BASE, "lr0": 0.1, "batch": 8})
    assert [c.name for c in diff.refused] == ["lr0"]
    assert [c.name for c in diff.allowed] == ["batch"]


def test_seed_is_information():
    diff = diff_args(BASE, {**BASE, "seed": 7})
    assert not diff
    assert [c.name for c in diff.information] == ["seed"]


def test_automatic_device_is_not_compared():
    diff = diff_args(BASE, {**BASE, "device": "cpu"})
    assert not diff
    assert "'device'" in diff.notes[0]


def test_what_automatic_optimizer_decides_is_not_compared():
    auto = {**BASE, "optimizer": "auto"}
    chosen = {**BASE, "optimizer": "AdamW", "lr0": 0.002, "warmup_bias_lr": 0.0}
    diff = diff_args(auto, chosen)
    assert not diff
    assert len(diff.notes) == 3
    # With auto on both sides the versions that write warmup_bias_lr back must not raise an alarm; lr0 still does.
    diff = diff_args(auto, {**auto, "warmup_bias_lr": 0.0, "lr0": 0.1})
    assert [c.name for c in diff.changes] == ["lr0"]


def test_keys_of_other_versions():
    newer = {**BASE, "cutmix": 0.0, "compile": False, "never_heard_of": 3}
    diff = diff_args(BASE, newer)
    assert not diff
    assert diff.notes == (
        "'never_heard_of' is unknown to the earlier arguments and its default is not known: not compared.",
    )
    assert [c.name for c in diff_args(BASE, {**BASE, "cutmix": 0.5}).changes] == ["cutmix"]


@pytest.mark.skipif(not WILD.is_dir(), reason="the collection of real runs is not here")
def test_every_wild_file_is_read_and_equals_itself():
    files = sorted(WILD.glob("runs/*/args.yaml"))
    assert len(files) > 50
    for file in files:
        args = read_args(file)
        assert "epochs" in args, file
        assert not diff_args(args, {k: str(v) if isinstance(v, float) else v for k, v in args.items()}), file
