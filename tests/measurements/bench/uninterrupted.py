"""One uninterrupted run by plain Ultralytics that trains an epoch for each line on stdin: started by floor.py.

    python uninterrupted.py CHECKPOINT

After each epoch it prints the CPU seconds of this process that training and validation took, as JSON. Nothing of
`analyzer` is imported; the two marks are an epoch's own first callback and the end of Ultralytics' own validation, so
that saving, logging and the wait for the line are not counted.
"""

from __future__ import annotations

import json
import os
import sys
import time

OUT = os.fdopen(os.dup(1), "w")  # Ultralytics prints to stdout
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def main(checkpoint: str) -> None:
    from ultralytics import YOLO

    started = 0.0

    def wait_for_line(trainer) -> None:
        nonlocal started
        if trainer.epoch == trainer.start_epoch:
            trainer.validate = measured(trainer.validate)
        OUT.write('"ready"\n')
        OUT.flush()
        if not sys.stdin.readline():
            os._exit(0)
        started = time.process_time()

    def measured(validate):
        def wrapped():
            result = validate()
            OUT.write(json.dumps(time.process_time() - started) + "\n")
            return result

        return wrapped

    model = YOLO(checkpoint)
    model.add_callback("on_train_epoch_start", wait_for_line)
    model.train(resume=True)


if __name__ == "__main__":
    main(sys.argv[1])
