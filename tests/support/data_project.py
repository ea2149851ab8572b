"""A project with a small data set, as files; shared by the tests of data sets."""

import yaml

from analyzer.runs.dataset import resolve_dataset


def make(root):
    """A project with a run and a data set of three training and two validation images."""
    run = root / "runs" / "train"
    run.mkdir(parents=True)
    data = root / "data"
    for split, n in (("train", 3), ("val", 2)):
        (data / "images" / split).mkdir(parents=True)
        (data / "labels" / split).mkdir(parents=True)
        for i in range(n):
            (data / "images" / split / f"{i}.jpg").write_bytes(b"x" * (i + 1))
            (data / "labels" / split / f"{i}.txt").write_text(f"{i % 2} .5 .5 .1 .1\n1 .5 .5 .1 .1\n")
    (data / "labels" / "train" / "2.txt").unlink()
    write(data, {})
    return root, run, data


def write(data, changes, name="data.yaml"):
    content = {"train": "images/train", "val": "images/val", "names": ["a", "b"], **changes}
    (data / name).write_text(yaml.safe_dump({k: v for k, v in content.items() if v is not None}))
    return data / name


def resolve(run, data, cwd, **args):
    return resolve_dataset({"data": data, "task": "detect", **args}, run=run, cwd=cwd)
