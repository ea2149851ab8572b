"""No command ends in a traceback: every error becomes a sentence on stderr and an exit code."""

from __future__ import annotations

import functools
import sys
import traceback
from collections.abc import Callable
from typing import ParamSpec

import typer

from analyzer.cli.exit_codes import ExitCode
from analyzer.errors import DriftError

__all__ = ["guarded"]

P = ParamSpec("P")
ISSUES = "the issue tracker of yolo-drift"


def guarded(command: Callable[P, int]) -> Callable[P, None]:
    """Turn a function that returns an exit code into a command.

    Parameters
    ----------
    command
        May raise DriftError (shown as its sentence), KeyboardInterrupt (130) and whatever is a fault of this tool
        (one sentence, 12; the traceback with ``--debug``).
    """

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            code = command(*args, **kwargs)
        except DriftError as error:
            _say(str(error))
            code = error.exit_code
        except KeyboardInterrupt:
            _say("Stopped. Everything that was finished is kept: the same command goes on from here.")
            code = ExitCode.INTERRUPTED
        except BrokenPipeError:  # the reader of stdout went away (head, less)
            sys.stderr.close()
            code = ExitCode.OK
        except (typer.Exit, typer.Abort, typer.BadParameter):
            raise
        except OSError as error:  # a full disk, a name that is too long, a folder without permission
            if kwargs.get("debug"):
                traceback.print_exc()
            _say(f"{str(error.filename or 'A file')[:200]}: {error.strerror or error}.")
            code = ExitCode.COULD_NOT_RUN
        except Exception as error:
            if kwargs.get("debug"):
                traceback.print_exc()
            _say(
                f"A fault of drift itself: {type(error).__name__}: {str(error)[:300]}. Please report it to {ISSUES}"
                + ("." if kwargs.get("debug") else "; --debug shows where it happened.")
            )
            code = ExitCode.COULD_NOT_RUN
        raise typer.Exit(int(code))

    return run


def _say(sentence: str) -> None:
    from analyzer.report.formatting import clean  # a path may hold line ends or control characters

    print(f"drift: {clean(sentence)}", file=sys.stderr, flush=True)
