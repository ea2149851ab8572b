"""One epoch of many resumes with plain Ultralytics, each in a process forked for it: started by tests/calibration.

A line on stdin is a checkpoint to resume; the answer on stdout is "done" or "failed" and the same path. The forked
process ends abruptly after the first resumed epoch is saved, as in a power cut. Nothing of `analyzer` is imported.
"""

from __future__ import annotations

import os
import sys
import traceback


def resume(checkpoint: str) -> None:
    """Resume one checkpoint in this process, which ends with the first saved epoch."""
    from ultralytics import YOLO

    log = os.open(f"{checkpoint}.log", os.O_CREAT | os.O_WRONLY)
    os.dup2(log, 1)
    os.dup2(log, 2)
    try:
        model = YOLO(checkpoint)
        model.add_callback("on_model_save", lambda trainer: os._exit(0))
        model.train(resume=True)
    except BaseException:
        traceback.print_exc()
    os._exit(1)


def main() -> None:
    """Import once, fork for each line."""
    import torch
    import ultralytics.models  # noqa: F401  (imported before the fork, so that each resume need not)

    torch.set_num_threads(1)
    for line in sys.stdin:
        checkpoint = line.strip()
        child = os.fork()
        if child == 0:
            resume(checkpoint)
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{'done' if status == 0 else 'failed'} {checkpoint}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
