"""Numbers and foreign text for people: short, never wider than their column, and safe to print."""

from __future__ import annotations

import math

__all__ = ["clean", "count", "duration", "level", "p_value", "short_name", "signed", "unsigned"]


def level(value: float | None) -> str:
    """Write a metric's value in at most 6 characters.

    Examples
    --------
    >>> [level(v) for v in (1.23456, 0.5, 12.3456, 123.456, 45678.9, 0.0001234, None, float("inf"))]
    ['1.2346', '0.5000', '12.346', '123.46', '45679', '1.2e-4', '-', 'inf']
    """
    return _fixed(value, signed=False)


def signed(value: float | None) -> str:
    """Write a difference in at most 7 characters, always with its sign.

    Examples
    --------
    >>> [signed(v) for v in (0.0056, -1.23456, 0.00012, 0.0, -12345.0)]
    ['+0.0056', '-1.2346', '+1.2e-4', '+0.0000', '-12345']
    """
    return _fixed(value, signed=True)


def unsigned(value: float | None) -> str:
    """Write a size (margin, sd) in at most 6 characters."""
    return _fixed(value, signed=False)


def _fixed(value: float | None, *, signed: bool) -> str:
    if value is None or math.isnan(value):
        return "-"
    sign = "+" if signed else ""
    size = abs(value)
    if math.isinf(value):
        return f"{value:{sign}}"
    if size >= 1e5 or 0 < size < 1e-3:
        mantissa, _, exponent = f"{value:{sign}.1e}".partition("e")
        return f"{mantissa}e{int(exponent)}"
    width = 6 + (value < 0 or signed)
    fitting = (f"{value:{sign}.{digits}f}" for digits in (4, 3, 2, 1, 0))  # rounding may add a digit: 9.99996
    return next((text for text in fitting if len(text) <= width), f"{value:{sign}.0e}")


def p_value(value: float | None) -> str:
    """Write a p value in at most 5 characters.

    Examples
    --------
    >>> [p_value(v) for v in (0.83, 0.0421, 0.00021, 1.0, None)]
    ['0.83', '0.042', '<.001', '1.00', '-']
    """
    if value is None or math.isnan(value):
        return "-"
    if value < 1e-3:
        return "<.001"
    return f"{value:.3f}" if value < 0.1 else f"{value:.2f}"


def duration(seconds: float | None) -> str:
    """Write a time span with its two largest units.

    Examples
    --------
    >>> [duration(s) for s in (0.4, 12, 83, 3700, 90000, None)]
    ['0.4 s', '12 s', '1 min 23 s', '1 h 1 min', '25 h 0 min', 'unknown']
    """
    if seconds is None or not math.isfinite(seconds):
        return "unknown"
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def short_name(name: str, width: int = 14) -> str:
    """Shorten a column name to a width: the known ends first, then the middle.

    Examples
    --------
    >>> [short_name(n) for n in ("train/box_loss", "metrics/mAP50-95(B)", "train/angle_loss", "val/a_long_name_here")]
    ['train/box_loss', 'mAP50-95(B)', 'train/angle', 'val/a_l~e_here']
    """
    name = name.removeprefix("metrics/")
    if len(name) > width:
        name = name.removesuffix("_loss")
    if len(name) > width:
        half = (width - 1) // 2
        name = f"{name[: width - 1 - half]}~{name[-half:]}"
    return name


def count(n: float, noun: str) -> str:
    """Write a number with its noun.

    Examples
    --------
    >>> count(1, "epoch"), count(3, "epoch"), count(3 * 0.1, "epoch")
    ('1 epoch', '3 epochs', '0.3 epochs')
    """
    plural = noun if n == 1 or noun == "more" else noun + "s"
    return f"{n:.10g} {plural}"


def clean(text: str) -> str:
    r"""Make foreign text safe to print: control characters become visible escapes.

    Examples
    --------
    >>> clean("runs/\x1b[2Jtrain")
    'runs/\\x1b[2Jtrain'
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
