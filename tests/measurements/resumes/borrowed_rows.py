"""The borrowed null on real rows: ``python -m tests.measurements.resumes.borrowed_rows --work work/resumes``.

Judges what `make calibrate-resumes` left (its killed runs and its faulty resumes) and the recorded replicates of
data/replicates, as healthy resumes, by ten replicates of an earlier checkpoint of the same run, five drawn anew for
each row; they are trained here where missing. The rows of one checkpoint share one history.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections import Counter
from pathlib import Path

import numpy as np

from analyzer.domain.evidence import SeamCheck, Significance
from analyzer.domain.metrics import metrics_of
from analyzer.domain.progress import Silent
from analyzer.pipeline import ReplicateRequest, replicate
from analyzer.replicates.store import Store
from analyzer.runs.results import read_history
from analyzer.stats.borrowed import borrowed_tests
from analyzer.stats.history import auto_margin, history_noise
from analyzer.stats.seam import observed_against_history, predictions
from data.demo_runs import SEAM, copy_run
from tests import ROOT
from tests.measurements.resumes.score import load, seen

LENDERS = (("young", 22), ("young", 11), ("young-sgd", 22))  # epochN.pt counts from 0
TRAINED, LENT, ALPHA = 10, 5, 0.05


def lent_rows(work: Path, run: str, epoch: int, names: list[str]) -> np.ndarray:
    """First resumed rows of the lender, shape (TRAINED, m)."""
    copy = work / "lenders" / f"{run}-{epoch}"
    if not copy.exists():
        copy_run(work / "checkpoints" / run, copy, weights=(f"epoch{epoch}.pt",))
    study = replicate(ReplicateRequest(copy / "weights" / f"epoch{epoch}.pt", replicates=TRAINED), Silent())
    shutil.rmtree(copy / "drift" / "seams", ignore_errors=True)
    found = Store(study.parent, study.name).all("healthy")
    return np.array([[r.epochs[0].printed[n] for n in names] for r in found])


def judged(rows: np.ndarray, lent: np.ndarray, arguments: dict[str, object]) -> Counter[str]:
    """Verdicts of the borrowed test on rows, each with lenders of its own draw."""
    counts: Counter[str] = Counter()
    for i, row in enumerate(rows):
        drawn = np.random.default_rng(i).choice(len(lent), LENT, replace=False)
        result = borrowed_tests(lent[drawn], row, alpha_null=0.8 * ALPHA, **arguments)
        quiet = result.all_inside and result.omnibus is Significance.NO
        counts["FAULT" if result.some_fault else "NOISE" if quiet else "other"] += 1
    return counts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("work") / "resumes")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("borrowed_rows.json"))
    options = parser.parse_args()
    faulty = [one for one in load(options.work) if one["truth"] != "healthy"]
    results = []
    for run, epoch in LENDERS:
        history = read_history(options.work / "checkpoints" / run / "results.csv")
        metrics = [m for m in metrics_of(history.columns) if m.deciding]
        names, sign = [m.name for m in metrics], [m.adverse_sign for m in metrics]
        table = np.column_stack([history.column(n) for n in names])
        past = table[1:SEAM]  # without the epoch of warmup
        noise = [history_noise(past[:, j], unit=1e-5) for j in range(len(names))]
        arguments = {
            "names": names, "deciding": [True] * len(names), "adverse_sign": sign,
            "predicted": predictions(past, names=names, adverse_sign=sign), "own": table[epoch + 1],
            "own_sd": [np.nan] * len(names), "priors": [n and n.prior for n in noise],
            "margins": [np.nan if (m := auto_margin(n)) is None else m for n in noise],
        }  # fmt: skip
        kept = json.loads((ROOT / "data" / "replicates" / f"{run}.json").read_text(encoding="utf-8"))
        healthy = np.array(kept["rows"])[:, [kept["columns"].index(n) for n in names]]
        bad = np.array([seen(one)[0].observed for one in faulty if one["checkpoint"] == run]).reshape(-1, len(names))
        lent = lent_rows(options.work.resolve(), run, epoch, names)
        by_history = [
            sum(
                observed_against_history(past, row, names=names, adverse_sign=sign, alpha=ALPHA).status
                is SeamCheck.ADVERSE
                for row in rows
            )
            for rows in (healthy[:50], bad)
        ]
        results.append(
            {
                "run": run, "lender": epoch + 1, "seam": SEAM + 1,
                "healthy": dict(judged(healthy, lent, arguments)), "faulty": dict(judged(bad, lent, arguments)),
                "history_only": {"healthy of 50": by_history[0], f"faulty of {len(bad)}": by_history[1]},
            }
        )  # fmt: skip
        print(json.dumps(results[-1]), flush=True)
    options.out.write_text(json.dumps({"alpha": ALPHA, "cells": results}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
