"""``python -m analyzer`` and the command ``drift``."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line and exit with its code."""
    from analyzer.cli.app import app

    for stream in (sys.stdout, sys.stderr):  # a path may hold what this terminal cannot print
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")
    app(prog_name="drift")


if __name__ == "__main__":
    main()
