"""`drift audit --deep`: images that cannot be decoded, and the same image twice with different labels."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from analyzer.diagnosis.audit.data import listed, seconds_of
from analyzer.diagnosis.audit.facts import AuditFacts
from analyzer.diagnosis.catalogue import finding
from analyzer.domain.evidence import Finding
from analyzer.errors import DataError
from analyzer.files import read_regular
from analyzer.runs.data_content import label_of, list_images
from analyzer.runs.dataset import resolve_dataset
from analyzer.runs.images import ImageContent, read_images

__all__ = ["deep_findings"]


def deep_findings(
    facts: AuditFacts, data: Path | None = None, tell: Callable[[int, int], None] | None = None
) -> tuple[Finding, ...]:
    """Look into every image of the data set, or into evenly spread ones where there are very many.

    Parameters
    ----------
    facts
        Of the audit.
    data
        Data yaml given by the user instead of that of the arguments.
    tell
        Called with (images done, images in all).
    """
    place = facts.run.path if facts.run is not None else Path.cwd()
    place = place if facts.before is None or facts.run is not None else facts.before.checkpoint.path.parent
    try:
        found = resolve_dataset(facts.train_args, run=place, override=data)
        images = {split: [i for p in places for i in list_images(p)] for split, places in sorted(found.splits.items())}
    except DataError as e:
        return (finding("data-not-read", f"The images were not looked at: {e.what}"),)
    contents = read_images(images, tell)
    total = sum(map(len, images.values()))
    read = f"{len(contents)} of {total} images were read and decoded."
    pairs = () if found.yaml.is_dir() else tuple(_contradictions(contents))
    return (*_damaged(facts, contents), *pairs, finding("images-read", read))


def _damaged(facts: AuditFacts, contents: Sequence[ImageContent]) -> Iterator[Finding]:
    bad = [c for c in contents if c.problem]
    if not bad:
        return
    date = seconds_of(facts.before.checkpoint.date) if facts.before is not None else None
    later = [c for c in bad if date is not None and c.modified is not None and c.modified > date]
    shown = listed([f"{c.split}/{c.path.name} ({c.problem})" for c in bad])
    when = f" {len(later)} of them were written after the checkpoint." if later else ""
    yield finding("image-content", f"{len(bad)} images cannot be decoded: {shown}.{when}")


def _contradictions(contents: Sequence[ImageContent]) -> Iterator[Finding]:
    """The same file twice in a split, with labels that differ: one of them belongs to another image."""
    same: dict[tuple[str, str], list[Path]] = defaultdict(list)
    for c in contents:
        if c.sha256:
            same[c.split, c.sha256].append(c.path)
    pairs = [
        f"{split}/{paths[0].name} and {other.name}"
        for (split, _), paths in same.items()
        for other in paths[1:]
        if _labels(paths[0]) != _labels(other)
    ]
    if pairs:
        yield finding("image-content", f"{len(pairs)} images lie twice with different labels: {listed(pairs)}.")


def _labels(image: Path) -> list[bytes] | None:
    """Rows of the label file in any order; None where there is none."""
    try:
        return sorted(read_regular(label_of(image)).split(b"\n"))
    except OSError:
        return None
