"""Epochs to a verdict, from the real resumes that `make calibrate-resumes` and `make diagnose-bench` measured.

Fixed designs train the same number whatever the evidence says: 20 replicates (DeepCrime), 20 for the two sides together
(MLPerf RCP at ten a side).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests import ROOT

MEASUREMENTS = ROOT / "tests" / "measurements"
FIXED = 20
LIMIT = {"healthy": 10.0, "faulty": 6.0, "certain": 3.0}
NOT_SUMS = ("healthy, all", "faulty, all")


def measure(_work: Path) -> dict[str, Any]:
    """Mean replicates of ``auto`` with the replay off, by kind of resume, and epochs to a certain cause with it."""
    groups = json.loads((MEASUREMENTS / "resumes" / "resumes.json").read_text(encoding="utf-8"))["groups"]
    found: dict[str, Any] = {
        name: {
            "resumes": group["resumes"],
            "epochs": group["mean_replicates"],
            "fixed": FIXED,
            "limit": LIMIT["healthy" if name.startswith("healthy") else "faulty"],
        }
        for name, group in groups.items()
        if name not in NOT_SUMS
    }
    diagnosis = MEASUREMENTS / "diagnosis" / "diagnosis.json"
    if diagnosis.exists():
        replay = json.loads(diagnosis.read_text(encoding="utf-8"))["replay"]
        found["with the replay, to a certain cause"] = {
            "resumes": replay["certain"],
            "epochs": replay["epochs_to_certain"],
            "fixed": FIXED,
            "limit": LIMIT["certain"],
        }
    return found
