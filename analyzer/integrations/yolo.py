"""``python -m analyzer.integrations.yolo``: the command ``yolo`` with the guard on, all its words unchanged.

    python -m analyzer.integrations.yolo [--on-fault stop] [--epochs K] train resume model=RUN/weights/last.pt

Ultralytics' command line has no place for callbacks of others; its table of default callbacks has.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from analyzer.errors import UsageError
from analyzer.integrations.callback import guard_all

__all__ = ["main"]


def main(words: Sequence[str]) -> None:
    """Run Ultralytics' entry point with the guard among its default callbacks.

    Parameters
    ----------
    words
        Options of the guard, then the words of ``yolo``.
    """
    parser = argparse.ArgumentParser(prog="python -m analyzer.integrations.yolo", description="yolo, guarded.")
    parser.add_argument("--on-fault", choices=("warn", "stop"), default="warn", help="what a FAULT does")
    parser.add_argument("--epochs", type=int, default=3, metavar="K", help="resumed epochs to judge")
    parser.add_argument("--alpha", type=float, default=0.05, metavar="A", help="false alarms over all of them")
    parser.add_argument(
        "yolo", nargs=argparse.REMAINDER, help="as for yolo, e.g. train resume model=RUN/weights/last.pt"
    )
    options = parser.parse_args(list(words))
    sys.argv = ["yolo", *options.yolo]  # read by Ultralytics when it is imported
    try:
        guard_all(epochs=options.epochs, on_fault=options.on_fault, alpha=options.alpha)
    except UsageError as error:
        parser.error(str(error))
    from ultralytics.cfg import entrypoint

    entrypoint()


if __name__ == "__main__":
    main(sys.argv[1:])
