"""The committed data set is what its script makes, and is a sound detection data set."""

import numpy as np
import pytest
import yaml
from PIL import Image

from data import make_digits
from tests import ROOT

DATA = ROOT / "data"
DIGITS = DATA / "digits"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    root = tmp_path_factory.mktemp("digits")
    make_digits.make(root)
    return root


def names(root, pattern):
    return sorted(str(p.relative_to(root)) for p in root.glob(pattern))


def test_labels_are_what_the_script_makes(made):
    assert names(DIGITS, "labels/*/*.txt") == names(made, "labels/*/*.txt")
    for name in names(made, "labels/*/*.txt"):
        # boxes depend on Pillow's resampling; a later version may move one by a pixel
        ours, again = np.loadtxt(DIGITS / name, ndmin=2), np.loadtxt(made / name, ndmin=2)
        assert ours.shape == again.shape, name
        assert (ours[:, 0] == again[:, 0]).all(), name
        np.testing.assert_allclose(ours[:, 1:], again[:, 1:], atol=1.01 / 96, err_msg=name)


def test_images_are_what_the_script_makes(made):
    assert names(DIGITS, "images/*/*.jpg") == names(made, "images/*/*.jpg")
    for name in names(made, "images/*/*.jpg")[::16]:
        ours, again = (np.asarray(Image.open(root / name), dtype=float) for root in (DIGITS, made))
        assert np.abs(ours - again).mean() < 3, name  # JPEG coders differ a little between versions


def test_every_image_has_boxes_inside_it_with_known_classes():
    for split, count in (("train", 208), ("val", 128)):
        images = sorted((DIGITS / "images" / split).glob("*.jpg"))
        assert len(images) == count
        for image in images:
            rows = np.loadtxt(DIGITS / "labels" / split / f"{image.stem}.txt", ndmin=2)
            assert 1 <= len(rows) <= 4
            centre, size = rows[:, 1:3], rows[:, 3:5]
            assert (centre - size / 2 >= -1e-6).all()
            assert (centre + size / 2 <= 1 + 1e-6).all()
            assert set(rows[:, 0]) <= set(range(10))


def test_every_class_is_in_both_splits():
    for split in ("train", "val"):
        classes = np.concatenate([np.loadtxt(p, ndmin=2)[:, 0] for p in (DIGITS / "labels" / split).glob("*.txt")])
        assert set(classes) == set(range(10))


def test_the_yaml_works_from_any_clone_and_the_set_is_small():
    content = yaml.safe_load((DIGITS / "digits.yaml").read_text(encoding="utf-8"))
    assert "path" not in content
    assert all((DIGITS / content[split]).is_dir() for split in ("train", "val"))
    assert len(content["names"]) == 10
    assert sum(p.stat().st_size for p in DIGITS.rglob("*") if p.is_file() and p.suffix != ".cache") < 3_000_000
