"""All benchmarks; writes performance.json and docs/PERFORMANCE.md.

    python -m tests.measurements.bench.run --work work/bench

Each part is kept when it is finished; ``--again PART`` measures one anew. Run it on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.measurements.bench import document, floor, needed, parallel, quick, shares, today

PARTS: dict[str, Callable[[Path], Any]] = {
    "floor": lambda work: floor.measure(work, {"demo": 40, "larger": 12}),
    "shares": lambda work: shares.measure(work, 20),
    "today": lambda work: today.measure(work, {"demo": (3, 20, 4), "larger": (2, 6, 3)}),
    "parallel": lambda work: parallel.measure(work, 3, 10),
    "needed": needed.measure,
    "quick": quick.measure,
}


def machine() -> dict[str, Any]:
    """Where it was measured."""
    import torch
    import ultralytics

    return {
        "processor": platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "ultralytics": ultralytics.__version__,
    }


def main() -> None:
    """Measure what is missing, then write the document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True, help="folder for trainings; kept")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("performance.json"))
    parser.add_argument("--again", choices=tuple(PARTS), action="append", default=[])
    options = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # the same for everything that is compared
    work = options.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    found = json.loads(options.out.read_text()) if options.out.exists() else {}
    for name, measure in PARTS.items():
        if name not in found or name in options.again:
            load = os.getloadavg()[0]
            found[name] = {"load_before": round(load, 2), "machine": machine(), "result": measure(work)}
            options.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    document.write(found)


if __name__ == "__main__":
    main()
