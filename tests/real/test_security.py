"""A checkpoint of a stranger runs nothing, in the worker as in the audit."""

import subprocess
import sys

import torch


def test_an_activation_that_is_a_program_is_refused(killed_run, copy_run, tmp_path):
    run = copy_run(killed_run, tmp_path / "run")
    checkpoint, witness = run / "weights" / "last.pt", tmp_path / "ran"
    payload = torch.load(checkpoint, map_location="cpu", weights_only=False)
    payload["ema"].yaml["activation"] = f"(open({str(witness)!r}, 'w').write('x'), torch.nn.SiLU())[1]"
    torch.save(payload, checkpoint)
    command = [sys.executable, "-m", "analyzer", "replicate", str(checkpoint), "-n", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 12
    assert "activation" in done.stderr
    assert not witness.exists()
