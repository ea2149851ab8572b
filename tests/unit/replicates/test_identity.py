"""Studies keep the names of version 0.1.0, so that they are found and extended."""

from types import SimpleNamespace

import pytest

from analyzer.replicates.identity import StudyFacts


@pytest.mark.parametrize(
    ("name", "device", "threads", "workers", "base_seed"),
    [("seam6-58d4394b1453", "cpu", 7, None, 0), ("seam6-978a69f5ebcf", "2 x cuda (A100)", None, 4, 3)],
)
def test_a_study_is_named_as_before(name, device, threads, workers, base_seed, monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    args = {"lr0": 0.01, "batch": 8, "project": "runs", "seed": 0}
    checkpoint = SimpleNamespace(sha256="c0ffee", epoch=4, train_args=args)
    versions = {"torch": "2.9", "ultralytics": "8.4.190"}
    assert StudyFacts(checkpoint, "d1", versions, workers, base_seed, device, threads).name == name
