"""Facts by version."""

from importlib import metadata

import pytest

from analyzer.runs.versions import FEATURES, has_feature, installed_versions, parse_version, resume_allows


def test_absent_comes_before_present():
    assert all(f.absent < f.present and f.what for f in FEATURES.values())


@pytest.mark.parametrize(
    ("name", "version", "answer"),
    [
        ("loader-seeded", "8.4.120", False),
        ("loader-seeded", "8.4.123", None),
        ("loader-seeded", "8.4.190", True),
        ("scaler-saved", "8.3.200", False),
        ("scaler-saved", "8.4.0", True),
        ("plain-csv", "8.3.5", False),
        ("stopper-saved", "8.4.100", False),
        ("stopper-saved", "8.4.190", True),
        ("stopper-saved", None, None),
    ],
)
def test_features(name, version, answer):
    assert has_feature(name, version) is answer


@pytest.mark.parametrize(
    ("name", "version", "answer"),
    [
        ("save_dir", "8.3.200", False),
        ("save_dir", "8.4.0", False),
        ("save_dir", "8.4.190", True),
        ("channels_last", "8.4.120", False),
        ("channels_last", "8.4.190", True),
        ("seed", "8.4.190", False),
        ("epochs", None, False),
    ],
)
def test_what_a_resume_may_change(name, version, answer):
    assert resume_allows(name, version) is answer


def test_allowed_arguments_agree_with_the_installed_ultralytics():
    """The set in the source of the installed version, read as text."""
    import re
    from importlib.util import find_spec
    from pathlib import Path

    text = (Path(find_spec("ultralytics").origin).parent / "engine" / "trainer.py").read_text(encoding="utf-8")
    block = re.search(r"(?:for k in \(|allowed = \{)([^)}]*)[)}]", text[text.index("def check_resume") :])[1]
    source = set(re.findall(r'"(\w+)"', block))
    version = metadata.version("ultralytics")
    assert len(source) >= 4
    assert all(resume_allows(name, version) for name in source)
    known = {"augmentations", "workers", "cache", "distill_model", "save_dir", "channels_last", "lr0", "seed", "mosaic"}
    assert {n for n in known if resume_allows(n, version)} <= source


def test_what_is_no_version_is_none():
    assert parse_version("nonsense") is None


def test_installed_versions():
    found = installed_versions()
    assert found["ultralytics"] == metadata.version("ultralytics")
    assert found["python"]
