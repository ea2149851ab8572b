"""`make oldest`: the tests under the lowest versions that pyproject.toml promises.

    python -m tests.measurements.oldest --python python3.11 [--work FOLDER]

Makes an environment (3 GB of downloads, some minutes) with the lowest Python and the lowest version of each dependency,
then runs every test that trains nothing and two fidelity cells in it. Ultralytics is the newest: `make compat` runs
what touches it under the lowest. Writes tests/measurements/oldest.json; exits 1 where a test failed.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import tomllib

ROOT = Path(__file__).resolve().parents[2]
RESULTS = Path(__file__).with_name("oldest.json")
TOOLS = (
    "pytest",
    "pytest-xdist",
    "hypothesis",
    "scikit-learn",
    "nbclient",
    "ipykernel",
    "tensorboard",
    "mlflow-skinny",
    "wandb",
)
PAIRED = {"torch==2.6": "torchvision==0.21"}  # torchvision has no lowest version of its own: torch names its partner
CELLS = ("sgd", "mosaic closes on the second epoch, 2 workers")
SUITES: dict[str, tuple[str, ...]] = {
    "trains nothing": ("-n", "2", "--dist", "loadfile", "-m", "not real and not slow"),
    "fidelity": tuple(
        f"tests/real/test_fidelity.py::test_replicates_are_bit_identical_to_plain_resumes[{cell}]" for cell in CELLS
    ),
}


def lowest(requirements: list[str]) -> list[str]:
    """Each requirement at its lowest version.

    Examples
    --------
    >>> lowest(["ultralytics>=8.3.0", "numpy>=1.24", "torch>=2.6"])
    ['ultralytics', 'numpy==1.24', 'torch==2.6', 'torchvision==0.21']
    """
    found: list[str] = []
    for requirement in requirements:
        match = re.fullmatch(r"([\w\-\[\]]+)>=([\d.]+)", requirement)
        if match is None:
            raise SystemExit(f"oldest: {requirement!r} has no lowest version; write NAME>=VERSION.")
        pin = "ultralytics" if match[1] == "ultralytics" else f"{match[1]}=={match[2]}"
        found += [p for p in (pin, PAIRED.get(pin)) if p]
    return found


def measure(python: Path, suite: str, work: Path) -> dict[str, object]:
    """Run one suite in the environment and count."""
    report = work / f"{suite.replace(' ', '-')}.xml"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "YOLO_CONFIG_DIR": str(work / "settings")}
    environment |= {"YOLO_OFFLINE": "true", "YOLO_AUTOINSTALL": "false"}
    command = [str(python), "-m", "pytest", "-p", "no:cacheprovider", f"--junitxml={report}", *SUITES[suite]]
    subprocess.run(command, env=environment, cwd=ROOT, check=False)
    total = next(ElementTree.parse(report).iter("testsuite")).attrib
    bad = [
        c.get("name") for c in ElementTree.parse(report).iter("testcase") if {k.tag for k in c} & {"failure", "error"}
    ]
    return {
        "passed": int(total["tests"]) - int(total["skipped"]) - len(bad),
        "skipped": int(total["skipped"]),
        "failed": bad,
    }


def main() -> int:
    """Make the environment and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", default="python3.11", help="the lowest Python that pyproject.toml promises")
    parser.add_argument("--work", type=Path, default=ROOT / "work" / "oldest", help="where the environment lies")
    options = parser.parse_args()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    work, pins = options.work.resolve(), lowest(project["dependencies"])
    python = work / "venv" / "bin" / "python"
    if not python.exists():
        work.mkdir(parents=True, exist_ok=True)
        subprocess.run([options.python, "-m", "venv", str(work / "venv")], check=True)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, *pins, *TOOLS], check=True)
    found = {suite: measure(python, suite, work) for suite in SUITES}
    listed = subprocess.run(
        [str(python), "-m", "pip", "list", "--format=json"], capture_output=True, text=True, check=True
    )
    names = {p.partition("==")[0].partition("[")[0].lower() for p in pins}
    versions = {p["name"]: p["version"] for p in json.loads(listed.stdout) if p["name"].lower() in names}
    number = subprocess.run([str(python), "-V"], capture_output=True, text=True, check=True).stdout.split()[-1]
    document = {"python": number, "versions": versions, "suites": found}
    RESULTS.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(document, indent=1))
    return 1 if any(suite["failed"] for suite in found.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
