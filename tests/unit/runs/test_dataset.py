"""Data sets are found as Ultralytics finds them; nothing is executed or unpickled."""

import json

import pytest
import yaml

from analyzer.errors import DataError
from analyzer.runs.dataset import fingerprint_dataset, resolve_dataset
from tests.support.data_project import resolve, write


def test_absolute_yaml_without_path(place, tmp_path):
    _, run, data = place
    ds = resolve(run, str(data / "data.yaml"), tmp_path)
    assert ds.yaml == data / "data.yaml"
    assert ds.names == {0: "a", 1: "b"}
    assert ds.splits == {"train": (data / "images/train",), "val": (data / "images/val",)}
    assert ds.raw == {
        "path": str(data), "train": str(data / "images/train"), "val": str(data / "images/val"),
        "names": {0: "a", 1: "b"}, "nc": 2,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "where"), [("data/data.yaml", "."), ("data.yaml", "data"), ("data", "."), ("data/data", ".")]
)
def test_relative_yaml_of_the_working_directory(place, text, where):
    root, run, data = place
    assert resolve(run, text, root / where).yaml.resolve() == data / "data.yaml"


def test_relative_yaml_of_a_folder_above_the_run(place, tmp_path):
    _, run, data = place
    assert resolve(run, "data/data.yaml", tmp_path).yaml == data / "data.yaml"
    assert resolve(run, "data\\data.yaml", tmp_path).yaml == data / "data.yaml"


def test_the_working_directory_comes_first(place, tmp_path):
    root, run, data = place
    other = tmp_path / "other" / "data"
    for split in ("train", "val"):
        (other / "images" / split).mkdir(parents=True)
    write(other, {"names": ["z"]})
    assert resolve(run, "data/data.yaml", tmp_path / "other").names == {0: "z"}
    assert resolve(run, "data/data.yaml", root).yaml == data / "data.yaml"


PATHS = {
    "absolute": str,
    "relative to the working directory": lambda data: "data",
    "dot": lambda data: ".",
    "relative to the yaml": lambda data: "../data",
}


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS.keys())
def test_path_key(place, path):
    root, run, data = place
    yaml_file = write(data, {"path": path(data)})
    cwd = data if path(data) == "." else root
    assert resolve(run, str(yaml_file), cwd).splits["val"] == (data / "images/val",)


def test_path_key_relative_to_the_datasets_folder_of_the_settings(place, tmp_path, monkeypatch):
    root, _, data = place
    settings = tmp_path / "config" / "Ultralytics" / "settings.json"
    settings.parent.mkdir(parents=True)
    settings.write_text(json.dumps({"datasets_dir": str(root)}))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    yaml_file = write(elsewhere, {"path": "data"})
    ds = resolve_dataset({"data": str(yaml_file)}, run=elsewhere, cwd=elsewhere)
    assert ds.splits["train"] == (data / "images/train",)
    settings.write_text("not json")
    with pytest.raises(DataError, match="not found"):
        resolve_dataset({"data": str(yaml_file)}, run=elsewhere, cwd=elsewhere)


def test_roboflow_yaml(place, tmp_path):
    _, run, data = place
    yaml_file = write(data, {"train": "../images/train", "val": "../images/val"})
    assert resolve(run, str(yaml_file), tmp_path).splits["train"] == (data / "images/train",)


def test_lists_and_text_files(place, tmp_path):
    _, run, data = place
    (data / "val.txt").write_text("\ufeff./images/val/0.jpg\nimages/val/1.jpg\n\nnotes.md\n", encoding="utf-8")
    yaml_file = write(data, {"train": ["images/train", "images/val"], "val": "val.txt"})
    ds = resolve(run, str(yaml_file), tmp_path)
    assert ds.splits == {"train": (data / "images/train", data / "images/val"), "val": (data / "val.txt",)}
    assert ds.raw["train"] == [str(data / "images/train"), str(data / "images/val")]
    found = fingerprint_dataset(ds)
    assert found.images == {"train": 5, "val": 2}
    assert found.labels == {"train": 4, "val": 2}


def test_download_is_neither_run_nor_kept(place, tmp_path):
    _, run, data = place
    mark = tmp_path / "mark"
    yaml_file = write(data, {"download": f"open({str(mark)!r}, 'w')", "kpt_shape": [2, 3]})
    ds = resolve(run, str(yaml_file), tmp_path)
    assert "download" not in ds.raw
    assert ds.raw["kpt_shape"] == [2, 3]
    yaml_file = write(data, {"download": f"open({str(mark)!r}, 'w')", "val": "images/none"})
    with pytest.raises(DataError):
        resolve(run, str(yaml_file), tmp_path)
    assert not mark.exists()


def test_raw_is_independent_of_the_working_directory(place, tmp_path):
    root, run, data = place
    ds = resolve(run, str(write(data, {"path": "data"})), root)
    copy = tmp_path / "copy.yaml"
    copy.write_text(yaml.safe_dump(dict(ds.raw)))
    again = resolve(run, str(copy), tmp_path)
    assert again.splits == ds.splits
    assert fingerprint_dataset(again).sha256 == fingerprint_dataset(ds).sha256


def test_override(place, tmp_path):
    _, run, data = place
    ds = resolve_dataset({"data": "/gone/data.yaml"}, run=run, override=data / "data.yaml", cwd=tmp_path)
    assert ds.yaml == data / "data.yaml"


def test_names(place, tmp_path):
    _, run, data = place
    for names, nc, expected in (
        ({0: "x", "1": 5}, None, {0: "x", 1: "5"}),
        (None, 2, {0: "class_0", 1: "class_1"}),
        (["a"], 1, {0: "a"}),
    ):
        assert resolve(run, str(write(data, {"names": names, "nc": nc})), tmp_path).names == expected


def test_validation_key_and_test_split(place, tmp_path):
    _, run, data = place
    ds = resolve(run, str(write(data, {"val": None, "validation": "images/val"})), tmp_path)
    assert ds.splits["val"] == (data / "images/val",)
    yaml_file = write(data, {"test": "images/train"})
    assert resolve(run, str(yaml_file), tmp_path, split="test").splits["val"] == (data / "images/train",)


@pytest.mark.parametrize(
    "changes",
    [
        {"train": None},
        {"val": None},
        {"val": "images/none"},
        {"train": ["images/train", "images/none"]},
        {"train": 5},
        {"train": [5]},
        {"train": {"a": 1}},
        {"names": None},
        {"names": {1: "a"}},
        {"names": {"x": "a"}},
        {"names": []},
        {"names": None, "nc": "many"},
        {"path": "/nowhere"},
        {"path": "nowhere"},
        {"path": 3},
    ],
    ids=str,
)
def test_unusable_yaml(place, tmp_path, changes):
    _, run, data = place
    with pytest.raises(DataError) as e:
        resolve(run, str(write(data, changes)), tmp_path)
    assert "--data" in e.value.hint


@pytest.mark.parametrize(
    "text",
    [None, "", "https://example.com/a.zip", "ul://a/b", "gone.zip", "/gone/data.yaml", "no_such_set.yaml", "empty"],
)
def test_not_found_or_not_local(place, tmp_path, text):
    root, run, _ = place
    (root / "empty").mkdir()
    with pytest.raises(DataError) as e:
        resolve(run, text, tmp_path)
    assert "--data" in e.value.hint


@pytest.mark.parametrize("content", [b"- a\n", b"a: [1\n", b"\xff\xd8\xff\x00", b"a: !!python/name:os.system\n"])
def test_broken_yaml(place, tmp_path, content):
    _, run, data = place
    (data / "data.yaml").write_bytes(content)
    with pytest.raises(DataError, match=r"data\.yaml"):
        resolve(run, str(data / "data.yaml"), tmp_path)


def test_shipped_yaml_is_found_but_its_images_are_not_downloaded(place, tmp_path):
    _, run, _ = place
    with pytest.raises(DataError, match=r"images of .*coco8\.yaml are not found"):
        resolve(run, "coco8.yaml", tmp_path)


def test_classification(tmp_path):
    root = tmp_path / "animals"
    for split, n in (("train", 2), ("valid", 1)):
        for c in ("dog", "cat"):
            (root / split / c).mkdir(parents=True)
            for i in range(n):
                (root / split / c / f"{i}.png").write_bytes(b"x")
    ds = resolve_dataset({"data": "animals", "task": "classify"}, run=tmp_path / "run", cwd=tmp_path)
    assert ds.yaml == root
    assert ds.names == {0: "cat", 1: "dog"}
    assert ds.splits == {"train": (root / "train",), "val": (root / "valid",)}
    found = fingerprint_dataset(ds)
    assert found.images == {"train": 4, "val": 2}
    assert found.instances == {"train": {0: 2, 1: 2}, "val": {0: 1, 1: 1}}
    (root / "train" / "cat" / "0.png").rename(root / "train" / "dog" / "9.png")
    assert fingerprint_dataset(ds).sha256 != found.sha256


def test_classification_without_parts(tmp_path):
    root = tmp_path / "animals"
    for make in ("", "train", "val"):
        (root / make).mkdir(exist_ok=True)
        with pytest.raises(DataError):
            resolve_dataset({"data": str(root), "task": "classify"}, run=tmp_path, cwd=tmp_path)
    with pytest.raises(DataError, match="not found"):
        resolve_dataset({"data": "none", "task": "classify"}, run=tmp_path, cwd=tmp_path)
