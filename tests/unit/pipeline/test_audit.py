"""The audit inside `drift analyze`: its hard findings decide, and it is no longer among the steps that were not run."""

import pytest
import yaml

from analyzer.domain.evidence import Severity, Verdict
from analyzer.domain.progress import Silent
from analyzer.pipeline import AnalyzeRequest, analyze

ARGS = {"task": "detect", "epochs": 40, "lr0": 0.01, "lrf": 0.01, "warmup_epochs": 0.0, "optimizer": "SGD"}


def make_run(folder, factor):
    """30 epochs, a seam before epoch 25; the rates of the resumed epochs times `factor`."""
    folder.mkdir()
    lines = ["epoch,time,train/box_loss,metrics/mAP50-95(B),val/box_loss,lr/pg0"]
    for epoch in range(1, 31):
        time = epoch * 10.0 if epoch < 25 else (epoch - 24) * 10.0
        rate = 0.01 * ((1 - (epoch - 1) / 40) * 0.99 + 0.01) * (factor if epoch >= 25 else 1.0)
        wiggle = 0.003 * ((epoch * 7) % 5 - 2)
        lines.append(
            f"{epoch},{time:.6g},{2 - 0.03 * epoch + wiggle:.6g},{0.3 + wiggle:.6g},{2.1 + wiggle:.6g},{rate:.6g}"
        )
    (folder / "results.csv").write_text("\n".join(lines) + "\n")
    (folder / "args.yaml").write_text(yaml.safe_dump({**ARGS, "resume": "last.pt"}))
    return folder


@pytest.mark.parametrize("factor", [1.0, 10.0])
def test_a_hard_finding_is_a_fault_and_a_healthy_run_has_none(tmp_path, factor):
    run = make_run(tmp_path / "run", factor)
    analysis = analyze(AnalyzeRequest(run=run, history_only=True), Silent())
    hard = [f.id for f in analysis.audit if f.severity is Severity.HARD]
    assert "audit" not in [n.step for n in analysis.not_run]
    if factor == 1.0:
        assert hard == [] and analysis.verdict is not Verdict.FAULT
        assert all(f.severity is Severity.INFORMATION for f in analysis.audit)
    else:
        assert hard == ["lr-jump"] and analysis.verdict is Verdict.FAULT
        assert "factor 10 " in analysis.decision.reasons[0]
