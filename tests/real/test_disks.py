"""A disk that fills up while a replicate is set up, and a run that may only be read; mounts need root and Linux."""

import os
import subprocess
import sys

import pytest


def mount(*arguments):
    """Mount; skips where that is not allowed."""
    if subprocess.run(["mount", *map(str, arguments)], capture_output=True, check=False).returncode:
        pytest.skip("mounting is not allowed here")


def replicate(checkpoint, out):
    command = [sys.executable, "-m", "analyzer", "replicate", str(checkpoint), "-n", "1", "--out", str(out)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=dict(os.environ))


def test_full_and_read_only_disks(killed_run, copy_run, tmp_path):
    run, disk = copy_run(killed_run, tmp_path / "run"), tmp_path / "disk"
    checkpoint = run / "weights" / "last.pt"
    disk.mkdir()
    # Room for the kept copy of the checkpoint, and not for the worker's.
    mount("-t", "tmpfs", "-o", f"size={int(1.5 * checkpoint.stat().st_size)}", "tmpfs", disk)
    try:
        mount("--bind", run, run)
        try:
            mount("-o", "remount,ro,bind", run)
            done = replicate(checkpoint, disk)
            assert done.returncode == 12, done.stderr
            assert done.stderr.splitlines()[-1].startswith("drift: ") and "Traceback" not in done.stderr
            subprocess.run(["mount", "-o", "remount,size=200m", str(disk)], check=True)
            done = replicate(checkpoint, disk)
            assert done.returncode == 0, done.stderr
            assert len(list(disk.rglob("replicates/healthy/*.json"))) == 1
        finally:
            subprocess.run(["umount", str(run)], check=True)
    finally:
        subprocess.run(["umount", str(disk)], check=True)
