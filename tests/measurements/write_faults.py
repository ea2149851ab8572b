"""Write `docs/FAULTS.md` from the catalogue: ``python -m tests.measurements.write_faults docs/FAULTS.md``."""

from __future__ import annotations

import sys
from pathlib import Path

from analyzer.diagnosis.catalogue import Entry, catalogue
from analyzer.diagnosis.known_bugs import KnownBug, known_bugs
from analyzer.domain.evidence import Severity
from analyzer.faults.fault import Fault
from analyzer.faults.registry import faults
from tests.measurements.diagnosis_table import measured_section, read_measured

__all__ = ["faults_page", "main"]

_TITLES = {
    Severity.HARD: "Hard findings",
    Severity.WARNING: "Warnings",
    Severity.INFORMATION: "Information",
}
_INTRO = {
    Severity.HARD: "Certain from the state alone: the verdict is FAULT whatever the metrics say. A single case may "
    "weigh less where it is not certain; it is then shown as a warning.",
    Severity.WARNING: "Worth a look; they decide nothing by themselves.",
    Severity.INFORMATION: "Said so that nobody has to guess; nothing needs to be done.",
}


def faults_page() -> str:
    """The whole page, as Markdown."""
    parts = [
        "# Faults, and how they are found\n",
        "Generated from the package (`python -m tests.measurements.write_faults docs/FAULTS.md`); do not "
        "edit it by hand. `drift audit RUN` looks at the checkpoints on both sides of the seam, the arguments, "
        "results.csv, the data set and its label caches. Nothing is trained, and no code in any file is run.\n",
    ]
    for severity, title in _TITLES.items():
        rows = [_row(entry) for entry in catalogue() if entry.severity is severity]
        parts += [
            f"## {title}\n",
            _INTRO[severity] + "\n",
            "| id | what is seen | remedy |\n|---|---|---|\n" + "".join(rows),
        ]
    parts += [
        "## Faults that are injected\n",
        "Where the exact replay gives another row than the run has, `drift analyze` trains one epoch a hypothesis, "
        "with the run's own seed and one of these faults, until one gives the row to every printed digit. That is then "
        "the cause with certainty. At most six epochs; what the audit warns of comes first, then what fits the columns "
        "that differ. The ids are those of `diagnosis.causes[]` in report.json.\n",
        "| id | what the row shows | what the audit sees | what is tried | remedy |\n|---|---|---|---|---|\n"
        + "".join(map(_fault, faults().values())),
        *measured_section(read_measured()),
        "## Known bugs of Ultralytics\n",
        "Named as information where version and circumstances fit. *Seen up to* is the last version in which the bug "
        "was seen, *fixed* the first in which it was seen to be gone (it may have been earlier); a dash: not known.\n",
        "| id | seen up to | fixed | touches | symptom | threads |\n|---|---|---|---|---|---|\n"
        + "".join(_bug(bug) for bug in known_bugs()),
    ]
    return "\n".join(parts)


def _row(entry: Entry) -> str:
    return f"| `{entry.id}` | {entry.seen} | {entry.remedy or '-'} |\n"


def _fault(f: type[Fault]) -> str:
    return f"| `{f.id}` | {f.row} | {f.audit} | {f.searched or '-'} | {f.remedy} |\n"


def _bug(bug: KnownBug) -> str:
    cells = (
        f"`{bug.id}`",
        bug.affected_up_to or "-",
        bug.fixed_since or "-",
        ", ".join(bug.when),
        bug.symptom,
        ", ".join(bug.threads) or "-",
    )
    return f"| {' | '.join(cells)} |\n"


def main(arguments: list[str]) -> int:
    """Write the page to the file named, or to stdout."""
    if arguments:
        Path(arguments[0]).write_text(faults_page(), encoding="utf-8")
    else:
        sys.stdout.write(faults_page())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
