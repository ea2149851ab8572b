"""One training process with plain Ultralytics: started, watched and killed by demo_runs.py.

Nothing of `analyzer` is imported here, so that what the tool judges was made without it.

    python plain_training.py train  '{"model": "...yaml", "until": 31, "args": {...}}'
    python plain_training.py resume '{"model": "...last.pt", "until": 32, "args": {...}}'

After the epoch `until` (as results.csv counts) was saved, the process prints a line and holds still until it is killed,
so that the kill always falls between two epochs, on a slow machine as on a fast one. Without `until` it trains to its
end.
"""

from __future__ import annotations

import json
import sys
import time

SAVED = "saved epoch"  # what the parent waits for


def main(mode: str, request: str) -> None:
    from ultralytics import YOLO

    order = json.loads(request)
    model = YOLO(order["model"])

    def hold(trainer) -> None:
        print(f"{SAVED} {trainer.epoch + 1}", flush=True)
        if trainer.epoch + 1 == order.get("until"):
            time.sleep(600)  # killed long before; ends by itself if the parent was killed
            sys.exit(3)

    model.add_callback("on_model_save", hold)
    if mode == "resume":
        model.train(resume=True, **order["args"])
    else:
        model.train(**order["args"])


if __name__ == "__main__":
    main(*sys.argv[1:])
