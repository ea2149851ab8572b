"""`make fuzz`: damage files in known ways, many times, and compare what is read with what would be right.

    python -m tests.measurements.fuzz.run [--cases 20000] [--seed 0] [--out FILE.json] [--doc SECURITY.md]

Prints a table, writes it as JSON, and fails where a reading was wrong or an error was no clear sentence. A case can be
drawn again from the seed that is printed with it.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.measurements.fuzz import args_yaml, checkpoint, results_csv, store
from tests.measurements.fuzz.case import campaign

TARGETS = (results_csv.TARGET, args_yaml.TARGET, store.TARGET, checkpoint.TARGET)
MARK = "<!-- fuzz -->\n"


def table(document: dict[str, Any]) -> str:
    """The table of SECURITY.md."""
    lines = ["| file | mutation | cases | read | refused | wrong |", "|---|---|---|---|---|---|"]
    for target, mutations in document["targets"].items():
        lines += [
            f"| {target} | {name} | {r['cases']:,} | {r['read']:,} | {r['refused']:,} | {r['wrong']} |"
            for name, r in sorted(mutations.items())
        ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run, print, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--cases", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--doc", type=Path, help="put the table into this page, between its two fuzz marks")
    options = parser.parse_args()
    started, wrongs, targets = time.perf_counter(), [], {}
    with tempfile.TemporaryDirectory() as folder:
        for target in TARGETS:
            rows, wrong = campaign(target, options.cases // len(TARGETS), options.seed, Path(folder))
            counted = [w.mutation for w in wrong]
            targets[target.name] = {name: {**row, "wrong": counted.count(name)} for name, row in rows.items()}
            wrongs += wrong
    document = {"cases": options.cases // len(TARGETS) * len(TARGETS), "seed": options.seed, "targets": targets}
    print(table(document))
    print(f"{document['cases']:,} cases in {time.perf_counter() - started:.0f} s, {len(wrongs)} wrong.")
    for w in wrongs[:20]:
        print(f"\n{w.seed} ({w.mutation})\n  read:  {w.got}\n  right: {' or '.join(map(str, w.right))}")
    if options.out:
        options.out.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    if options.doc:
        before, mark, rest = options.doc.read_text(encoding="utf-8").partition(MARK)
        options.doc.write_text(before + mark + table(document) + MARK + rest.partition(MARK)[2], encoding="utf-8")
    sys.exit(bool(wrongs))


if __name__ == "__main__":
    main()
