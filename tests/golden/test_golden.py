"""Every renderer against what it gave before; ``python tests/golden/write.py`` renews the files, look at the diff."""

import importlib.util
import json
from pathlib import Path

import pytest

HERE = Path(__file__).parent
_spec = importlib.util.spec_from_file_location("golden_write", HERE / "write.py")
write = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(write)

FILES = dict(write.files())


@pytest.mark.parametrize("name", sorted(FILES))
def test_as_before(name):
    assert FILES[name]() == (HERE / name).read_text(encoding="utf-8")


def test_nothing_is_left_over():
    known = {*FILES, "__init__.py", "drawn.py", "synthetic.py", "write.py", Path(__file__).name}
    assert {p.name for p in HERE.iterdir()} - {
        "__pycache__",
        "public",
        "public.py",
        "test_public.py",
        "tiny.yaml",
    } == known


@pytest.mark.parametrize("name", [n for n in sorted(FILES) if n.endswith(".txt")])
def test_the_terminal_fits_80_columns_but_for_what_is_copied(name):
    for line in (HERE / name).read_text(encoding="utf-8").splitlines():
        assert len(line) <= 80 or "drift " in line or "/" in line


def test_documents_hold_no_number_that_json_does_not_know():
    def refuse(constant):
        raise AssertionError(constant)

    for name in FILES:
        if name.endswith(".json"):
            json.loads((HERE / name).read_text(encoding="utf-8"), parse_constant=refuse)
