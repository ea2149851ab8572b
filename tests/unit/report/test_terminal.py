"""The terminal report: first things first, in any width, with and without colour."""

import io

import pytest
from rich.console import Console

from analyzer.report.formatting import level, p_value, signed
from analyzer.report.renderers.terminal import render_terminal
from tests.support.analyses import golden, hostile


def text(name, width=80, **options):
    return shown_of(golden(name), width, **options)


def shown_of(analysis, width=80, **options):
    file = io.StringIO()
    render_terminal(analysis, Console(file=file, width=width, highlight=False, **options))
    return file.getvalue()


@pytest.mark.parametrize(("name", "verdict"), [("noise", "NOISE"), ("fault", "FAULT"), ("part", "INCONCLUSIVE")])
def test_verdict_comes_first_and_the_reason_second(name, verdict):
    lines = text(name).splitlines()
    assert lines[0].startswith(f"{verdict}: ")
    assert golden(name).decision.reasons[0].startswith(lines[1])


@pytest.mark.parametrize("width", [60, 80, 100, 160])
@pytest.mark.parametrize("name", ["noise", "fault"])
def test_no_number_is_cut_from_80_columns_on(name, width):
    shown = text(name, width)
    if width >= 80:
        assert "…" not in shown
    assert "train/box_loss" in shown


def test_colour_adds_nothing_to_understand():
    coloured = text("fault", force_terminal=True, color_system="truecolor")
    assert "\x1b[" in coloured
    plain = Console(file=io.StringIO(), width=80)
    from rich.text import Text

    assert Text.from_ansi(coloured).plain.split() == text("fault").split()
    assert plain.width == 80


def test_no_color_is_respected(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[3" not in text("fault", force_terminal=True)


def test_foreign_text_is_neither_markup_nor_control(tmp_path):
    shown = shown_of(hostile())
    assert "\x1b" not in shown
    assert "runs/[red]<b>&\\x1b[2J" in shown


def test_a_terminal_that_knows_ascii_only():
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding="ascii", errors="strict")
    render_terminal(golden("noise"), Console(file=file, width=80, highlight=False))
    file.flush()
    assert raw.getvalue().isascii()


@pytest.mark.parametrize("exponent", range(-9, 10))
@pytest.mark.parametrize("mantissa", [1.0, 9.99996, 5.55555, -3.33333])
def test_numbers_never_outgrow_their_column(mantissa, exponent):
    value = mantissa * 10.0**exponent
    assert len(signed(value)) <= 7
    assert len(level(abs(value))) <= 6
    assert float(signed(value)) == pytest.approx(value, rel=0.06)


@pytest.mark.parametrize("p", [0.0, 1e-9, 0.0009999, 0.001, 0.0499, 0.0999999, 0.5, 1.0])
def test_p_values_never_outgrow_their_column(p):
    assert len(p_value(p)) <= 5
