# SPDX-License-Identifier: Apache-2.0
"""Ways to break clean topics, each with the checks that are meant to catch it."""

from __future__ import annotations

import json
import math
import random
from typing import Callable

from records import Position, Record, parse_object, parse_position
from synthetic import PARTITIONS, World, compact, describe

# -- tools of the mutations ----------------------------------------------------


def edit(record: Record, **fields: object) -> None:
    record.value = compact({**json.loads(record.value), **fields})


def body(record: Record) -> dict:
    return json.loads(record.value)


def renumber(records: list[Record]) -> None:
    ends: dict[tuple, int] = {}
    for record in records:
        where = (record.at.topic, record.at.partition)
        record.at = Position(*where, ends.get(where, 0))
        ends[where] = record.at.offset + 1


def append_again(records: list[Record], record: Record) -> None:
    last = max(r.at.offset for r in records if r.at.partition == record.at.partition)
    records.append(Record(record.at._replace(offset=last + 1), record.key, record.value, dict(record.headers)))


def flip(value: bytes, rng: random.Random) -> bytes:
    """One bit flipped so that the meaning changes (`e` and `E` of an exponent mean the same)."""
    while True:
        at, bit = rng.randrange(len(value)), 1 << rng.randrange(8)
        found = value[:at] + bytes([value[at] ^ bit]) + value[at + 1:]
        if repr(parse_object(found)) != repr(parse_object(value)) or parse_object(value) is None:
            return found


def neighbours(records: list[Record], rng: random.Random) -> tuple[int, int]:
    """Indices of two records, one after the other in the same partition."""
    first = rng.choice([r for r in records if any(o.at == r.at._replace(offset=r.at.offset + 1) for o in records)])
    second = next(o for o in records if o.at == first.at._replace(offset=first.at.offset + 1))
    return records.index(first), records.index(second)


def swap(records: list[Record], a: int, b: int) -> None:
    """Contents change places, positions stay."""
    records[a].at, records[b].at = records[b].at, records[a].at
    records[a], records[b] = records[b], records[a]


MUTATIONS: dict[str, tuple[Callable[[World, random.Random], None], tuple[str, ...]]] = {}


def mutation(*caught_by: str) -> Callable:
    """Registers a mutation; at least one of these checks must fail for it."""

    def register(function: Callable) -> Callable:
        MUTATIONS[function.__name__] = (function, caught_by)
        return function
    return register


# -- lost, doubled, torn -------------------------------------------------------


@mutation("no input is lost", "counts equal a recount")
def output_dropped(w: World, rng: random.Random) -> None:
    w.case.outputs.remove(rng.choice(w.case.outputs))


@mutation("no input is lost", "as many dead letters as expected")
def dead_letter_dropped(w: World, rng: random.Random) -> None:
    w.case.dead_letters.remove(rng.choice(w.case.dead_letters))


@mutation("every row is in the input", "outputs name an input")
def input_dropped(w: World, rng: random.Random) -> None:
    scored = {parse_position(r.headers["input"]) for r in w.case.outputs}
    w.case.inputs.remove(rng.choice([r for r in w.case.inputs if r.at in scored]))


@mutation("every row is in the input once", "no input is lost")
def input_doubled(w: World, rng: random.Random) -> None:
    append_again(w.case.inputs, rng.choice([r for r in w.case.inputs if r.key.isdigit()]))


@mutation("nothing else is in the input")
def poison_doubled_in_the_input(w: World, rng: random.Random) -> None:
    append_again(w.case.inputs, rng.choice([r for r in w.case.inputs if not r.key.isdigit()]))


@mutation("no input has two outputs", "every id is in the outputs once", "outputs keep the order of the input")
def output_doubled(w: World, rng: random.Random) -> None:
    append_again(w.case.outputs, rng.choice(w.case.outputs))


@mutation("output offsets ascend", "no input has two outputs")
def output_read_twice(w: World, rng: random.Random) -> None:
    w.case.outputs.insert(at := rng.randrange(len(w.case.outputs)), w.case.outputs[at])


@mutation("every id is in the outputs once", "output id is the input's")
def id_scored_from_another_input(w: World, rng: random.Random) -> None:
    one, other = rng.sample(w.case.outputs, 2)
    one.key = other.key
    edit(one, id=body(other)["id"])


@mutation("no input has two dead letters")
def dead_letter_doubled(w: World, rng: random.Random) -> None:
    append_again(w.case.dead_letters, rng.choice(w.case.dead_letters))


@mutation("no input has an output and a dead letter")
def both_outcomes(w: World, rng: random.Random) -> None:
    record = rng.choice(w.case.outputs)
    at = parse_position(record.headers["input"])
    given = next(r for r in w.case.inputs if r.at == at)
    last = max([r.at.offset for r in w.case.dead_letters if r.at.partition == at.partition], default=-1)
    w.case.dead_letters.append(Record(Position("in.dead-letters", at.partition, last + 1), given.key, given.value,
                                      {"cause": "x", "attempts": "2", "input": str(at)}))


@mutation("no input is lost")
def commit_torn_outputs_missing(w: World, rng: random.Random) -> None:
    p = rng.randrange(PARTITIONS)
    batch = [r for r in w.case.outputs if r.at.partition == p]
    first = rng.randrange(len(batch) - 1)
    for record in batch[first:first + rng.randrange(2, 8)]:
        w.case.outputs.remove(record)
    renumber(w.case.outputs)


@mutation("no input has two outputs", "outputs keep the order of the input")
def commit_torn_offsets_missing(w: World, rng: random.Random) -> None:
    p = rng.randrange(PARTITIONS)
    batch = [r for r in w.case.outputs if r.at.partition == p]
    for record in batch[-rng.randrange(2, 8):]:
        append_again(w.case.outputs, record)


# -- order and place -----------------------------------------------------------


@mutation("outputs keep the order of the input")
def outputs_swapped(w: World, rng: random.Random) -> None:
    swap(w.case.outputs, *neighbours(w.case.outputs, rng))


@mutation("outputs keep the order of the input")
def block_of_outputs_moved_back(w: World, rng: random.Random) -> None:
    p = rng.randrange(PARTITIONS)
    batch = [r for r in w.case.outputs if r.at.partition == p]
    for record in (block := batch[2:2 + rng.randrange(1, 5)]):
        w.case.outputs.remove(record)
    w.case.outputs += block
    renumber(w.case.outputs)


@mutation("dead letters keep the order of the input")
def dead_letters_swapped(w: World, rng: random.Random) -> None:
    extra = [r for r in w.case.dead_letters if r.at.partition == w.case.dead_letters[0].at.partition]
    if len(extra) < 2:  # too few in this world: one more for a later input, put in front
        at = parse_position(extra[0].headers["input"])
        later = Record(extra[0].at, b"k", b"v", {**extra[0].headers, "input": str(at._replace(offset=at.offset + 1))})
        w.case.dead_letters.insert(0, later)
        renumber(w.case.dead_letters)
    else:
        swap(w.case.dead_letters, *(w.case.dead_letters.index(r) for r in extra[:2]))


@mutation("output offsets ascend")
def offsets_of_outputs_swapped(w: World, rng: random.Random) -> None:
    a, b = neighbours(w.case.outputs, rng)
    one, other = w.case.outputs[a], w.case.outputs[b]
    one.at, other.at = other.at, one.at


@mutation("input offsets ascend")
def offset_of_an_input_repeated(w: World, rng: random.Random) -> None:
    a, b = neighbours(w.case.inputs, rng)
    w.case.inputs[b].at = w.case.inputs[a].at


@mutation("output partition is murmur2 of the key")
def output_in_another_partition(w: World, rng: random.Random) -> None:
    record = rng.choice(w.case.outputs)
    record.at = Position("out", (record.at.partition + 1) % PARTITIONS, 1000)
    w.case.outputs.sort(key=lambda r: r.at)


@mutation("input keys keep their partition", "input partition is murmur2 of the key")
def row_repeated_in_another_partition(w: World, rng: random.Random) -> None:
    record = rng.choice([r for r in w.case.inputs if r.key.isdigit()])
    at = Position("in", (record.at.partition + 1) % PARTITIONS, 1000)
    w.case.inputs.append(Record(at, record.key, record.value))


@mutation("outputs name an input", "no input is lost")
def input_header_points_nowhere(w: World, rng: random.Random) -> None:
    rng.choice(w.case.outputs).headers["input"] = rng.choice(["", "in/0", "in/0/99999", "other/0/1", "in/x/1", "in/0/-1"])


@mutation("output id is the input's", "no input is lost")
def input_header_points_to_another(w: World, rng: random.Random) -> None:
    one, other = rng.sample(w.case.outputs, 2)
    one.headers["input"] = other.headers["input"]


@mutation("outputs come from readable inputs", "output id is the input's")
def poison_was_scored(w: World, rng: random.Random) -> None:
    dead = rng.choice([r for r in w.case.dead_letters if not r.key.isdigit()])
    w.case.dead_letters.remove(dead)
    one = rng.choice(w.case.outputs)
    append_again(w.case.outputs, one)
    w.case.outputs[-1].headers["input"] = dead.headers["input"]


# -- values --------------------------------------------------------------------


@mutation("output key is the id", "outputs are JSON objects", "output id is the input's", "actual value is the input's",
          "error is predicted - actual", "percentage is error / actual * 100", "actual and predicted are numbers")
def bit_flipped_in_an_output(w: World, rng: random.Random) -> None:
    record = rng.choice(w.case.outputs)
    record.value = flip(record.value, rng)


@mutation("input equals its CSV row", "every row is in the input", "dead letters keep the original bytes",
          "actual value is the input's")
def bit_flipped_in_an_input(w: World, rng: random.Random) -> None:
    record = rng.choice([r for r in w.case.inputs if r.value])
    record.value = flip(record.value, rng)


@mutation("dead letters keep the original bytes")
def bit_flipped_in_a_dead_letter(w: World, rng: random.Random) -> None:
    record = rng.choice([r for r in w.case.dead_letters if r.value])
    at = rng.randrange(len(record.value))
    record.value = record.value[:at] + bytes([record.value[at] ^ 1 << rng.randrange(8)]) + record.value[at + 1:]


@mutation("output key is the id", "output partition is murmur2 of the key")
def key_of_an_output_changed(w: World, rng: random.Random) -> None:
    record = rng.choice(w.case.outputs)
    record.key = rng.choice([None, b"", record.key + b"0", flip(record.key, rng)])


@mutation("input key is its id", "input partition is murmur2 of the key", "dead letters keep the key")
def key_of_an_input_changed(w: World, rng: random.Random) -> None:
    record = rng.choice([r for r in w.case.inputs if r.key.isdigit()])
    record.key += b"0"


@mutation("input equals its CSV row")
def two_rows_exchanged(w: World, rng: random.Random) -> None:
    one, other = rng.sample([r for r in w.case.inputs if r.key.isdigit()], 2)
    ids = body(one)["id"], body(other)["id"]
    one.value, other.value = other.value, one.value
    edit(one, id=ids[0])
    edit(other, id=ids[1])


@mutation("input equals its CSV row")
def input_has_a_field_more(w: World, rng: random.Random) -> None:
    edit(rng.choice([r for r in w.case.inputs if r.key.isdigit()]), extra=1)


@mutation("output id is the input's", "actual value is the input's")
def values_of_two_outputs_exchanged(w: World, rng: random.Random) -> None:
    one, other = rng.sample(w.case.outputs, 2)
    one.value, other.value = other.value, one.value


@mutation("actual value is the input's")
def actual_and_all_after_it_off_by_one_ulp(w: World, rng: random.Random) -> None:
    record = rng.choice([r for r in w.case.outputs if body(r)["actual_price"]])
    found = body(record)
    actual = math.nextafter(found["actual_price"], math.inf)
    error = found["predicted_price"] - actual
    edit(record, actual_price=actual, error=error, error_percentage=error / actual * 100)


@mutation("predictions equal the given ones")
def prediction_and_all_after_it_off_by_one_ulp(w: World, rng: random.Random) -> None:
    record = rng.choice(w.case.outputs)
    found = body(record)
    predicted, actual = math.nextafter(found["predicted_price"], math.inf), found["actual_price"]
    error = predicted - actual
    edit(record, predicted_price=predicted, error=error, error_percentage=error / actual * 100 if actual else None)
    w.shards = describe(w.case)


@mutation("error is predicted - actual")
def error_off_by_one_ulp(w: World, rng: random.Random) -> None:
    record = rng.choice(w.case.outputs)
    edit(record, error=math.nextafter(body(record)["error"], math.inf))


@mutation("error is predicted - actual")
def error_has_the_wrong_sign(w: World, rng: random.Random) -> None:
    record = rng.choice(w.case.outputs)
    edit(record, error=-body(record)["error"])


@mutation("percentage is error / actual * 100")
def percentage_is_wrong(w: World, rng: random.Random) -> None:
    record = rng.choice([r for r in w.case.outputs if body(r)["actual_price"]])
    right = body(record)["error_percentage"]
    edit(record, error_percentage=rng.choice([right / 100, abs(right) + 1, math.nextafter(right, math.inf), None, "x"]))


@mutation("percentage is error / actual * 100")
def percentage_of_zero_is_not_null(w: World, rng: random.Random) -> None:
    edit(rng.choice([r for r in w.case.outputs if not body(r)["actual_price"]]), error_percentage=rng.choice([0, 100.0]))


@mutation("percentage is error / actual * 100", "error is predicted - actual", "actual and predicted are numbers")
def field_of_an_output_missing(w: World, rng: random.Random) -> None:
    record = rng.choice(w.case.outputs)
    found = body(record)
    del found[rng.choice(["predicted_price", "error", "error_percentage"])]
    record.value = compact(found)


@mutation("actual and predicted are numbers", "outputs are JSON objects")
def prediction_is_no_number(w: World, rng: random.Random) -> None:
    edit(rng.choice(w.case.outputs), predicted_price=rng.choice([None, "1.0", math.nan, math.inf, True, [1]]))


@mutation("outputs are JSON objects")
def output_is_cut(w: World, rng: random.Random) -> None:
    record = rng.choice(w.case.outputs)
    record.value = rng.choice([None, b"", record.value[:rng.randrange(len(record.value))], record.value * 2])


# -- models and dead letters ---------------------------------------------------


@mutation("outputs name model, version and generation")
def model_header_missing(w: World, rng: random.Random) -> None:
    record, name = rng.choice(w.case.outputs), rng.choice(["model", "version", "generation"])
    if name != "model" and rng.random() < 0.5:
        record.headers[name] = rng.choice(["", "0", "-1", "x", "1.5"])
    else:
        del record.headers[name]


@mutation("model version never falls", "generation never falls")
def stale_model_after_the_new_one(w: World, rng: random.Random) -> None:
    p = rng.randrange(PARTITIONS)
    record = rng.choice([r for r in w.case.outputs if r.at.partition == p and r.headers["version"] == "2"][1:])
    record.headers.update(version="1", generation="5")


@mutation("model version never falls", "a generation is one model version")
def stale_version_under_the_new_generation(w: World, rng: random.Random) -> None:
    p = rng.randrange(PARTITIONS)
    rng.choice([r for r in w.case.outputs if r.at.partition == p and r.headers["version"] == "2"][1:]).headers["version"] = "1"


@mutation("a generation is one model version")
def generation_means_another_model_elsewhere(w: World, rng: random.Random) -> None:
    for record in w.case.outputs:
        if record.at.partition == 0:
            record.headers["model"] = "other"


@mutation("dead letters have a cause")
def dead_letter_without_cause(w: World, rng: random.Random) -> None:
    headers = rng.choice(w.case.dead_letters).headers
    headers["cause"] = rng.choice(["", " "])
    if rng.random() < 0.5:
        del headers["cause"]


@mutation("dead letters count their attempts")
def dead_letter_without_attempts(w: World, rng: random.Random) -> None:
    rng.choice(w.case.dead_letters).headers["attempts"] = rng.choice(["", "0", "many"])


@mutation("dead letters keep the key")
def dead_letter_with_another_key(w: World, rng: random.Random) -> None:
    rng.choice(w.case.dead_letters).key = rng.choice([None, b"another"])


@mutation("dead letters keep the original bytes")
def dead_letter_cut_without_saying_so(w: World, rng: random.Random) -> None:
    record = rng.choice([r for r in w.case.dead_letters if r.value])
    record.value = record.value[:-1]


@mutation("dead letters keep the original bytes")
def dead_letter_cut_with_a_wrong_digest(w: World, rng: random.Random) -> None:
    record = rng.choice([r for r in w.case.dead_letters if r.value])
    record.headers.update(length=str(len(record.value)), sha256="0" * 64)
    record.value = record.value[:-1]


@mutation("dead letters name an input")
def dead_letter_of_nothing(w: World, rng: random.Random) -> None:
    rng.choice(w.case.dead_letters).headers["input"] = rng.choice(["", "in/7/0", "in", "out/0/0"])


@mutation("dead-letter offsets ascend")
def dead_letter_offset_falls(w: World, rng: random.Random) -> None:
    record = rng.choice(w.case.dead_letters)
    w.case.dead_letters.append(Record(record.at, record.key, record.value, record.headers))


# -- figures -------------------------------------------------------------------


def one_claim(w: World, rng: random.Random) -> dict:
    return rng.choice(w.shards["shards"][0]["partitions"])


@mutation("counts equal a recount")
def a_count_is_off_by_one(w: World, rng: random.Random) -> None:
    claim = rng.choice([w.shards, one_claim(w, rng)["metrics"]])
    claim[rng.choice(["records", "dead_letters"])] += rng.choice([-1, 1])


@mutation("sums equal a recomputation")
def a_sum_is_off_by_one_ulp(w: World, rng: random.Random) -> None:
    claim, name = one_claim(w, rng)["metrics"], rng.choice(["sum_absolute_error", "sum_squared_error", "mae", "rmse"])
    claim[name] = math.nextafter(claim[name], rng.choice([-math.inf, math.inf]))


@mutation("sums equal a recomputation")
def a_record_counted_twice_in_the_sums(w: World, rng: random.Random) -> None:
    claim = one_claim(w, rng)["metrics"]
    claim["sum_absolute_error"] += claim["mae"]


@mutation("committed offset is behind the last outcome")
def committed_offset_runs_ahead_or_behind(w: World, rng: random.Random) -> None:
    one_claim(w, rng)["committed"] += rng.choice([-1, 1])


@mutation("figures cover every partition")
def figures_of_a_partition_missing(w: World, rng: random.Random) -> None:
    w.shards["shards"][0]["partitions"].pop(rng.randrange(PARTITIONS))


@mutation("figures are of input partitions")
def figures_of_an_unknown_partition(w: World, rng: random.Random) -> None:
    w.shards["shards"][0]["partitions"].append({"partition": 9, "metrics": {"records": 0}})
