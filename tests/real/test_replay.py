"""The replay gives a healthy row back to every printed digit, and does not where something outside differed."""

from pathlib import Path

import analyzer


def analyse(run: Path):
    return analyzer.analyze(run, replicates=2, seed=1)


def test_a_plain_resume_is_repeated_to_every_printed_digit(resumed_run, copy_run, tmp_path):
    run = copy_run(resumed_run, tmp_path / "run")
    result = analyse(run)
    assert result.replay is not None
    assert result.replay.outcome == "same"
    assert result.replay.epochs == 1
    assert result.replay.details["columns"] >= 10 + 3  # metrics and learning rates
    assert "replay" not in {step.step for step in result.not_run}
    assert all(r.arm != "replay" for r in result.replicates)  # never part of the null
    again = analyse(run)
    assert again.cost.epochs_trained == 0
    assert again.replay == result.replay


def test_lost_first_moments_show_although_no_argument_differs(killed_run, demo_runs, tmp_path):
    import torch

    run = demo_runs.copy_run(killed_run, tmp_path / "run", weights=("last.pt", "epoch2.pt"))
    last = demo_runs.relocate(run)
    payload = torch.load(last, map_location="cpu", weights_only=False)
    for state in payload["optimizer"]["state"].values():
        state["exp_avg"].zero_()  # the step counters stay, so that the audit has nothing to see
    torch.save(payload, last)
    demo_runs.resume_and_kill(run, 4)
    result = analyse(run)
    assert result.argument_changes == ()
    assert result.replay is not None
    assert result.replay.outcome == "other"
    assert any("train/" in column for column in result.replay.details["differ"])
