import pytest

from analyzer.errors import UsageError
from analyzer.stats.margins import parse_margins

COLUMNS = [
    "train/box_loss",
    "val/box_loss",
    "metrics/precision(B)",
    "metrics/mAP50(B)",
    "metrics/mAP50-95(B)",
    "metrics/mAP_0.5",
    "metrics/mAP_0.5:0.95",
]
VALUES = dict(zip(COLUMNS, [2.0, 3.0, 0.5, 0.8, 0.6, 0.4, 0.3], strict=True))


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        (["train/box_loss=5%"], {"train/box_loss": 0.1}),
        (["loss=0.1"], {"train/box_loss": 0.1, "val/box_loss": 0.1}),
        (["val = 0.2 "], {"val/box_loss": 0.2}),
        (["map50=0.03"], {"metrics/mAP50(B)": 0.03, "metrics/mAP_0.5": 0.03}),
        (["map50-95=10%"], {"metrics/mAP50-95(B)": 0.06, "metrics/mAP_0.5:0.95": 0.03}),
        (
            ["box_loss=0.3", "loss=0.1"],
            {"train/box_loss": 0.3, "val/box_loss": 0.3},
        ),  # the particular wins in any order
        (["train/box_loss=1", "train/box_loss=2"], {"train/box_loss": 2.0}),
        ([], {}),
    ],
)
def test_reading(terms, expected):
    assert parse_margins(terms, COLUMNS, VALUES) == pytest.approx(expected)


@pytest.mark.parametrize("term", ["map", "=3", "map=", "map=x", "map=-1", "map=0", "map=nan", "map=inf%", "recall=0.1"])
def test_errors_name_the_term(term):
    with pytest.raises(UsageError, match=term.replace("(", r"\(")):
        parse_margins([term], COLUMNS, VALUES)


def test_percentage_without_reference():
    with pytest.raises(UsageError, match="no value before the seam"):
        parse_margins(["map50=3%"], COLUMNS, {})
