"""Known bugs of Ultralytics that may touch a resume: data in the package, by version."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources

from analyzer.runs.versions import parse_version

__all__ = ["KnownBug", "known_bugs"]


@dataclass(frozen=True, slots=True)
class KnownBug:
    """One bug of Ultralytics.

    Parameters
    ----------
    id
        Short name.
    affected_up_to
        Last version in which it was seen; None where only the fix is known.
    fixed_since
        First version in which it was seen to be fixed (it may have been earlier); None where none is known.
    when
        Circumstances under which it touches a resume, all of them: "adam", "amp", "batch-changed", "end2end",
        "mosaic-closed", "nan-recovery", "optimizer-auto", "pretrained-path", "resume", "workers".
    symptom
        What is seen.
    threads
        Where it is discussed upstream.
    """

    id: str
    affected_up_to: str | None
    fixed_since: str | None
    when: tuple[str, ...]
    symptom: str
    threads: tuple[str, ...]

    def affects(self, version: str | None) -> bool | None:
        """Whether a version has it; None where that is not known.

        Examples
        --------
        >>> bug = KnownBug("x", "8.4.0", "8.4.33", (), "", ())
        >>> bug.affects("8.3.9"), bug.affects("8.4.33"), bug.affects("8.4.10")
        (True, False, None)
        """
        parsed = parse_version(version)
        fixed, seen = parse_version(self.fixed_since), parse_version(self.affected_up_to)
        if parsed is None:
            return None
        if fixed is not None and parsed >= fixed:
            return False
        return True if seen is not None and parsed <= seen else None


@cache
def known_bugs() -> tuple[KnownBug, ...]:
    """All of them, as the package holds them."""
    text = resources.files("analyzer.diagnosis").joinpath("known_bugs.json").read_text(encoding="utf-8")
    return tuple(
        KnownBug(**{**entry, "when": tuple(entry["when"]), "threads": tuple(entry["threads"])})
        for entry in json.loads(text)
    )
