"""A fault is one class that is complete, in one file that the registry finds by itself."""

import subprocess
import sys

import pytest

from analyzer.diagnosis.catalogue import entry_of
from analyzer.faults.fault import Fault
from analyzer.faults.registry import faults

ONE_FILE = """
from collections.abc import Iterator

from analyzer.domain.evidence import Severity
from analyzer.faults.clues import Hypothesis
from analyzer.faults.fault import Attempt, Family, Fault, in_training


class WeightDecayLost(Fault):
    \"\"\"Weight decay is off from the resume on.\"\"\"

    id = "weight-decay-lost"
    family = Family.OPTIMIZER
    row = "Train losses fall a little faster."
    audit = "weight_decay 0 in every stored group."
    searched = "No weight decay."
    remedy = "Resume with the weight_decay of the checkpoint."
    severity = Severity.HARD
    seen = "The stored groups have no weight decay, the arguments have."

    @classmethod
    def attempts(cls):
        yield Attempt(cls._off, in_training(15, 15, 15, 15))

    @classmethod
    def _off(cls, clues):
        yield Hypothesis(((cls.id, {}),), "the weight decay may be off")

    def edit_args(self, args):
        args["weight_decay"] = 0.0
"""
ASK = """
import sys
import analyzer.faults
analyzer.faults.__path__.append(sys.argv[1])  # as if the file lay there
from analyzer.diagnosis.catalogue import finding
from analyzer.diagnosis.hypotheses import hypotheses
from analyzer.diagnosis.suspects import suspects
from analyzer.faults.clues import Clues
from analyzer.faults.registry import make
from tests.measurements.write_faults import faults_page

row = {"train/box_loss": 1.0, "val/box_loss": 1.0}
clues = Clues({"train/box_loss": 0.99, "val/box_loss": 0.98}, row, list(row), {}, 5)
args = {"weight_decay": 0.1}
make("weight-decay-lost", {}).edit_args(args)
print(args["weight_decay"])
print([h.words for h in hypotheses(clues)][:3])
print([[h.words for h in family] for family in suspects(clues, frozenset(row))][0])
print(finding("weight-decay-lost", "0 instead of 0.1.").remedy)
print(faults_page().count("`weight-decay-lost`"))
"""


@pytest.mark.parametrize("fault", faults().values(), ids=faults())
def test_every_fault_is_complete(fault):
    assert fault.__doc__ and fault.family
    assert all(text.endswith(".") for text in (fault.row, fault.audit, fault.remedy))
    overridden = [name for name in vars(Fault) if name.startswith(("edit_", "at_")) and name in vars(fault)]
    assert overridden, "it changes nothing"
    attempts = fault.attempts()
    assert all(a.rank for a in attempts)
    assert bool(attempts) != bool(fault.untried), "tried, or a reason why not"
    assert bool(fault.searched) <= bool(attempts)
    if fault.severity is not None:
        assert fault.seen.endswith(".")
        assert entry_of(fault.id).severity is fault.severity


TWICE = """
import analyzer.faults
from analyzer.faults.rates import LrJump
from analyzer.faults.registry import faults

class Steeper(LrJump):
    id = "{}"

try:
    print("steeper" in faults())
except ValueError as e:
    print(e)
"""


@pytest.mark.parametrize(
    ("fault_id", "said"), [("steeper", "True"), ("lr-jump", "Two faults have the id 'lr-jump': LrJump, Steeper.")]
)
def test_no_fault_is_dropped_silently(fault_id, said):
    """A fault made from another one is found; a second one of the same id is refused."""
    code = TWICE.format(fault_id)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.strip() == said


def test_a_new_fault_is_one_file(tmp_path):
    (tmp_path / "weight_decay.py").write_text(ONE_FILE)
    done = subprocess.run(
        [sys.executable, "-c", ASK, str(tmp_path)], capture_output=True, text=True, check=True, timeout=120
    )
    zero, tried, family, remedy, rows = done.stdout.splitlines()
    assert zero == "0.0"
    assert tried == "['optimizer-lost', 'weight-decay-lost', 'mosaic-state (state closed)']"
    assert "weight-decay-lost" in family and "optimizer-lost" in family
    assert remedy == "Resume with the weight_decay of the checkpoint."
    assert rows == "2"  # among the hard findings and among the faults that are injected
