# SPDX-License-Identifier: Apache-2.0
"""Clean topics of a made-up stream with everything in them: several partitions, two model versions, poison, a zero."""

from __future__ import annotations

import copy
import json
import random
from dataclasses import dataclass

from checks import Case, Facts, Names, murmur2
from figures import recompute
from records import Position, Record

COLUMNS = {"rooms": "rooms", "age": "age", "actual_price": "target"}
NAMES = Names("id", "actual_price", "actual_price", "predicted_price", "error", "error_percentage", True, COLUMNS)
PARTITIONS = 3
ROWS = 60


@dataclass
class World:
    """Topics and what the engine says about them."""

    case: Case
    shards: dict

    def copy(self) -> World:
        return copy.deepcopy(self)


def compact(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def partition_of(key: bytes) -> int:
    return (murmur2(key) & 0x7FFFFFFF) % PARTITIONS


def make_world(seed: int) -> World:
    rng = random.Random(seed)
    rows = [{"rooms": repr(rng.uniform(1, 9)), "age": repr(float(rng.randrange(50))), "target": repr(rng.uniform(0.2, 5))}
            for _ in range(ROWS)]
    for row in rng.sample(rows, 3):
        row["target"] = "0.0"
    records = [(str(i).encode(), compact({"id": i, **{f: float(row[c]) for f, c in COLUMNS.items()}}))
               for i, row in enumerate(rows)]
    for n in range(4):
        poison = rng.choice([b'{"id":', b"", b"\xff\xfe", b'{"id":7,"rooms":NaN}', b"[1,2]"])
        records.insert(rng.randrange(len(records)), (f"poison-{n}".encode(), poison))
    inputs, ends = [], [0] * PARTITIONS
    for key, value in records:
        p = partition_of(key)
        inputs.append(Record(Position("in", p, ends[p]), key, value))
        ends[p] += 1
    condemned = set(rng.sample(range(ROWS), 3))
    predictions = {i: rng.uniform(0, 5) for i in range(ROWS) if i not in condemned}
    case = Case(NAMES, inputs, [], [], ROWS, 4, 4 + len(condemned), False, PARTITIONS, rows, predictions)
    _score(case, condemned, rng)
    return World(case, describe(case))


def _score(case: Case, condemned: set[int], rng: random.Random) -> None:
    changes = [rng.randrange(5, 10) for _ in range(PARTITIONS)]
    ends, dead_ends = [0] * PARTITIONS, [0] * PARTITIONS
    for record in case.inputs:
        p, version = record.at.partition, "2" if record.at.offset >= changes[record.at.partition] else "1"
        body = json.loads(record.value) if record.key.isdigit() else None
        if body is None or body["id"] in condemned:
            headers = {"cause": "field rooms: missing", "attempts": "2", "model": "m", "version": version,
                       "input": str(record.at)}
            case.dead_letters.append(Record(Position("in.dead-letters", p, dead_ends[p]), record.key, record.value, headers))
            dead_ends[p] += 1
            continue
        actual, predicted = body["actual_price"], case.predictions[body["id"]]
        error = predicted - actual
        value = {"id": body["id"], "actual_price": actual, "predicted_price": predicted, "error": error,
                 "error_percentage": error / actual * 100 if actual else None}
        headers = {"model": "m", "version": version, "generation": str(int(version) + 4), "input": str(record.at)}
        case.outputs.append(Record(Position("out", p, ends[p]), record.key, compact(value), headers))
        ends[p] += 1


def describe(case: Case) -> dict:
    """What `-o json` would say."""
    found = recompute(case, Facts(case))
    partitions = [{"partition": p, "committed": f.next, "metrics": {**vars(f), "mae": f.mae, "rmse": f.rmse}}
                  for p, f in sorted(found.items())]
    total = type(found[0])()
    for p in sorted(found):
        total.merge(found[p])
    return {"records": total.records, "dead_letters": total.dead_letters, "mae": total.mae, "rmse": total.rmse,
            "shards": [{"shard": 0, "partitions": partitions}]}
