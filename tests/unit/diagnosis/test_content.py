"""`drift audit --deep`: damaged images, and images that lie twice with different labels."""

import os
import shutil
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from analyzer.cli.app import app
from analyzer.diagnosis.audit import AuditFacts
from analyzer.domain.evidence import Severity
from analyzer.pipeline.audit import audit_place
from analyzer.pipeline.audit.images import deep_findings
from analyzer.runs.images import read_images

DIGITS = Path(__file__).parents[3] / "data" / "digits"


@pytest.fixture
def data(tmp_path):
    for split, n in (("train", 6), ("val", 3)):
        for kind, suffix in (("images", "jpg"), ("labels", "txt")):
            (tmp_path / kind / split).mkdir(parents=True)
            for i in range(n):
                name = f"{i:04d}.{suffix}"
                shutil.copy2(DIGITS / kind / split / name, tmp_path / kind / split / name)
    content = {**yaml.safe_load((DIGITS / "digits.yaml").read_text(encoding="utf-8")), "path": str(tmp_path)}
    (tmp_path / "data.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    return tmp_path / "data.yaml"


def found(data, **options):
    facts = AuditFacts(None, None, (), None, None)
    return {f.id: f for f in deep_findings(facts, data, **options)}


def test_whole_images_leave_only_their_count_and_nothing_is_written(data):
    before = {p: (p.stat().st_mtime_ns, p.read_bytes()) for p in data.parent.rglob("*") if p.is_file()}
    told = []
    (only,) = found(data, tell=lambda done, of: told.append((done, of))).values()
    assert (only.id, only.severity) == ("images-read", Severity.INFORMATION)
    assert only.evidence == "9 of 9 images were read and decoded."
    assert told[-1] == (9, 9)
    assert {p: (p.stat().st_mtime_ns, p.read_bytes()) for p in data.parent.rglob("*") if p.is_file()} == before


@pytest.mark.parametrize("how", ["cut short", "no image", "empty"])
def test_a_damaged_image_is_named_with_the_reason(data, how):
    image = data.parent / "images" / "train" / "0002.jpg"
    content = {"cut short": image.read_bytes()[:-200], "no image": b"<html>404</html>", "empty": b""}[how]
    image.write_bytes(content)
    seen = found(data)["image-content"]
    assert seen.severity is Severity.WARNING
    assert seen.evidence.startswith("1 images cannot be decoded: train/0002.jpg (")


def test_an_image_that_claims_to_be_huge_is_refused_not_decoded(data):
    from PIL import Image

    bomb = data.parent / "images" / "val" / "0001.png"
    Image.new("1", (20_000, 20_000)).save(bomb)
    assert "decompression bomb" in found(data)["image-content"].evidence


def test_the_same_image_with_other_labels_contradicts_itself(data):
    images, labels = data.parent / "images" / "train", data.parent / "labels" / "train"
    shutil.copy2(images / "0000.jpg", images / "copy.jpg")
    shutil.copy2(labels / "0000.txt", labels / "copy.txt")
    assert "image-content" not in found(data)
    shutil.copy2(labels / "0001.txt", labels / "copy.txt")
    assert (
        "1 images lie twice with different labels: train/0000.jpg and copy.jpg" in found(data)["image-content"].evidence
    )


def test_no_more_are_read_than_the_bound_spread_evenly(data):
    paths = sorted((data.parent / "images" / "train").iterdir())
    assert [c.path for c in read_images({"train": paths}, most=3)] == paths[::2]


def test_an_image_that_is_gone_or_unreadable_is_a_problem_not_a_traceback(tmp_path):
    (tmp_path / "folder.jpg").mkdir()
    gone, folder = read_images({"train": [tmp_path / "gone.jpg", tmp_path / "folder.jpg"]})
    assert gone.problem == os.strerror(2)
    assert folder.problem


def test_a_data_set_that_is_not_there_is_said(tmp_path):
    assert "were not looked at" in found(tmp_path / "none.yaml")["data-not-read"].evidence


def test_the_command_looks_into_images_only_when_asked(data, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    (run / "args.yaml").write_text(yaml.safe_dump({"data": str(data), "epochs": 9, "task": "detect"}), encoding="utf-8")
    rows = "".join(f"{e},{e * 2.0},1.{e}\n" for e in range(1, 4))
    (run / "results.csv").write_text(f"epoch,time,train/box_loss\n{rows}", encoding="utf-8")
    (data.parent / "images" / "train" / "0002.jpg").write_bytes(b"")
    assert "image-content" not in {f.id for f in audit_place(run).findings}
    done = CliRunner().invoke(app, ["audit", str(run), "--deep", "--json"])
    assert done.exit_code == 0
    assert "image-content" in done.stdout
    assert "9 of 9 images read" in done.stderr
