"""`make compat`: the tests that touch Ultralytics, in one environment for each supported version.

    python -m tests.measurements.compat.versions [--suite NAME]... [VERSION]...

An environment is a folder with that Ultralytics alone (`pip install --no-deps --target`), put before the site-packages
of the environment that runs this: torch, numpy and the rest are shared, and old versions run with newer ones than they
name. Writes versions.json, suite by suite (what is not measured again stays), and the table in docs/COMPATIBILITY.md;
exits 1 where a test failed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from importlib import metadata
from pathlib import Path
from typing import Any

from tests import ROOT

RESULTS = Path(__file__).parent / "versions.json"
DOCUMENT = ROOT / "docs" / "COMPATIBILITY.md"
VERSIONS = ("8.3.0", "8.3.200", "8.4.0", "8.4.100", "latest")
EXTRAS = ("tqdm", "seaborn", "py-cpuinfo")  # what 8.3 imports and newer ones, so the shared environment, do not need
SHARED = ("torch", "torchvision", "numpy", "scipy", "opencv-python", "pillow")
CELLS = ("sgd", "mosaic closes on the second epoch, 2 workers", "end-to-end head (YOLO26)")
SUITES: dict[str, tuple[str, ...]] = {
    "fidelity": (
        *(f"tests/real/test_fidelity.py::test_replicates_are_bit_identical_to_plain_resumes[{c}]" for c in CELLS),
        "tests/real/test_tasks.py::test_replicates_of_every_task_are_bit_identical_to_plain_resumes",
    ),
    "several devices": ("tests/real/test_ranks.py::test_replicates_on_two_devices_are_plain_resumes_on_two_devices",),
    "byte identity": ("tests/real/test_read_only.py",),
    "degenerate null": ("tests/real/test_degenerate.py",),
    "security": (
        "tests/real/test_security.py",
        "tests/unit/runs/test_payload.py",
        "tests/unit/runs/test_model_yaml.py",
    ),
    "parsers": (
        *(f"tests/unit/runs/test_{n}.py" for n in ("args", "checkpoint", "dataset", "directory", "results", "seams")),
        "tests/unit/domain",
        "tests/properties/test_runs.py",
    ),
}


def install(version: str, folder: Path) -> None:
    """Put one Ultralytics, and once what old ones import besides, into folders of their own."""
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--target"]
    wanted = "ultralytics" if version == "latest" else f"ultralytics=={version}"
    for place, names in ((folder / version, (wanted,)), (folder / "extras", EXTRAS)):
        if not place.is_dir():
            subprocess.run([*pip, str(place), *names], check=True)


def environment(version: str, folder: Path) -> dict[str, str]:
    """The chosen Ultralytics first; what 8.3 needs besides last, so that it shadows nothing."""
    config = folder / "settings" / version
    config.mkdir(parents=True, exist_ok=True)
    path = os.pathsep.join(map(str, (folder / version, ROOT, folder / "extras")))
    return {**os.environ, "PYTHONPATH": path, "YOLO_CONFIG_DIR": str(config), "OMP_NUM_THREADS": "1"}


def installed(environ: dict[str, str]) -> str:
    """The version that a process in that environment imports."""
    code = "import ultralytics; print(ultralytics.__version__)"
    done = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True)
    return done.stdout.split()[-1]


def measure(suite: str, version: str, folder: Path) -> dict[str, Any]:
    """Run one suite under one version and count."""
    report = folder / f"{version}.xml"
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", f"--junitxml={report}", *SUITES[suite]]
    subprocess.run(command, env=environment(version, folder), cwd=ROOT, check=False)
    found: dict[str, Any] = {"passed": 0, "failed": [], "skipped": [], "seconds": 0.0}
    for case in ElementTree.parse(report).iter("testcase"):
        found["seconds"] = round(found["seconds"] + float(case.get("time") or 0), 1)
        kinds = {child.tag for child in case}
        if kinds & {"failure", "error"}:
            found["failed"].append(case.get("name"))
        elif "skipped" in kinds:
            found["skipped"].append(case.get("name"))
        else:
            found["passed"] += 1
    return found


def table(results: dict[str, Any]) -> str:
    """The results as a Markdown table."""
    lines = ["| Ultralytics | " + " | ".join(SUITES) + " |", "|---" * (len(SUITES) + 1) + "|"]
    for number in sorted(results, key=lambda v: tuple(map(int, v.split(".")))):
        cells = []
        for suite in SUITES:
            found = results[number].get(suite)
            if found is None:
                cells.append("not measured")
                continue
            words = [f"{found['passed']} passed"]
            words += [f"**{len(found['failed'])} failed**"] if found["failed"] else []
            words += [f"{len(found['skipped'])} skipped"] if found["skipped"] else []
            cells.append(", ".join(words))
        lines.append(f"| {number} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def write(results: dict[str, Any]) -> None:
    """Write the JSON and the table."""
    shared = {"python": platform.python_version(), **{name: metadata.version(name) for name in SHARED}}
    text = json.dumps({"shared": shared, "versions": results}, indent=1) + "\n"
    RESULTS.write_text(text, encoding="utf-8")
    start, end = "<!-- table -->\n", "<!-- end -->\n"
    before, _, rest = DOCUMENT.read_text(encoding="utf-8").partition(start)
    _, _, after = rest.partition(end)
    words = ", ".join(f"{name} {number}" for name, number in shared.items())
    DOCUMENT.write_text(f"{before}{start}{table(results)}\n\nShared: {words}.\n{end}{after}", encoding="utf-8")


def main() -> int:
    """Measure the versions that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("versions", nargs="*", default=VERSIONS, help="by default " + ", ".join(VERSIONS))
    parser.add_argument("--suite", action="append", choices=SUITES, help="by default all; may be given again")
    parser.add_argument("--work", type=Path, default=ROOT / "work" / "compat", help="where the environments lie")
    options = parser.parse_args()
    failed = False
    for version in options.versions:
        install(version, options.work.resolve())
        number = installed(environment(version, options.work.resolve()))
        for suite in options.suite or SUITES:
            print(f"Ultralytics {number}: {suite}", flush=True)
            found = measure(suite, version, options.work.resolve())
            kept = json.loads(RESULTS.read_text(encoding="utf-8"))["versions"] if RESULTS.is_file() else {}
            write({**kept, number: {**kept.get(number, {}), suite: found}})
            failed |= bool(found["failed"])
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
