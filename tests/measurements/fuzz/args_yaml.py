"""Cases of args.yaml: the mutator edits the arguments, so it knows what is right; bytes by PyYAML's slow loader."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import yaml

from analyzer.runs.args import read_args
from tests.measurements.fuzz.case import ERROR, Case, Target, comparable, cut, flipped

Args = dict[str, Any]
Mutated = tuple[bytes, tuple[Any, ...]]

# What would run or build something with another loader than the safe one.
EVIL = (
    "!!python/object/apply:os.system ['touch HACKED']", "!!python/object/new:os.system ['touch HACKED']",
    "!!python/name:os.system", "!!python/module:os", "!!python/object:pathlib.Path {}", "!!python/tuple [1, 2]",
    "!!python/object/apply:subprocess.Popen [[touch, HACKED]]", "!unknown x", "!!python/bytes aGk=",
)  # fmt: skip
UNSEEN = re.compile("[^\\x09\\x0A\\x0D\\x20-\\x7E\\x85\\xA0-\\uD7FF\\uE000-\\uFFFD\\U00010000-\\U0010ffff]")


def _value(random: Random) -> Any:
    return random.choice(
        (
            lambda: random.randint(-5, 2000), lambda: random.uniform(0, 1), lambda: None, lambda: random.random() < 0.5,
            lambda: random.choice(("auto", "cpu", "", "yes", "1e-3", "null", "größe", "a: b", "#x", "'", "2024-01-01")),
            lambda: [random.randint(0, 9) for _ in range(random.randint(0, 3))], lambda: float("inf"), lambda: 1e-7,
        )
    )()  # fmt: skip


def _arguments(random: Random) -> Args:
    names = (
        "task",
        "mode",
        "epochs",
        "batch",
        "imgsz",
        "lr0",
        "seed",
        "device",
        "data",
        "cache",
        "freeze",
        "scale",
        "classes",
    )
    return {name: _value(random) for name in random.sample(names, random.randint(1, len(names)))}


def _dump(args: Args) -> str:
    return yaml.safe_dump(args, sort_keys=False, allow_unicode=True)


def read(path: Path) -> Any:
    """The reading of the code under test."""
    return comparable(read_args(path))


def _sound(random: Random, args: Args) -> Mutated:
    text = _dump(args)
    raw = random.choice((text, text.replace("\n", "\r\n"), f"# written by hand\n\n{text}", f"---\n{text}...\n"))
    return random.choice((b"", b"\xef\xbb\xbf")) + raw.encode(), (comparable(args),)


def _changed(random: Random, args: Args) -> Mutated:
    name = random.choice(list(args))
    args[name] = _value(random)
    return _dump(args).encode(), (comparable(args),)


def _evil_tag(random: Random, args: Args) -> Mutated:
    lines = _dump(args).splitlines(keepends=True)
    tops = [i for i, line in enumerate(lines) if not line.startswith((" ", "-"))]
    lines.insert(random.choice(tops), f"evil: {random.choice(EVIL)}\n")
    return "".join(lines).encode(), (ERROR,)


def _evil_key(random: Random, args: Args) -> Mutated:
    return (_dump(args) + f"? {random.choice(EVIL)}\n: 1\n").encode(), (ERROR,)


def _unseen_characters(random: Random, args: Args) -> Mutated:
    """Control characters are taken out, as Ultralytics does."""
    text = _dump(args)
    at = random.randrange(len(text))
    return (text[:at] + random.choice("\x01\x07\x1b\x7f") + text[at:]).encode(), (comparable(args),)


def _twice(random: Random, args: Args) -> Mutated:
    """The last of two equal keys counts, as for Ultralytics."""
    name = random.choice(list(args))
    later = {name: _value(random)}
    return (_dump(args) + _dump(later)).encode(), (comparable({**args, **later}),)


def _no_mapping(random: Random, args: Args) -> Mutated:
    other = random.choice((list(args), "hello", 5, None, [args]))
    return yaml.safe_dump(other).encode(), (ERROR,)


def _broken(random: Random, args: Args) -> Mutated:
    return (
        _dump(args) + random.choice(("a: [1, 2\n", "b: {\n", "c: 'x\n", "\td: 1\n", "a: b: c\n", "x\n"))
    ).encode(), (ERROR,)


def _deep(random: Random, args: Args) -> Mutated:
    opening, depth = random.choice("[{"), random.choice((200, 2000, 30_000))
    return (_dump(args) + "deep: " + opening * depth).encode(), (ERROR,)


def _bomb(random: Random, args: Args) -> Mutated:
    """Aliases that stand for 10^k values: read as shared lists, or refused; never unfolded."""
    lines = ["a0: &a0 [1, 2]"] + [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 4)]
    return ("\n".join(lines) + "\n").encode(), (comparable(yaml.safe_load("\n".join(lines))), ERROR)


def _no_text(random: Random, args: Args) -> Mutated:
    raw = _dump(args).encode()
    at = random.randrange(len(raw))
    return raw[:at] + random.choice((b"\xff", b"\x00", b"\xc3\x28")) + raw[at:], (ERROR,)


def _cut_off(random: Random, args: Args) -> Mutated:
    raw = cut(random, _dump(args).encode())
    return raw, _slow_loader(raw)


def _bytes_flipped(random: Random, args: Args) -> Mutated:
    raw = flipped(random, _dump(args).encode())
    return raw, _slow_loader(raw)


def _slow_loader(raw: bytes) -> tuple[Any, ...]:
    """PyYAML's own parser, in Python, against libyaml's; they differ on broken files, so a refusal is always right."""
    if b"\0" in raw:
        return (ERROR,)
    try:
        loaded = yaml.load(UNSEEN.sub("", raw.decode("utf-8-sig")), Loader=yaml.SafeLoader)
    except (UnicodeDecodeError, yaml.YAMLError, ValueError, TypeError):
        return (ERROR,)
    return (comparable({str(k): v for k, v in loaded.items()}), ERROR) if isinstance(loaded, dict) else (ERROR,)


MUTATIONS: tuple[Callable[[Random, Args], Mutated], ...] = (
    _sound, _changed, _evil_tag, _evil_key, _unseen_characters, _twice, _no_mapping, _broken, _deep, _bomb, _no_text,
    _cut_off, _bytes_flipped,
)  # fmt: skip


def draw(random: Random) -> Case:
    """One case."""
    mutate = random.choice(MUTATIONS)
    data, right = mutate(random, _arguments(random))
    return Case(mutate.__name__[1:].replace("_", " "), data, right)


TARGET = Target("args.yaml", draw, read)
