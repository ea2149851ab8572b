"""The public face is as before; ``python -m tests.golden.write`` writes public/ again: read the diff as a user."""

from importlib import metadata
from pathlib import Path

import pytest

from tests.golden.public import FILES

HERE = Path(__file__).parent / "public"


@pytest.mark.parametrize("name", sorted(FILES))
def test_as_before(name):
    if name == "help.txt" and int(metadata.version("rich").split(".")[0]) < 15:
        pytest.skip("an older rich lays the same help out otherwise")
    assert FILES[name]() == (HERE / name).read_text(encoding="utf-8")


def test_nothing_is_left_over():
    assert {p.name for p in HERE.iterdir()} == set(FILES)
