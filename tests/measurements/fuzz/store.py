"""Cases of a replicate's file in the store: the replicate that was written, or none; never another one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from analyzer.domain.replicate import EpochRecord, Outcome, Replicate
from analyzer.domain.within import Within
from analyzer.replicates.store import Store, document_of
from tests.measurements.fuzz.case import ERROR, Case, Target, cut, flipped

Mutated = tuple[bytes, tuple[Any, ...]]
SEED = 7


def _replicate(random: Random) -> Replicate:
    outcome = random.choice(list(Outcome))

    def numbers():
        return random.choice((random.uniform(0, 3), float("nan"), float("inf"), -0.0, 1e-300, 5e-324, 1.0))

    rows = [{f"val/{i}": numbers() for i in range(random.randint(0, 6))} for _ in range(random.randint(0, 3))]
    inside = random.choice((None, {3: rows[0], 9: rows[-1]})) if rows else None
    within = None if inside is None else Within(9, inside)
    epochs = tuple(EpochRecord(i + 1, row, row, random.uniform(0, 99), within) for i, row in enumerate(rows))
    return Replicate("healthy", SEED, outcome, epochs, random.choice(("", 'größe\n"quoted"')), ({"model": "ab"},))


def read(path: Path) -> Any:
    """The reading of the code under test: put in place as that seed's file, then asked for by both ways."""
    store = Store(path.parent, "study")
    file = store.file_of("healthy", SEED)
    file.parent.mkdir(parents=True, exist_ok=True)
    path.replace(file)
    found = store.get("healthy", SEED)
    listed = store.all("healthy")
    if found is None:
        damaged = file.with_suffix(".damaged")
        if listed or file.exists() == damaged.exists():
            return f"not set aside: {listed}"
        damaged.unlink(missing_ok=True)
        return ERROR
    return repr(found) if listed == (found,) or repr(listed) == repr((found,)) else f"listed otherwise: {listed}"


def _sound(random: Random, raw: bytes, replicate: Replicate) -> Mutated:
    return raw, (repr(replicate),)


def _cut_off(random: Random, raw: bytes, replicate: Replicate) -> Mutated:
    return cut(random, raw), (ERROR,)


def _bytes_flipped(random: Random, raw: bytes, replicate: Replicate) -> Mutated:
    return flipped(random, raw), (repr(replicate), ERROR)


def _a_piece_doubled(random: Random, raw: bytes, replicate: Replicate) -> Mutated:
    a, b = sorted(random.sample(range(len(raw)), 2))
    return raw[:b] + raw[a:], (repr(replicate), ERROR)


def _a_piece_lost(random: Random, raw: bytes, replicate: Replicate) -> Mutated:
    a, b = sorted(random.sample(range(len(raw)), 2))
    return raw[:a] + raw[b:], (repr(replicate), ERROR)


def _zeros(random: Random, raw: bytes, replicate: Replicate) -> Mutated:
    """What some file systems leave of a file after a power cut."""
    at = random.randrange(len(raw))
    return raw[:at] + b"\0" * (len(raw) - at), (ERROR,)


def _number_edited(random: Random, raw: bytes, replicate: Replicate) -> Mutated:
    """A number changed by hand, the checksum left as it was."""
    document = json.loads(raw)
    document["replicate"]["seed"] += random.randint(1, 9)
    if document["replicate"]["epochs"] and random.random() < 0.7:
        document["replicate"]["seed"] = SEED
        document["replicate"]["epochs"][0]["seconds"] += 1
    return json.dumps(document).encode(), (ERROR,)


def _laid_out_anew(random: Random, raw: bytes, replicate: Replicate) -> Mutated:
    """An editor that only indents or sorts changes nothing."""
    document = json.loads(raw)
    return json.dumps(document, indent=random.choice((None, 4)), sort_keys=True).encode(), (repr(replicate),)


def _field_lost(random: Random, raw: bytes, replicate: Replicate) -> Mutated:
    document = json.loads(raw)
    place = random.choice((document, document["replicate"]))
    del place[random.choice(list(place))]
    return json.dumps(document).encode(), (ERROR,)


def _another_shape(random: Random, raw: bytes, replicate: Replicate) -> Mutated:
    document = json.loads(raw)
    place = random.choice((document, document["replicate"]))
    other = random.choice((None, [], {}, "x", 5, [[1]], {"a": 1}))
    name = random.choice(list(place))
    same = place[name] == other
    place[name] = other
    whole = random.choice((document, [document], other)) if random.random() < 0.3 else document
    return json.dumps(whole).encode(), (repr(replicate), ERROR) if same else (ERROR,)


def _of_another(random: Random, raw: bytes, replicate: Replicate) -> Mutated:
    """The sound file of another study, or a schema that is not known."""
    document = json.loads(raw)
    document[random.choice(("study", "schema"))] = random.choice(("other", 0, 2, "1"))
    return json.dumps(document).encode(), (ERROR,)


MUTATIONS: tuple[Callable[[Random, bytes, Replicate], Mutated], ...] = (
    _sound, _cut_off, _bytes_flipped, _a_piece_doubled, _a_piece_lost, _zeros, _number_edited, _laid_out_anew,
    _field_lost, _another_shape, _of_another,
)  # fmt: skip


def draw(random: Random) -> Case:
    """One case."""
    replicate = _replicate(random)
    mutate = random.choice(MUTATIONS)
    data, right = mutate(random, document_of(replicate, "study"), replicate)
    return Case(mutate.__name__[1:].replace("_", " "), data, right)


TARGET = Target("store file", draw, read)
