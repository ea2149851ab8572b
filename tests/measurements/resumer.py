"""The process in which plain Ultralytics resumes one run after the other for an epoch each."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from data.demo_runs import child_environment

SCRIPT = Path(__file__).with_name("diagnosis") / "inject_runtime.py"


class Resumer:
    """The process that resumes: plain Ultralytics, imported once."""

    def __init__(self, work: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(SCRIPT)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=child_environment(work),
        )  # fmt: skip

    def resume(self, order: dict[str, Any]) -> None:
        """Train one epoch; the run directory then is as a user has it."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().strip()
        while answer not in {"done", "failed", ""}:
            answer = self.process.stdout.readline().strip()
        log = Path(f"{order['checkpoint']}.log")
        if answer != "done":
            raise RuntimeError(f"the resume failed:\n{log.read_text(encoding='utf-8', errors='replace')[-2500:]}")
        log.unlink()
