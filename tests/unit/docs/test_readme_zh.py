"""README.zh-CN.md says the same as README.md, as far as a machine can tell: change both.

Compared are the commands in fenced blocks, every word in backticks (commands, options, files) and every link in order,
verdicts with their exit codes, and the numbers of each section.
"""

import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
ENGLISH, CHINESE = (ROOT / name for name in ("README.md", "README.zh-CN.md"))

FENCE = re.compile(r"^```.*?^```\s*$", re.MULTILINE | re.DOTALL)
NUMBER = re.compile(r"(?<![\w.])\d+(?:[.,]\d+)*")


def sections(path):
    """Text between headings, the language links at the top left out."""
    text = path.read_text(encoding="utf-8").partition("\n")[2]
    return re.split(r"^#+ .*$", text, flags=re.MULTILINE)


def commands(path):
    """Lines of fenced blocks without their comments."""
    blocks = FENCE.findall(path.read_text(encoding="utf-8"))
    lines = (line.partition(" #")[0].rstrip() for block in blocks for line in block.splitlines())
    return [line for line in lines if line]


def words(path):
    """What stands in backticks, outside fenced blocks."""
    return re.findall(r"`([^`]+)`", FENCE.sub("", path.read_text(encoding="utf-8")))


def links(path):
    return re.findall(r"\]\(([^)]+)\)", "".join(sections(path)))


def exit_codes(path):
    return re.findall(r"\b(\d+) (NOISE|FAULT|INCONCLUSIVE|NEGLIGIBLE)", path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("part", [commands, words, links, exit_codes])
def test_both_have_the_same_in_the_same_order(part):
    english, chinese = part(ENGLISH), part(CHINESE)
    assert english
    assert chinese == english


def test_every_section_has_the_same_numbers():
    english, chinese = sections(ENGLISH), sections(CHINESE)
    assert len(chinese) == len(english)
    for one, other in zip(english, chinese, strict=True):
        assert Counter(NUMBER.findall(other)) == Counter(NUMBER.findall(one)), one[:80]


def test_each_links_to_the_other():
    assert "(README.zh-CN.md)" in ENGLISH.read_text(encoding="utf-8").splitlines()[0]
    assert "(README.md)" in CHINESE.read_text(encoding="utf-8").splitlines()[0]
