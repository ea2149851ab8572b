"""The command ``yolo`` with the guard among Ultralytics' default callbacks, and its words unchanged."""

import sys

import pytest

from analyzer.integrations import yolo
from analyzer.integrations.guard import EVENTS, Guard


@pytest.fixture
def ultralytics(monkeypatch):
    """The real table of callbacks, restored afterwards; the entry point is a stand-in that shows its words."""
    base = pytest.importorskip("ultralytics.utils.callbacks.base")
    monkeypatch.setattr(base, "default_callbacks", {k: list(v) for k, v in base.default_callbacks.items()})
    monkeypatch.setattr(sys, "argv", list(sys.argv))
    seen = []
    monkeypatch.setattr("ultralytics.cfg.entrypoint", lambda: seen.append(sys.argv[1:]))
    return base, seen


def guards(callbacks):
    return [c.__self__ for c in callbacks if isinstance(getattr(c, "__self__", None), Guard)]


def test_words_arrive_and_every_new_model_is_guarded(ultralytics):
    base, seen = ultralytics
    yolo.main(["--on-fault", "stop", "--epochs", "2", "train", "resume", "model=a b/last.pt", "device=1"])
    assert seen == [["train", "resume", "model=a b/last.pt", "device=1"]]
    callbacks = base.get_default_callbacks()
    found = [guards(callbacks[event]) for event in EVENTS]
    assert [len(f) for f in found] == [1] * len(EVENTS)
    assert len({id(f[0]) for f in found}) == 1  # a copy of the table keeps one guard, not one an event
    assert (found[0][0].on_fault, found[0][0].epochs) == ("stop", 2)
    yolo.main(["train", "resume"])
    assert [len(guards(base.get_default_callbacks()[event])) for event in EVENTS] == [1] * len(EVENTS)


@pytest.mark.parametrize("words", [["--on-fault", "explode", "train"], ["--epochs", "0", "train"]])
def test_senseless_options_are_usage_errors(ultralytics, words, capsys):
    with pytest.raises(SystemExit) as stop:
        yolo.main(words)
    assert stop.value.code == 2
    assert ultralytics[1] == []
    assert "Traceback" not in capsys.readouterr().err
