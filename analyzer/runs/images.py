"""The content of image files: whether each can be decoded, and what it is. Nothing is written."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from analyzer.files import read_regular

__all__ = ["MOST_IMAGES", "ImageContent", "read_images"]

MOST_IMAGES = 20_000  # a few minutes on one core


@dataclass(frozen=True, slots=True)
class ImageContent:
    """One image file.

    Parameters
    ----------
    split, path
        Where it lies.
    sha256
        Of the file; empty where it could not be read.
    problem
        Why it cannot be decoded; empty where it can.
    modified
        Seconds since 1970; None where it is gone.
    """

    split: str
    path: Path
    sha256: str
    problem: str
    modified: float | None


def read_images(
    images: Mapping[str, Sequence[Path]], tell: Callable[[int, int], None] | None = None, *, most: int = MOST_IMAGES
) -> tuple[ImageContent, ...]:
    """Decode images to the last pixel, at most `most` of them, spread evenly.

    Parameters
    ----------
    images
        Split to its files.
    tell
        Called with (images done, images in all).
    most
        Bound on their number.

    Returns
    -------
    tuple of ImageContent
        In the order given; of fewer files than given where there are more than `most`.
    """
    every = [(split, path) for split, paths in images.items() for path in paths]
    step = max(1, -(-len(every) // most))
    chosen = every[::step]
    found = []
    for done, (split, path) in enumerate(chosen, start=1):
        found.append(_read(split, path))
        if tell is not None:
            tell(done, len(chosen))
    return tuple(found)


def _read(split: str, path: Path) -> ImageContent:
    try:
        modified = path.stat().st_mtime
        content = read_regular(path)
    except OSError as e:
        return ImageContent(split, path, "", e.strerror or str(e), None)
    return ImageContent(split, path, hashlib.sha256(content).hexdigest(), _problem(content), modified)


def _problem(content: bytes) -> str:
    """Why Pillow cannot decode it; empty where it can. A file that claims to be huge is refused before it is read."""
    import io

    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            with Image.open(io.BytesIO(content)) as image:
                image.load()
        except Exception as e:  # Pillow's plugins raise whatever a damaged file makes them meet
            return str(e).split("<_io")[0].strip() or type(e).__name__
    return ""
