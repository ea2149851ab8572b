"""The stored weights give their logged row again on the same data, and not on other images or other labels."""

import pytest

import analyzer


def analyse(run, **options):
    return analyzer.analyze(run, replicates=2, replay=False, **options)


def rotate_classes(data):
    """Give every validation label the next class; file sizes stay, so that Ultralytics trusts its old cache."""
    for label in (data / "labels" / "val").glob("*.txt"):
        lines = [line.split(" ", 1) for line in label.read_text().splitlines()]
        label.write_text("".join(f"{(int(c) + 1) % 10} {rest}\n" for c, rest in lines))


def invert_images(data):
    """Other images under the same names."""
    from PIL import Image, ImageOps

    for image in (data / "images" / "val").glob("*.jpg"):
        with Image.open(image) as opened:
            inverted = ImageOps.invert(opened.convert("RGB"))
        inverted.save(image)


def test_a_healthy_checkpoint_agrees_and_the_second_call_reads_it(resumed_run, copy_run, tmp_path):
    run = copy_run(resumed_run, tmp_path / "run")
    result = analyse(run)
    assert result.revalidation is not None
    assert result.revalidation.outcome == "agrees"
    assert len(result.revalidation.details["columns"]) == 7
    assert result.cost.epochs_trained == 2
    assert "revalidation" not in {step.step for step in result.not_run}
    assert all(r.arm != "revalidation" for r in result.replicates)  # never part of the null
    again = analyse(run)
    assert again.cost.epochs_trained == 0
    assert again.revalidation == result.revalidation  # the seconds too: nothing was validated again


@pytest.fixture(scope="module")
def learnt_run(tmp_path_factory, train_run, resume_run):
    """A network that has learnt something: to one that has not, any class is as good as another."""
    folder = tmp_path_factory.mktemp("learnt")
    killed = train_run(folder, until=24, images=64, epochs=40)
    return resume_run(killed, folder / "resumed"), folder / "data"


@pytest.fixture
def own_validation(learnt_run):
    """The data of `learnt_run`, put back as they were after the test."""
    run, data = learnt_run
    files = {p: p.read_bytes() for kind in ("images", "labels") for p in (data / kind / "val").iterdir()}
    yield run, data
    for path, content in files.items():
        path.write_bytes(content)


@pytest.mark.parametrize("change", [rotate_classes, invert_images])
def test_changed_validation_data_disagree(change, own_validation):
    run, data = own_validation
    cache = data / "labels" / "val.cache"
    before = cache.read_bytes()
    change(data)
    result = analyse(run)
    assert result.revalidation is not None
    assert result.revalidation.outcome == "disagrees"
    assert result.decision.rule in ("certain-cause", "revalidation-disagrees")  # the audit may see it, too
    assert result.verdict.value == "FAULT"
    assert "wrong-data" in {cause.id for cause in result.diagnosis or ()}
    left_out = {step.step: step.reason for step in result.not_run}
    assert "no training fault is looked for" in left_out["replay"]
    assert cache.read_bytes() == before
