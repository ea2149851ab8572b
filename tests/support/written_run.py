"""A small run directory of known content, and ways to spoil its files; shared by the tests of hostile input."""

import io
import os
import pickle
import zipfile
from collections import OrderedDict

import numpy as np
import yaml

SEAM, LAST = 16, 18
METRICS = (
    "train/box_loss", "train/cls_loss", "train/dfl_loss", "metrics/precision(B)", "metrics/recall(B)",
    "metrics/mAP50(B)", "metrics/mAP50-95(B)", "val/box_loss", "val/cls_loss", "val/dfl_loss", "lr/pg0",
)  # fmt: skip


class Evil:
    def __reduce__(self):
        return os.system, ("touch HACKED",)


def archive(content):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as z:
        z.writestr("last/data.pkl", pickle.dumps(content, protocol=2))
    return buffer.getvalue()


def checkpoint(args, epoch=SEAM - 2, **changes):
    """A checkpoint whose facts can be read; only training would need its tensors."""
    return archive(
        {
            "epoch": epoch,
            "ema": OrderedDict(),
            "optimizer": {"state": {}, "param_groups": [{"lr": 0.1}]},
            "train_args": args,
            "version": "8.4.190",
            **changes,
        }
    )


def rows():
    rng = np.random.default_rng(5)
    for epoch in range(1, LAST + 1):
        values = [1 + 0.3 * 0.9**epoch + rng.normal(0, 0.005) for _ in METRICS]
        seconds = 3.0 * (epoch if epoch < SEAM else epoch - SEAM + 1)
        yield [str(epoch), f"{seconds:.6g}", *(f"{v:.6g}" for v in values)]


HEADER = ["epoch", "time", *METRICS]


def text(header=HEADER, body=None, end="\n"):
    return end.join(",".join(line) for line in [header, *(rows() if body is None else body)]) + end


def padded():
    wide = [[f"{c:>23}" for c in line] for line in [HEADER, *rows()]]
    return "\n".join(",".join(line) for line in wide) + "\n"


def cell(row, column, value):
    """The file with one cell replaced; `row` counts epochs from 1."""
    body = list(rows())
    body[row - 1][HEADER.index(column)] = value
    return text(body=body)


def without(*columns):
    keep = [i for i, c in enumerate(HEADER) if c not in columns]
    return text([HEADER[i] for i in keep], [[line[i] for i in keep] for line in rows()])


def make_run(folder, name="train"):
    data = folder / "data"
    for split in ("train", "val"):
        (data / "images" / split).mkdir(parents=True)
        (data / "images" / split / "a.jpg").write_bytes(b"\xff\xd8\xff")
    (data / "data.yaml").write_text("train: images/train\nval: images/val\nnames: [a]\n")
    run = folder / name
    (run / "weights").mkdir(parents=True)
    args = {"task": "detect", "data": str(data / "data.yaml"), "epochs": 30, "close_mosaic": 0, "device": "cpu"}
    (run / "args.yaml").write_text(yaml.safe_dump({**args, "resume": "last.pt"}))
    (run / "results.csv").write_text(text())
    (run / "weights" / f"epoch{SEAM - 2}.pt").write_bytes(checkpoint(args))
    return run


def one_sentence(done, code, *fragments):
    """The exit code, nothing on stdout, and one line on stderr that holds the fragments."""
    talk = [line for line in done.stderr.splitlines() if line.startswith("drift: ")]
    assert done.exit_code == code, done.stderr
    assert done.stdout == ""
    assert len(talk) == 1 and done.stderr.splitlines()[-1] == talk[0]
    assert talk[0].rstrip().endswith(".")
    assert "Traceback" not in done.stderr and "A fault of drift itself" not in done.stderr
    for fragment in fragments:
        assert fragment in talk[0]
    return talk[0]
