"""The real pipeline and every renderer against what they gave before; `tests.golden.write` says how to renew a file."""

import json
import math

import pytest

from tests.golden import write
from tests.golden.pipeline import BASES
from tests.support.analyses import GOLDEN

RENDERED = dict(write.rendered())


@pytest.fixture(scope="module")
def documents(tmp_path_factory):
    return write.documents(tmp_path_factory.mktemp("golden").resolve())


def nearly(found, kept):
    """The same, numbers to what optimisers of other library versions agree in."""
    if isinstance(kept, dict):
        return found.keys() == kept.keys() and all(nearly(found[k], kept[k]) for k in kept)
    if isinstance(kept, list):
        return len(found) == len(kept) and all(map(nearly, found, kept))
    if isinstance(kept, float) and isinstance(found, (int, float)):
        return math.isclose(found, kept, rel_tol=1e-3, abs_tol=1e-9)
    return found == kept


@pytest.mark.parametrize("basis", BASES)
def test_the_pipeline_finds_what_it_found_before_and_trains_nothing(documents, basis):
    kept = json.loads((GOLDEN / f"{basis}.json").read_text(encoding="utf-8"))
    assert (
        {k for k in kept if not nearly(documents[basis][k], kept[k])} == documents[basis].keys() ^ kept.keys() == set()
    )


@pytest.mark.parametrize("name", sorted(RENDERED))
def test_a_report_reads_as_before(name):
    assert RENDERED[name]() == (GOLDEN / name).read_text(encoding="utf-8")


def test_every_kind_of_basis_is_there(documents):
    said = {
        name: (d["verdict"], d["history_only"], bool(d["borrowed"]), d["fraction"]) for name, d in documents.items()
    }
    assert said["noise"] == ("NOISE", False, False, None)
    assert said["fault"] == ("FAULT", False, False, None)
    assert said["history"][1] and said["borrowed"][2] and said["part"][3] == 0.5
    assert documents["continuation"]["continues"] and documents["fault"]["argument_changes"]


def test_nothing_is_left_over():
    made = {*RENDERED, *(f"{basis}.json" for basis in BASES)}
    assert {p.name for p in GOLDEN.iterdir() if p.suffix not in {".py", ".yaml", ".xz"} and p.is_file()} == made


@pytest.mark.parametrize("name", [n for n in sorted(RENDERED) if n.endswith(".txt")])
def test_the_terminal_fits_80_columns_but_for_what_is_copied(name):
    for line in (GOLDEN / name).read_text(encoding="utf-8").splitlines():
        assert len(line) <= 80 or "drift " in line or "/" in line


@pytest.mark.parametrize("basis", BASES)
def test_documents_hold_no_number_that_json_does_not_know(basis):
    def refuse(constant):
        raise AssertionError(constant)

    json.loads((GOLDEN / f"{basis}.json").read_text(encoding="utf-8"), parse_constant=refuse)
