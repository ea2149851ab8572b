"""The tests, what they share (support) and the measurements behind the documents."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]  # of the checkout
