"""A pointer of Git LFS in the place of a file is named, with the command that brings the file."""

import pytest

from analyzer.errors import DriftError
from analyzer.runs.args import read_args
from analyzer.runs.checkpoint import read_checkpoint

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 6534387\n"


@pytest.mark.parametrize(("name", "read"), [("args.yaml", read_args), ("last.pt", read_checkpoint)])
def test_pointers_are_named(tmp_path, name, read):
    path = tmp_path / name
    path.write_text(POINTER)
    with pytest.raises(DriftError, match=r"Git LFS pointer.*git lfs pull"):
        read(path)
