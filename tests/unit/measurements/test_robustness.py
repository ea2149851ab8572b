"""What the campaign of kills and the measurement of memory found, and that the slope of memory is one."""

import json

from tests import ROOT
from tests.measurements.robustness.memory import slope

RESULTS = ROOT / "tests" / "measurements" / "robustness"


def test_the_committed_campaign_lost_nothing():
    both = json.loads((RESULTS / "kills.json").read_text(encoding="utf-8"))
    assert both["cheap"]["kills"] >= 200 and both["real"]["kills"] >= 10
    for found in both.values():
        assert sum(found["alive"].values()) > 0.8 * found["kills"]  # the others came after the end of the study
        assert found["studies"] > 1
        assert [found[name] for name in ("lost", "made again", "wrong", "orphan")] == [0, 0, 0, 0]


def test_a_leak_shows_and_noise_does_not():
    steps = [10.0 * (i % 7) for i in range(200)]
    flat, leaking = slope(steps), slope([s + 5 * i for i, s in enumerate(steps)])
    assert flat["95 %"][0] <= 0 <= flat["95 %"][1]
    assert leaking["95 %"][0] <= 5 <= leaking["95 %"][1] and leaking["95 %"][0] > 4


def test_a_thousand_replicates_cost_little_memory_as_measured():
    found = json.loads((RESULTS / "memory.json").read_text(encoding="utf-8"))
    assert found["driver"]["replicates"] >= 1000 and found["worker"]["replicates"] >= 1000
    for name, share in (("driver", 0.02), ("worker", 0.005)):  # the driver keeps the replicates themselves
        assert 1000 * found[name]["95 %"][1] / 1024 < share * found[name]["MB at the start of the fit"]
