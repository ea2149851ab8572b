"""The section of docs/FAULTS.md that shows the measured diagnosis."""

from tests.measurements.diagnosis_table import measured_section

FOUND = {
    "faults": {
        "lr-jump": {"resumes": 6, "named": 6, "certain": 6, "epochs": 0.0, "as": {"lr-jump": 6}},
        "optimizer-lost": {
            "resumes": 6, "named": 5, "certain": 4, "epochs": 1.5, "as": {"optimizer-lost": 5, "no cause": 1},
        },
    },
    "resumes": 12, "named": 11, "certain": 10, "epochs_to_certain": 0.6, "most_epochs_to_certain": 3,
    "wrongly_certain": 0,
    "healthy": {"resumes": 2, "verdicts": {"NOISE": 2}, "named": {"no cause": 2}},
    "confused": [
        {"truth": "optimizer-lost", "way": "runtime:x", "checkpoint": "young", "named": "no cause", "verdict": "NOISE"}
    ],
}  # fmt: skip


def test_totals_matrix_and_misses():
    text = "\n".join(measured_section({"replay": FOUND}))
    assert "11 of 12 faulty resumes (92%) have their fault named first, 10 of them with certainty" in text
    assert "| `optimizer-lost` | 5 of 6 | 4 | 1.5 | optimizer-lost 5, no cause 1 |" in text
    assert "| healthy | | | | no cause 2 |" in text
    assert "- `optimizer-lost` (runtime:x; young): no cause, verdict NOISE." in text
    assert "Without a replay" not in text


def test_no_results_no_section():
    assert list(measured_section({})) == []


def test_a_part_is_said_to_be_one():
    text = "\n".join(measured_section({"replay": FOUND, "no-replay": {**FOUND, "resumes": 11}}))
    assert text.count("Made so far") == 1
    assert "Made so far: the first 11 of the 12" in text
