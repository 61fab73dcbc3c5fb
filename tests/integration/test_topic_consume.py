# SPDX-License-Identifier: Apache-2.0
"""`penstock topic list|consume` on a directory that no process holds."""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path

import pytest

from running import BUILD, PENSTOCK, environment, penstock, snapshot

RECORDS = [(b"a", b'{"x": 1}'), (b"b", b"line\nbreak\ttab \"quoted\" \\"), (b"c", b""), (b"d", "größer ☃ 🏠".encode()),
           (b"\xff\x00", b"\xfe\xff\x00binary"), (b"e", b"\xe2\x80\xa8 line separator"), (b"", b"no key")]


@pytest.fixture
def log(place: Path) -> Path:
    """A log with a topic of odd records."""
    lines = "".join(f"{k.hex()},{v.hex()}\n" for k, v in RECORDS).encode()
    subprocess.run([BUILD / "bin" / "produce_raw", f"rocksdb:{place}/log", "odd", "2"], input=lines, check=True,
                   capture_output=True, timeout=60)
    return place / "log"


def consume(log: Path, *options: object) -> list[dict]:
    done = penstock("topic", "consume", "odd", "--log", f"rocksdb:{log}", "-o", "jsonl", *options)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.decode(errors="surrogateescape").split("\n") if line]


def bytes_of(record: dict, name: str) -> bytes:
    if f"{name}_base64" in record:
        return base64.b64decode(record[f"{name}_base64"])
    return record[name].encode("utf-8", "surrogateescape")


def test_every_record_comes_out_with_its_bytes_and_its_place(log: Path) -> None:
    found = consume(log)
    assert sorted((bytes_of(r, "key"), bytes_of(r, "value")) for r in found) == sorted(RECORDS)
    assert {r["topic"] for r in found} == {"odd"} and {r["partition"] for r in found} <= {0, 1}
    for partition in (0, 1):
        offsets = [r["offset"] for r in found if r["partition"] == partition]
        assert offsets == list(range(len(offsets)))
    assert all(isinstance(r["timestamp"], int) and r["headers"] == {} for r in found)


def test_reading_changes_nothing(log: Path, place: Path) -> None:
    before = snapshot(place)
    consume(log)
    assert penstock("topic", "list", "--log", f"rocksdb:{log}").returncode == 0
    assert snapshot(place) == before


def test_topics_are_listed_with_their_partitions(log: Path) -> None:
    done = penstock("topic", "list", "--log", f"rocksdb:{log}", "-o", "json")
    found = json.loads(done.stdout)
    topic, = (t for t in (found["items"] if isinstance(found, dict) else found) if t["name"] == "odd")
    assert topic["partitions"] == 2 or len(topic["partitions"]) == 2


def test_an_unknown_topic_is_not_found_with_the_nearest_one(log: Path, place: Path) -> None:
    before = snapshot(place)
    done = penstock("topic", "consume", "odt", "--log", f"rocksdb:{log}")
    assert done.returncode == 3 and "odt" in done.stderr.decode() and "odd" in done.stderr.decode()
    assert snapshot(place) == before


def test_a_log_that_is_not_there_is_not_found_and_not_made(place: Path) -> None:
    done = penstock("topic", "consume", "odd", "--log", f"rocksdb:{place}/nowhere")
    assert done.returncode == 3 and "nowhere" in done.stderr.decode()
    assert not (place / "nowhere").exists()


def test_a_reader_that_goes_away_ends_it_quietly(log: Path) -> None:
    done = subprocess.run(["sh", "-c", f"'{PENSTOCK}' topic consume odd --log rocksdb:{log} -o jsonl | head -1"],
                          capture_output=True, timeout=60, env=environment(), check=False)
    assert done.stdout.count(b"\n") == 1 and b"terminate" not in done.stderr
