# SPDX-License-Identifier: Apache-2.0
"""What a stream promises about its topics, one function per promise. Positions identify records, ids identify rows."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from records import Position, Record, Report, number, parse_object, parse_position


@dataclass
class Names:
    """What the fields are called. Empty: the application has no such field, and nothing about it is checked."""

    id: str = "id"
    input_actual: str = ""
    actual: str = ""
    predicted: str = ""
    error: str = ""
    percentage: str = ""
    keyed_by_id: bool = True
    columns: dict[str, str] = field(default_factory=dict)  # field of the input record: column of the CSV


@dataclass
class Case:
    """Everything that is looked at in one verification."""

    names: Names
    inputs: list[Record]
    outputs: list[Record]
    dead_letters: list[Record]
    expected: int | None = None  # ids 0 … expected − 1 are in the input, each once
    foreign: int | None = None  # inputs beside those, poison for example
    condemned: int | None = None  # dead letters
    partial: bool = False  # the stream is in the middle of its work
    partitions: int | None = None  # of the input topic
    rows: list[dict[str, str]] | None = None  # of the source, by id
    predictions: dict[int, float] | None = None


class Facts:
    """What the checks share: inputs by position, outcomes by input position."""

    def __init__(self, case: Case) -> None:
        self.bodies = {r.at: parse_object(r.value) for r in case.inputs}
        self.inputs = {r.at: r for r in case.inputs}
        self.ids = {at: _id_of(body, case.names.id) for at, body in self.bodies.items()}
        self.outputs = [(r, parse_object(r.value), _input_of(r)) for r in case.outputs]
        self.dead_letters = [(r, _input_of(r)) for r in case.dead_letters]
        self.outcomes = Counter(at for _, _, at in self.outputs if at)
        self.outcomes.update(at for _, at in self.dead_letters if at)

    def by_input(self) -> dict[int, list[tuple[Position, Record, dict]]]:
        """Outputs of each input partition in the order of its offsets."""
        found = defaultdict(list)
        for record, body, at in self.outputs:
            if at and body is not None:
                found[at.partition].append((at, record, body))
        for outputs in found.values():
            outputs.sort(key=lambda o: o[0].offset)
        return found

    def label(self, at: Position) -> str:
        known = self.ids.get(at)
        return f"{at}" if known is None else f"id {known} at {at}"


def _id_of(body: dict | None, name: str) -> int | None:
    found = body.get(name) if body else None
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def _input_of(record: Record) -> Position | None:
    return parse_position(record.headers.get("input", ""))


def check_all(case: Case) -> Report:
    report, facts = Report(), Facts(case)
    for check in (offsets_ascend, inputs_complete, partition_by_key, source_rows, outcome_once, outcome_of_its_input,
                  order_kept, arithmetic, models_named, dead_letters_whole, predictions_hold):
        check(case, facts, report)
    return report


def offsets_ascend(case: Case, facts: Facts, report: Report) -> None:
    """Reading a partition gives each offset once, ascending."""
    for kind, records in (("input", case.inputs), ("output", case.outputs), ("dead-letter", case.dead_letters)):
        last: dict[tuple[str, int], int] = {}
        for record in records:
            where = (record.at.topic, record.at.partition)
            report.expect(record.at.offset > last.get(where, -1), f"{kind} offsets ascend", f"{record.at}")
            last[where] = record.at.offset


def inputs_complete(case: Case, facts: Facts, report: Report) -> None:
    """The source wrote every row once, and nothing else is in the topic but what the caller knows of."""
    if case.expected is None:
        return
    seen = Counter(i for i in facts.ids.values() if i is not None and 0 <= i < case.expected)
    if not case.partial:
        for i in range(case.expected):
            report.expect(seen[i] > 0, "every row is in the input", f"id {i} is missing")
    for i, times in seen.items():
        report.expect(times == 1, "every row is in the input once", f"id {i} is there {times} times")
    if case.foreign is not None:
        others = len(case.inputs) - sum(seen.values())
        report.expect(others == case.foreign, "nothing else is in the input", f"{others} other records, {case.foreign} known")


def murmur2(data: bytes) -> int:
    """Austin Appleby's MurmurHash2 with the seed of Kafka's default partitioner."""
    mask, m = 0xFFFFFFFF, 0x5BD1E995
    h = 0x9747B28C ^ len(data)
    whole = len(data) & ~3
    for i in range(0, whole, 4):
        k = int.from_bytes(data[i:i + 4], "little") * m & mask
        k = (k ^ (k >> 24)) * m & mask
        h = (h * m & mask) ^ k
    if whole < len(data):
        h = (h ^ int.from_bytes(data[whole:], "little")) * m & mask
    h = (h ^ (h >> 13)) * m & mask
    return h ^ (h >> 15)


def partition_by_key(case: Case, facts: Facts, report: Report) -> None:
    """A key always goes to the same partition; with a known number of partitions to the one Kafka would choose."""
    for kind, records in (("input", case.inputs), ("output", case.outputs)):
        homes: dict[bytes, int] = {}
        for r in records:
            if r.key is None:
                continue
            home = homes.setdefault(r.key, r.at.partition)
            report.expect(home == r.at.partition, f"{kind} keys keep their partition", f"{r.key!r} in {home}, {r.at}")
            if case.partitions and _is_row(case, facts, kind, r):
                wanted = (murmur2(r.key) & 0x7FFFFFFF) % case.partitions
                report.expect(wanted == r.at.partition, f"{kind} partition is murmur2 of the key", f"{r.key!r} at {r.at}")


def _is_row(case: Case, facts: Facts, kind: str, record: Record) -> bool:
    found = facts.ids.get(record.at) if kind == "input" else _id_of(parse_object(record.value), case.names.id)
    return found is not None and record.key == str(found).encode() and (case.expected is None or found < case.expected)


def source_rows(case: Case, facts: Facts, report: Report) -> None:
    """Input records carry the values of the CSV row that their id stands for, bit for bit."""
    if case.rows is None:
        return
    for at, i in facts.ids.items():
        if i is None or not 0 <= i < len(case.rows) or (case.expected is not None and i >= case.expected):
            continue
        body, row = facts.bodies[at], case.rows[i]
        wrong = [f for f, column in case.names.columns.items() if not _same(body.get(f), row.get(column))]
        wrong += sorted(set(body) - set(case.names.columns) - {case.names.id})
        report.expect(not wrong, "input equals its CSV row", f"{facts.label(at)}: {', '.join(wrong)}")
        if case.names.keyed_by_id:
            report.expect(facts.inputs[at].key == str(i).encode(), "input key is its id", facts.label(at))


def _same(value: object, text: str | None) -> bool:
    if text is None or text == "":
        return value is None
    found = number(value)
    try:
        return found is not None and found == float(text)
    except ValueError:
        return value == text


def outcome_once(case: Case, facts: Facts, report: Report) -> None:
    """Outputs ∪ dead letters = inputs, disjoint, nothing twice; for a partial stream up to some offset per partition."""
    scored = Counter(at for _, _, at in facts.outputs if at)
    condemned = Counter(at for _, at in facts.dead_letters if at)
    for at in facts.inputs:
        label = facts.label(at)
        report.expect(scored[at] <= 1, "no input has two outputs", f"{label} has {scored[at]}")
        report.expect(condemned[at] <= 1, "no input has two dead letters", f"{label} has {condemned[at]}")
        report.expect(not (scored[at] and condemned[at]), "no input has an output and a dead letter", label)
        if not case.partial:
            report.expect(facts.outcomes[at] > 0, "no input is lost", label)
    if case.partial:
        _outcomes_are_a_prefix(facts, report)
    ids = Counter(i for i in (_id_of(body, case.names.id) for _, body, _ in facts.outputs) if i is not None)
    for i, times in ids.items():
        report.expect(times == 1, "every id is in the outputs once", f"id {i} is there {times} times")
    if case.condemned is not None:
        n = len(case.dead_letters)
        report.expect(n == case.condemned, "as many dead letters as expected", f"{n} instead of {case.condemned}")


def _outcomes_are_a_prefix(facts: Facts, report: Report) -> None:
    missing: dict[tuple[str, int], Position] = {}
    for at in sorted(facts.inputs):
        where = (at.topic, at.partition)
        if not facts.outcomes[at]:
            missing.setdefault(where, at)
        elif where in missing:
            report.broken("outcomes are a prefix of the input", f"{facts.label(missing[where])} is skipped, {at} is not")
        report.look("outcomes are a prefix of the input")


def outcome_of_its_input(case: Case, facts: Facts, report: Report) -> None:
    """An output names the input that it belongs to, and carries that input's id, key and actual value."""
    names = case.names
    for record, body, at in facts.outputs:
        here = f"output {record.at}"
        if not report.expect(at is not None and at in facts.inputs, "outputs name an input",
                             f"{here}: header input is {record.headers.get('input')!r}"):
            continue
        given = facts.bodies[at]
        if not report.expect(body is not None, "outputs are JSON objects", here):
            continue
        if not report.expect(given is not None, "outputs come from readable inputs", f"{here} of {at}"):
            continue
        wanted = facts.ids[at]
        report.expect(wanted is not None and _id_of(body, names.id) == wanted, "output id is the input's",
                      f"{here}: {body.get(names.id)!r} instead of {wanted}")
        if names.keyed_by_id:
            report.expect(record.key == str(wanted).encode(), "output key is the id", f"{here}: {record.key!r}, id {wanted}")
        if names.actual and names.input_actual:
            report.expect(number(body.get(names.actual)) == number(given.get(names.input_actual)),
                          "actual value is the input's", f"{here}, {facts.label(at)}")


def order_kept(case: Case, facts: Facts, report: Report) -> None:
    """Within an output or dead-letter partition, what comes from one input partition ascends."""
    tagged = [("outputs", r, at) for r, _, at in facts.outputs] + [("dead letters", r, at) for r, at in facts.dead_letters]
    last: dict[tuple, int] = {}
    for kind, record, at in tagged:
        if at:
            where = (kind, record.at.topic, record.at.partition, at.topic, at.partition)
            report.expect(at.offset > last.get(where, -1), f"{kind} keep the order of the input",
                          f"{record.at}: {facts.label(at)} after offset {last.get(where)}")
            last[where] = max(at.offset, last.get(where, -1))


def arithmetic(case: Case, facts: Facts, report: Report) -> None:
    """error = predicted − actual, percentage = error ÷ actual × 100 (null when actual is 0), exactly, as IEEE doubles."""
    names = case.names
    if not (names.actual and names.predicted):
        return
    for record, body, _ in facts.outputs:
        if body is None:
            continue
        label = f"id {body.get(names.id)}, output {record.at}"
        actual, predicted = number(body.get(names.actual)), number(body.get(names.predicted))
        if not report.expect(actual is not None and predicted is not None, "actual and predicted are numbers", label):
            continue
        error = predicted - actual
        if names.error:
            report.expect(number(body.get(names.error)) == error, "error is predicted - actual", label)
        if names.percentage:
            wanted = None if actual == 0 else error / actual * 100
            found = body.get(names.percentage, "missing")
            holds = found is None if wanted is None else number(found) == wanted
            report.expect(holds, "percentage is error / actual * 100", f"{label}: {found!r} instead of {wanted!r}")


def models_named(case: Case, facts: Facts, report: Report) -> None:
    """Every output names model, version and generation; along an input partition neither falls; a generation is one model."""
    models: dict[int, tuple[str, int]] = {}
    for outputs in facts.by_input().values():
        last_version = last_generation = 0
        for at, record, _ in outputs:
            label = f"output {record.at}, {facts.label(at)}"
            model, version, generation = (record.headers.get(h, "") for h in ("model", "version", "generation"))
            whole = bool(model) and _positive(version) and _positive(generation)
            if not report.expect(whole, "outputs name model, version and generation", f"{label}: {record.headers}"):
                continue
            version, generation = int(version), int(generation)
            report.expect(version >= last_version, "model version never falls", f"{label}: {version} after {last_version}")
            report.expect(generation >= last_generation, "generation never falls",
                          f"{label}: {generation} after {last_generation}")
            known = models.setdefault(generation, (model, version))
            report.expect(known == (model, version), "a generation is one model version",
                          f"{label}: {(model, version)}, {known} elsewhere")
            last_version, last_generation = max(last_version, version), max(last_generation, generation)


def _positive(text: str) -> bool:
    return text.isascii() and text.isdigit() and int(text) > 0


def dead_letters_whole(case: Case, facts: Facts, report: Report) -> None:
    """A dead letter names its input, says why, and holds the original key and bytes."""
    for record, at in facts.dead_letters:
        here = f"dead letter {record.at}"
        report.expect(bool(record.headers.get("cause", "").strip()), "dead letters have a cause", here)
        report.expect(_positive(record.headers.get("attempts", "")), "dead letters count their attempts",
                      f"{here}: {record.headers.get('attempts')!r}")
        if not report.expect(at is not None and at in facts.inputs, "dead letters name an input",
                             f"{here}: header input is {record.headers.get('input')!r}"):
            continue
        original = facts.inputs[at]
        report.expect(record.key == original.key, "dead letters keep the key", f"{here} of {facts.label(at)}")
        report.expect(_keeps_bytes(record, original.value), "dead letters keep the original bytes",
                      f"{here} of {facts.label(at)}")


def _keeps_bytes(record: Record, original: bytes | None) -> bool:
    if "length" not in record.headers and "sha256" not in record.headers:
        return record.value == original
    whole, cut = original or b"", record.value or b""
    return (record.headers.get("length") == str(len(whole)) and len(cut) < len(whole) and whole.startswith(cut)
            and record.headers.get("sha256") == hashlib.sha256(whole).hexdigest())


def predictions_hold(case: Case, facts: Facts, report: Report) -> None:
    """Predictions equal those that another tool made, bit for bit."""
    if case.predictions is None:
        return
    for record, body, _ in facts.outputs:
        i = _id_of(body, case.names.id)
        if i is not None:
            wanted = case.predictions.get(i)
            report.expect(wanted is not None and number(body.get(case.names.predicted)) == wanted,
                          "predictions equal the given ones", f"id {i}: {body.get(case.names.predicted)!r} instead of {wanted!r}")
