"""A seam that `time` hides is found by the dates of the checkpoints on its sides, and a slow epoch is none."""

import json
from datetime import datetime, timedelta

import pytest
import yaml

from tests.support.written_run import SEAM, checkpoint, rows, text

EARLIER = 10  # first epoch of an earlier resume
SLOW = 30.0  # seconds of the first resumed epoch: more than the six epochs since the earlier seam together


def hide(run, apart, first="2026-01-01T10:00:00"):
    """Resumes at EARLIER and SEAM, the first epoch of the second one slow; its checkpoints dated `apart` seconds."""
    body = list(rows())
    for line in body:
        epoch = int(line[0])
        since = epoch - EARLIER + 1
        seconds = 3.0 * epoch if epoch < EARLIER else 3.0 * since if epoch < SEAM else SLOW + 3.0 * (epoch - SEAM)
        line[1] = f"{seconds:.6g}"
    (run / "results.csv").write_text(text(body=body))
    args = yaml.safe_load((run / "args.yaml").read_text())
    began = datetime.fromisoformat(first)
    for epoch, date in ((SEAM - 1, began), (SEAM, began + timedelta(seconds=apart))):
        file = run / "weights" / f"epoch{epoch - 1}.pt"
        file.write_bytes(checkpoint(args, epoch=epoch - 1, date=date.isoformat()))


STEP = SLOW - 3.0 * (SEAM - EARLIER)


@pytest.mark.parametrize("apart", [STEP + 20, STEP + 600, STEP + 90_000])
def test_a_resume_whose_first_epoch_took_longer_than_all_before(run, drift, apart):
    hide(run, apart)
    document = json.loads(drift("analyze", run, "--dry-run", "--json").stdout)
    assert (document["seam"]["epoch"], document["seam"]["sign"]) == (SEAM, "dates of the checkpoints")
    assert f"{apart:.4g} s apart" in document["seam"]["evidence"]
    assert [s["epoch"] for s in document["other_seams"]] == [EARLIER]
    assert document["checkpoint"]["epoch"] == SEAM - 1
    assert f"seam   {SEAM}\n" in drift("audit", run).stdout


@pytest.mark.parametrize("apart", [STEP, STEP + 0.2, STEP - 0.2, STEP + 3600, STEP - 3600, 0.0])
def test_a_slow_epoch_or_a_clock_put_forward_or_back_is_none(run, drift, apart):
    hide(run, apart)
    document = json.loads(drift("analyze", run, "--dry-run", "--json").stdout)
    assert (document["seam"]["epoch"], document["other_seams"]) == (EARLIER, [])


@pytest.mark.parametrize("date", ["soon", "9999999-01-01", 5, None, "0001-01-01T00:00:00"])
def test_a_date_that_is_none_says_nothing(run, drift, date):
    hide(run, STEP + 600)
    args = yaml.safe_load((run / "args.yaml").read_text())
    (run / "weights" / f"epoch{SEAM - 1}.pt").write_bytes(checkpoint(args, epoch=SEAM - 1, date=date))
    document = json.loads(drift("analyze", run, "--dry-run", "--json").stdout)
    assert document["seam"]["epoch"] == EARLIER
