"""What a guard saw, as ``RUN/drift/guard.json`` holds it, and what it says of a FAULT."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from analyzer.domain.checkpoint import Checkpoint
    from analyzer.pipeline.guard.check import EpochCheck
    from analyzer.pipeline.guard.early import EarlyCheck

__all__ = ["GuardRecord", "is_fault", "log", "reason_of"]


def log(text: str) -> None:
    """Tell the user, by Ultralytics' logger: its verbosity and its place are the user's choice."""
    logging.getLogger("ultralytics").warning(f"drift guard: {text}")


@dataclass(eq=False)
class GuardRecord:
    """The document of one guarded resume. It travels by pickle with its guard, so it holds plain values only.

    Parameters
    ----------
    run
        The run directory.
    values
        As the file holds them; empty until the checkpoint is kept.
    """

    run: Path
    values: dict[str, Any] = field(default_factory=dict)

    def begin(self, checkpoint: Checkpoint, kept: Path, **asked: Any) -> None:
        """Start the document of a resume from that checkpoint, of which a copy is kept."""
        self.values = {
            "schema": 1,
            "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "checkpoint": {"path": str(checkpoint.path), "sha256": checkpoint.sha256, "epoch": checkpoint.csv_epoch},
            "kept": str(kept),
            **asked,
            "early": [],
            "checks": [],
            "verdict": None,
            "reason": "",
            "stopped": False,
            "error": "",
        }

    def early(self, check: EarlyCheck, *, stop: bool) -> None:
        """Note a look inside the first resumed epoch; `stop`: it ends the training."""
        self.values["early"].append(check.as_json())
        if is_fault(check):
            self._fault(check, stop)
        self.write()

    def row(self, check: EpochCheck, *, stop: bool) -> None:
        """Note the verdict on the row of an epoch; a FAULT stays the verdict of the resume."""
        self.values["checks"].append(check.as_json())
        if is_fault(check):
            self._fault(check, stop)
        elif self.values["verdict"] != "FAULT":
            self.values["verdict"] = check.decision.verdict.value
        self.write()

    def _fault(self, check: EpochCheck | EarlyCheck, stop: bool) -> None:
        self.values.update(verdict="FAULT", reason=reason_of(check), stopped=stop)

    def error(self, text: str) -> None:
        """Leave an error of the guard itself in the file where that is still possible."""
        self.values = {**self.values, "error": text}
        try:
            self.write()
        except Exception as error:
            logging.getLogger("ultralytics").debug(f"drift guard: {error}")

    def write(self) -> None:
        """Write the file."""
        from analyzer.files import write_atomically

        text = json.dumps(self.values, indent=1, ensure_ascii=False, allow_nan=False)
        write_atomically(self.run / "drift" / "guard.json", text)


def is_fault(check: EpochCheck | EarlyCheck) -> bool:
    """Whether a check says FAULT."""
    return check.decision.verdict.value == "FAULT"


def reason_of(check: EpochCheck | EarlyCheck) -> str:
    """Why a check says FAULT: its reasons, and the three surest numbers."""
    from analyzer.domain.evidence import Verdict

    bad = [m for m in check.metrics if m.verdict is Verdict.FAULT]
    null = "history" if check.against == "history" else f"{check.replicates} replicates"
    worst = sorted(bad, key=lambda m: 1.0 if m.p_adjusted is None else m.p_adjusted)[:3]
    numbers = "; ".join(
        f"{m.name} {m.observed:.5g}, expected {m.null_mean:.5g} by {null}, p {m.p_adjusted:.2g}"
        for m in worst
        if m.null_mean is not None and m.p_adjusted is not None
    )
    return " ".join((*check.decision.reasons, *([f"({numbers})"] if numbers else [])))
