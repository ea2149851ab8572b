"""How often the right fault is named: what ``make diagnose-bench`` measured, as a section of `docs/FAULTS.md`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

__all__ = ["measured_section", "read_measured"]

_PASSES = {"replay": "With a replay", "no-replay": "Without a replay"}
_RESULTS = Path(__file__).with_name("diagnosis") / "diagnosis.json"
_INTRO = (
    "`make diagnose-bench` (hours on two cores; resumable). 78 plain Ultralytics resumes, each with one fault "
    "that was made without the package's own interventions: by editing the checkpoint, the arguments or the "
    "data before the resume, or in the script that trains; half and half where both exist "
    "(`tests/measurements/diagnosis/fault_items.py` names all ways). Two checkpoints of one small data set: a young "
    "one (AdamW, 1,768 EMA updates) and a mature one (SGD, 20,572). Run directories have random names, and the "
    "truth is read by the scorer only; 40 healthy resumes lie among them. *Named*: the true id is first in "
    "`diagnosis.causes`. Five replicates each, those of a checkpoint shared by its resumes. The pass with a "
    "replay makes no twins.\n\n"
    "What these numbers are not: a test on unseen faults. The order of hypotheses was mended after the first of "
    "these resumes were seen, and the strengths made at run time (mixup 0.5, Ultralytics' default flips, "
    "classes in alphabetical order) are among those that are tried. Where another strength was meant, or the "
    "file is gone from which weights came, no row is found again and nothing is certain.\n"
)


def read_measured(path: Path = _RESULTS) -> Mapping[str, Any]:
    """The committed results; empty where there are none yet."""
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}


def measured_section(results: Mapping[str, Any]) -> Iterator[str]:
    """Parts of the page; none without results.

    Parameters
    ----------
    results
        As ``tests/measurements/diagnosis/score.py`` writes them.
    """
    if not results:
        return
    yield "## How often the right fault is named\n"
    yield _INTRO
    for kind, title in _PASSES.items():
        if kind in results:
            yield f"### {title}\n"
            made, most = results[kind]["resumes"], max(found["resumes"] for found in results.values())
            if made < most:
                yield f"Made so far: the first {made} of the {most}, a balanced part of the list.\n"
            yield _totals(results[kind])
            yield _matrix(results[kind])
            yield from _confused(results[kind])


def _totals(found: Mapping[str, Any]) -> str:
    share = found["named"] / found["resumes"]
    text = f"{found['named']} of {found['resumes']} faulty resumes ({share:.0%}) have their fault named first, "
    text += f"{found['certain']} of them with certainty"
    if found["epochs_to_certain"] is not None:
        text += f", after {found['epochs_to_certain']:g} epochs on average ({found['most_epochs_to_certain']} at most)"
    text += f". A wrong cause was called certain {found['wrongly_certain']} times."
    healthy = found["healthy"]
    if healthy["resumes"]:  # one null a checkpoint: no measurement of the rate of false alarms
        verdicts = ", ".join(f"{n} {verdict}" for verdict, n in healthy["verdicts"].items())
        text += f" Healthy resumes: {healthy['resumes']}, of which {verdicts}."
    return text + "\n"


def _matrix(found: Mapping[str, Any]) -> str:
    rows = [
        f"| `{fault}` | {r['named']} of {r['resumes']} | {r['certain']} | {r['epochs']:g} | {_named_as(r)} |\n"
        for fault, r in found["faults"].items()
    ]
    healthy = found["healthy"]
    if healthy["resumes"]:
        rows.append(f"| healthy | | | | {_named_as({'as': healthy['named']})} |\n")
    head = "| fault | named first | certain | epochs of replay and hypotheses | first cause |\n|---|---|---|---|---|\n"
    return head + "".join(rows)


def _named_as(row: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {n}" for name, n in row["as"].items())


def _confused(found: Mapping[str, Any]) -> Iterator[str]:
    if found["confused"]:
        yield "Not named first:\n"
        keys = ("truth", "way", "checkpoint", "named", "verdict")
        yield "".join("- `{}` ({}; {}): {}, verdict {}.\n".format(*map(o.get, keys)) for o in found["confused"])
