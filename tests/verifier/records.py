# SPDX-License-Identifier: Apache-2.0
"""A record as anybody sees it, the report, and the reading of JSON lines."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import Iterable, NamedTuple


class Unreadable(Exception):
    """What was given to the verifier cannot be read; says file and line."""


class Position(NamedTuple):
    """Where a record stands in the log."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"


@dataclass
class Record:
    """One record of a topic. `value` holds the original bytes; None is a tombstone."""

    at: Position
    key: bytes | None
    value: bytes | None
    headers: dict[str, str] = field(default_factory=dict)
    timestamp: int = 0


def parse_position(text: str) -> Position | None:
    """The position in `topic/partition/offset`, None when it is none."""
    parts = text.rsplit("/", 2)
    if len(parts) != 3 or not parts[0] or not all(p.isascii() and p.isdigit() for p in parts[1:]):
        return None
    return Position(parts[0], int(parts[1]), int(parts[2]))


def parse_object(value: bytes | None) -> dict | None:
    """A JSON object, None for anything else: NaN, Infinity, repeated names and broken UTF-8 are not JSON objects here."""

    def unique(pairs: list) -> dict:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise ValueError("repeated name")
        return found

    def refuse(name: str) -> None:
        raise ValueError(name)

    if value is None:
        return None
    try:
        found = json.loads(value.decode("utf-8"), parse_constant=refuse, object_pairs_hook=unique)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def number(value: object) -> float | None:
    """A finite number as a double; None for anything else, bool included."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if found - found == 0 else None


def _bytes_of(line: dict, name: str) -> bytes | None:
    if f"{name}_base64" in line:
        return base64.b64decode(line[f"{name}_base64"], validate=True)
    held = line[name]
    if held is None:
        return None
    if not isinstance(held, str):
        raise ValueError(f"{name} is neither text nor null")
    return held.encode("utf-8", "surrogateescape")


def read_lines(lines: Iterable[str], name: str) -> list[Record]:
    """Records of JSON lines `{topic, partition, offset, timestamp, key, value, headers}`, in the order of the lines. Bytes
    that are no text come as `key_base64`, `value_base64`."""
    records = []
    for n, text in enumerate(lines, 1):
        if not text.strip():
            continue
        try:
            line = json.loads(text)
            at = Position(line["topic"], int(line["partition"]), int(line["offset"]))
            headers = {k: str(v) for k, v in line.get("headers", {}).items()}
            records.append(Record(at, _bytes_of(line, "key"), _bytes_of(line, "value"), headers, line.get("timestamp", 0)))
        except (ValueError, KeyError, TypeError, AttributeError) as why:
            raise Unreadable(f"{name}:{n}: not a record ({type(why).__name__}: {why})") from why
    return records


@dataclass
class Check:
    """One promise: how often it was looked at, and where it is broken."""

    name: str
    examined: int = 0
    broken: int = 0
    examples: list[str] = field(default_factory=list)


class Report:
    """All promises that were checked. A promise that was never looked at is not listed: it proves nothing."""

    KEPT_EXAMPLES = 5

    def __init__(self) -> None:
        self.checks: dict[str, Check] = {}

    def look(self, name: str, times: int = 1) -> None:
        self.checks.setdefault(name, Check(name)).examined += times

    def broken(self, name: str, example: str) -> None:
        check = self.checks.setdefault(name, Check(name))
        check.broken += 1
        if len(check.examples) < self.KEPT_EXAMPLES:
            check.examples.append(example)

    def expect(self, holds: bool, name: str, example: str) -> bool:
        self.look(name)
        if not holds:
            self.broken(name, example)
        return holds

    @property
    def passed(self) -> list[Check]:
        return [c for c in self.checks.values() if not c.broken]

    @property
    def failed(self) -> list[Check]:
        return [c for c in self.checks.values() if c.broken]
