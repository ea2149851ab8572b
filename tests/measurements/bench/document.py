"""Writes the tables of docs/PERFORMANCE.md between its markers, from the JSON of the benchmarks."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from tests import ROOT

DOCUMENT = ROOT / "docs" / "PERFORMANCE.md"

Part = Mapping[str, Any]


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in lines)


def _floor(result: Part) -> str:
    head = ("workload", "pairs", "replicate, CPU s", "epoch, CPU s", "median ratio", "95 % interval", "target")
    rows = [
        (
            v["what"],
            str(v["pairs"]),
            f"{v['replicate_cpu_s']:.2f}",
            f"{v['epoch_cpu_s']:.2f}",
            f"{v['median']:.3f}",
            f"{v['low']:.3f} - {v['high']:.3f}",
            "1.00, upper end 1.05",
        )
        for v in result.values()
    ]
    return _table(head, rows)


def _shares(result: Part) -> str:
    whole = result["seconds"]["replicate"]
    parts = sorted(result["seconds"].items(), key=lambda part: part[1])
    rows = [(part, f"{s:.3f}", f"{100 * s / whole:.1f} %") for part, s in parts]
    kept = result["kept_over_decoded"]
    ratio = f"{kept['median']:.3f} [{kept['low']:.3f}, {kept['high']:.3f}]"
    words = f"Images kept over every image decoded anew, {kept['pairs']} pairs in turn: {ratio}."
    return f"{_table(('part', 'CPU s, median', 'share'), rows)}\n\n{words}"


def _today(result: Part) -> str:
    head = (
        "workload",
        "rounds",
        "`drift replicate`, an hour",
        "a process a seed, an hour",
        "ratio",
        "lowest",
        "target",
    )
    rows = [
        (
            v["what"],
            f"{v['rounds']} ({v['replicates']} against {v['resumes']})",
            f"{v['ours_per_hour']:.0f}",
            f"{v['theirs_per_hour']:.0f}",
            f"{v['ratio']:.2f}",
            f"{v['lowest_ratio']:.2f}",
            "2.5 (demo)",
        )
        for v in result.values()
    ]
    return _table(head, rows)


def _parallel(result: Part) -> str:
    head = ("workload", "rounds", "replicates a round", "throughput, ratio", "lowest", "target")
    rows = [
        (v["what"], str(v["rounds"]), str(v["replicates"]), f"{v['ratio']:.2f}", f"{v['lowest_ratio']:.2f}", "1.5")
        for v in result.values()
    ]
    return _table(head, rows)


def _needed(result: Part) -> str:
    head = ("resumes", "how many", "epochs, mean", "fixed design", "at most")
    rows = [
        (name, str(v["resumes"]), f"{v['epochs']:.1f}", str(v["fixed"]), f"{v['limit']:.0f}")
        for name, v in result.items()
    ]
    return _table(head, rows)


def _quick(result: Part) -> str:
    rows = [(name, f"{v['seconds']:.2f}", f"{v['limit']:.1f}") for name, v in result.items()]
    return _table(("what", "median, s", "limit, s"), rows)


RENDER: dict[str, Callable[[Part], str]] = {
    "floor": _floor,
    "shares": _shares,
    "today": _today,
    "parallel": _parallel,
    "needed": _needed,
    "quick": _quick,
}


def render(text: str, found: Mapping[str, Part]) -> str:
    """The document with every marked table made anew."""
    for name, make in RENDER.items():
        if name in found:
            table = make(found[name]["result"])
            pattern = rf"(<!-- {name} -->\n).*?(<!-- end -->)"
            text = re.sub(pattern, lambda m, table=table: f"{m[1]}{table}\n{m[2]}", text, count=1, flags=re.DOTALL)  # type: ignore[misc]
    return text


def write(found: Mapping[str, Part]) -> None:
    """Renew docs/PERFORMANCE.md."""
    DOCUMENT.write_text(render(DOCUMENT.read_text(encoding="utf-8"), found), encoding="utf-8")
