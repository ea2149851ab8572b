"""The fingerprint of a data set moves with its content and with nothing else; nothing is written."""

import json

import pytest

from analyzer.errors import DataError
from analyzer.runs.dataset import fingerprint_dataset, manifest, resolve_dataset
from data import make_shapes
from tests import ROOT
from tests.support.data_project import resolve, write

DIGITS = ROOT / "data" / "digits"


def test_fingerprint_counts(place, tmp_path):
    _, run, data = place
    (data / "labels" / "val" / "0.txt").write_text("1 .5 .5 .1 .1\n\nx y\n0.0 1 1 1 1\n")
    found = fingerprint_dataset(resolve(run, str(data / "data.yaml"), tmp_path))
    assert found.images == {"train": 3, "val": 2}
    assert found.labels == {"train": 2, "val": 2}
    assert found.instances == {"train": {0: 1, 1: 3}, "val": {-1: 1, 0: 1, 1: 3}}


CHANGED = {
    "label": lambda d: (d / "labels/train/0.txt").write_text("0 .1 .1 .1 .1\n"),
    "label gone": lambda d: (d / "labels/val/0.txt").unlink(),
    "label emptied": lambda d: (d / "labels/val/0.txt").write_text(""),
    "image size": lambda d: (d / "images/val/1.jpg").write_bytes(b"longer"),
    "image name": lambda d: (d / "images/val/1.jpg").rename(d / "images/val/7.jpg"),
    "image gone": lambda d: (d / "images/val/1.jpg").unlink(),
    "image more": lambda d: (d / "images/train/sub.PNG").write_bytes(b"x"),
    "class order": lambda d: write(d, {"names": ["b", "a"]}),
}
UNCHANGED = {
    "cache": lambda d: (d / "labels/train.cache").write_bytes(b"\x80\x02cos\nsystem\n(Vfalse\ntR."),
    "other file": lambda d: (d / "images/train/readme.md").write_text("x"),
    "hidden image": lambda d: (d / "images/train/.0.jpg").write_bytes(b"x"),
    "npy of cache=disk": lambda d: (d / "images/train/0.npy").write_bytes(b"x"),
    "time": lambda d: (d / "images/train/0.jpg").touch(),
    "link that leads back": lambda d: (d / "images/train/loop").symlink_to(d / "images/train"),
}


@pytest.mark.parametrize("change", CHANGED.values(), ids=CHANGED.keys())
def test_fingerprint_notices(place, tmp_path, change):
    _, run, data = place
    before = fingerprint_dataset(resolve(run, str(data / "data.yaml"), tmp_path)).sha256
    change(data)
    assert fingerprint_dataset(resolve(run, str(data / "data.yaml"), tmp_path)).sha256 != before


@pytest.mark.parametrize("change", UNCHANGED.values(), ids=UNCHANGED.keys())
def test_fingerprint_is_deaf_to(place, tmp_path, change):
    _, run, data = place
    before = fingerprint_dataset(resolve(run, str(data / "data.yaml"), tmp_path))
    change(data)
    after = fingerprint_dataset(resolve(run, str(data / "data.yaml"), tmp_path))
    assert (after.sha256, after.images) == (before.sha256, before.images)


def test_fingerprint_moves_with_the_folder(place, tmp_path):
    root, run, data = place
    before = fingerprint_dataset(resolve(run, str(data / "data.yaml"), tmp_path)).sha256
    data.rename(root / "moved")
    assert fingerprint_dataset(resolve(run, str(root / "moved/data.yaml"), tmp_path)).sha256 == before


def test_split_without_images(place, tmp_path):
    _, run, data = place
    ds = resolve(run, str(data / "data.yaml"), tmp_path)
    for image in (data / "images/val").iterdir():
        image.unlink()
    with pytest.raises(DataError, match="no images"):
        fingerprint_dataset(ds)


def test_manifest_is_json_and_names_what_changed(place, tmp_path):
    _, run, data = place
    ds = resolve(run, str(data / "data.yaml"), tmp_path)
    before = manifest(ds)
    assert json.loads(json.dumps(before)) == before
    assert before["sha256"] == fingerprint_dataset(ds).sha256
    assert before["splits"]["train"]["2.jpg"] == [3, None]
    (data / "labels/train/0.txt").write_text("0 .1 .1 .1 .1\n")
    after = manifest(ds)["splits"]["train"]
    assert [k for k in after if after[k] != before["splits"]["train"][k]] == ["0.jpg"]


def test_labels_lie_beside_the_last_images_folder(tmp_path):
    data = tmp_path / "images" / "set"
    (data / "images").mkdir(parents=True)
    (data / "labels").mkdir()
    (data / "images" / "a.jpg").write_bytes(b"x")
    (data / "labels" / "a.txt").write_text("0 1 1 1 1\n")
    yaml_file = write(data, {"train": "images", "val": "images"})
    found = fingerprint_dataset(resolve_dataset({"data": str(yaml_file)}, run=tmp_path, cwd=tmp_path))
    assert found.labels == {"train": 1, "val": 1}


def test_nothing_is_written(place, tmp_path):
    root, run, data = place

    def state():
        return {p: (p.stat().st_mtime_ns, p.is_file() and p.read_bytes()) for p in root.rglob("*")}

    before = state()
    ds = resolve(run, str(data / "data.yaml"), tmp_path)
    fingerprint_dataset(ds)
    manifest(ds)
    assert state() == before
    assert not (tmp_path / "config").exists()


def test_the_digits_that_ship(tmp_path):
    ds = resolve_dataset({"data": str(DIGITS / "digits.yaml")}, run=tmp_path, cwd=tmp_path)
    found = fingerprint_dataset(ds)
    assert len(ds.names) == 10
    assert found.images == found.labels
    assert all(set(counts) == set(range(10)) for counts in found.instances.values())


def of_task(task, data):
    return resolve_dataset({"data": str(data), "task": task}, run=data.parent / "run")


@pytest.mark.parametrize(("task", "name"), [("semantic", "masks/val/0001.png"), ("depth", "depth/val/0001.npy")])
def test_labels_that_are_images_are_covered(task, name, tmp_path):
    yaml = make_shapes.make(tmp_path / "data", task, train=3, val=2)
    found, listed = fingerprint_dataset(of_task(task, yaml)), manifest(of_task(task, yaml))
    assert found.labels == {"train": 3, "val": 2}
    assert found.instances == {"train": {}, "val": {}}
    changed = tmp_path / "data" / name
    content = changed.read_bytes()
    changed.write_bytes(content[:-20] + bytes(b ^ 1 for b in content[-20:-19]) + content[-19:])  # of the same size
    assert fingerprint_dataset(of_task(task, yaml)).sha256 != found.sha256
    now = manifest(of_task(task, yaml))["splits"]
    assert [n for n in now["val"] if now["val"][n] != listed["splits"]["val"][n]] == ["0001.png"]
    assert now["train"] == listed["splits"]["train"]
    changed.unlink()
    assert fingerprint_dataset(of_task(task, yaml)).labels == {"train": 3, "val": 1}


def test_a_depth_map_as_png_comes_first(tmp_path):
    yaml = make_shapes.make(tmp_path / "data", "depth", train=2, val=2)
    before = fingerprint_dataset(of_task("depth", yaml))
    (tmp_path / "data" / "depth" / "train" / "0000.png").write_bytes(b"another one")
    both = fingerprint_dataset(of_task("depth", yaml))
    assert both.sha256 != before.sha256
    (tmp_path / "data" / "depth" / "train" / "0000.npy").unlink()  # which Ultralytics does not read any more
    assert fingerprint_dataset(of_task("depth", yaml)) == both


def test_masks_without_a_key_are_those_of_the_default_folder_and_mean_nothing_to_another_task(tmp_path):
    yaml = make_shapes.make(tmp_path / "data", "semantic", train=2, val=2)
    yaml.write_text(yaml.read_text().replace("masks_dir: masks\n", ""))
    masks, boxes = (fingerprint_dataset(of_task(task, yaml)) for task in ("semantic", "detect"))
    assert (masks.labels["train"], boxes.labels["train"]) == (2, 0)
    (tmp_path / "data" / "masks" / "train" / "0000.png").write_bytes(b"another one")
    assert fingerprint_dataset(of_task("semantic", yaml)) != masks
    assert fingerprint_dataset(of_task("detect", yaml)) == boxes
