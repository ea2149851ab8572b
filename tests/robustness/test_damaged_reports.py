"""A report that was cut short or edited is not shown as if it were whole."""

import pytest
from typer.testing import CliRunner

from analyzer.cli.app import app
from analyzer.report import seal
from analyzer.report.document import load_report, write_report
from tests import ROOT

NOISE = ROOT / "tests" / "golden" / "noise.json"


@pytest.fixture
def report(tmp_path):
    """A study with a report, as `drift analyze` writes it."""
    return write_report(load_report(NOISE), tmp_path / "study" / "report.json")


@pytest.mark.parametrize(
    "damage",
    [
        lambda raw: raw[: len(raw) // 2],
        lambda raw: b"",
        lambda raw: raw.replace(b'"NOISE"', b'"FAULT"'),
        lambda raw: raw.replace(b"1", b"2", 1),
    ],
)
@pytest.mark.parametrize("command", ["report", "export", "list"])
def test_a_report_that_was_changed_is_not_shown(report, damage, command):
    whole = report.read_bytes()
    assert CliRunner().invoke(app, ["report", str(report)]).exit_code == 0
    report.write_bytes(damage(whole))
    assert report.read_bytes() != whole
    done = CliRunner().invoke(app, [command, str(report.parent)])
    assert done.exit_code == (0 if command == "list" else 12)  # a list says that there is no verdict, and why
    assert "NOISE" not in done.stdout and "FAULT" not in done.stdout
    assert "cut short or edited" in done.stderr


def test_a_kill_between_checksum_and_report_leaves_the_old_report_sound(report, monkeypatch):
    def killed(path, content):
        if path.name == "report.json":
            raise KeyboardInterrupt
        return write(path, content)

    write = seal.write_file
    monkeypatch.setattr(seal, "write_file", killed)
    with pytest.raises(KeyboardInterrupt):
        seal.write_sealed(report, "{}")
    assert load_report(report).verdict.value == "NOISE"
    monkeypatch.undo()
    seal.write_sealed(report, "{}")
    assert report.read_text() == "{}"
