# SPDX-License-Identifier: Apache-2.0
"""Records that cannot be processed: each once in the dead letters with cause and original bytes, every good one scored."""

from __future__ import annotations

import csv
import json
import random
import subprocess
import time
from pathlib import Path
from typing import Callable

import pytest

from running import BUILD, DATA_SET, ROWS, assert_exactly_once, broken, consume, many, until, verify

GOOD = {"id": 900001, "MedInc": 3.0, "HouseAge": 20.0, "AveRooms": 5.0, "AveBedrms": 1.0, "Population": 900.0,
        "AveOccup": 3.0, "Latitude": 36.0, "Longitude": -120.0, "actual_price": 2.0}


def record(**changes: object) -> bytes:
    """A good record with other values; `...` takes a field away."""
    found = {k: v for k, v in {**GOOD, **changes}.items() if v is not ...}
    return json.dumps(found, separators=(",", ":")).encode()


# What arrives, and a word that the cause must hold.
POISON = {
    "unparsable": (b'{"id": 900001, "MedInc": ', ""),
    "no-json": (b"hello", ""),
    "no-object": (b"[1, 2, 3]", ""),
    "empty": (b"", ""),
    "broken-utf8": (b'{"id": 900001, "MedInc\xff\xfe": 1}', ""),
    "wrong-type": (record(MedInc="three"), "MedInc"),
    "wrong-type-of-id": (record(id=1.5), "id"),
    "missing-field": (record(AveRooms=...), "AveRooms"),
    "null": (record(Population=None), "Population"),
    "nan": (record(Latitude=float("nan")), ""),
    "infinity": (record(Longitude=float("inf")), ""),
    "overflow": (record().replace(b"36.0", b"1e999"), ""),
    "below-min": (record(HouseAge=-1.0), "HouseAge"),
    "above-max": (record(Latitude=90.5), "Latitude"),
    "mebibyte": (b'{"id": 900001, "MedInc": "' + b"x" * ((1 << 20) - 200) + b'"}', ""),
    "nested": (b"[" * 5000 + b"]" * 5000, ""),
    "zero-bytes": (b"\x00" * 64, ""),
}


def produce(data: Path, records: list[tuple[str, bytes]]) -> None:
    """Appends raw records to the input topic of a directory that no process holds."""
    (data / "log").parent.mkdir(parents=True, exist_ok=True)
    lines = "".join(f"{k.encode().hex()},{v.hex()}\n" for k, v in records).encode()
    done = subprocess.run([BUILD / "bin" / "produce_raw", f"rocksdb:{data}/log", "house-prices-input", "4"], input=lines,
                          capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr.decode()


def test_every_poison_record_lands_once_in_the_dead_letters_with_its_cause(place: Path, application: Callable,
                                                                           start: Callable) -> None:
    order = list(POISON)
    random.Random(5).shuffle(order)
    produce(place / "data", [(f"poison-{name}", POISON[name][0]) for name in order])
    n = len(order)
    run = start(application(stop_when=f"{{any: [{{records: {ROWS + n}}}]}}"), "-o", "json")
    assert run.wait() == 0, run.text()
    assert_exactly_once(run.data, foreign=n, condemned=n)
    causes = {r["key"]: r["headers"]["cause"] for r in consume(run.data, "house-prices.dead-letters")}
    assert set(causes) == {f"poison-{name}" for name in order}
    for name, (_, word) in POISON.items():
        assert word in causes[f"poison-{name}"], name
    assert run.summary()["dead_letters"] == n and run.summary()["records"] == ROWS


def test_poison_between_good_records_is_condemned_alone_while_the_process_is_killed(place: Path, application: Callable,
                                                                                    start: Callable) -> None:
    rng = random.Random(6)
    good = [(str(i), record(id=i)) for i in range(900_000, 900_300)]
    bad = [(f"poison-{n}-{name}", value) for n in range(10) for name, (value, _) in POISON.items() if name != "mebibyte"]
    everything = good + bad
    rng.shuffle(everything)
    produce(place / "data", everything)
    n = ROWS + len(everything)
    run = start(application(rate="1000/s", stop_when=f"{{any: [{{records: {n}}}]}}"), "-o", "json")
    for _ in range(many(6)):
        run.wait_runtime()
        time.sleep(rng.uniform(0.2, 0.6))
        run.wait_runtime(other_than=run.kill_runtime())
    assert run.wait(120) == 0, run.text()
    assert_exactly_once(run.data, foreign=len(everything), condemned=len(bad))


@pytest.mark.parametrize("fault, word, deaths", [("throw", "throw_on_key", 0), ("segfault", "SIGSEGV", 2), ("loop", "watchdog", 2)])
def test_a_record_that_brings_the_predictor_down_is_condemned_and_all_others_are_scored(
        place: Path, application: Callable, start: Callable, fault: str, word: str, deaths: int) -> None:
    quick = (("  commit: {interval", "  watchdog: 1s\n  commit: {interval"),)
    run = start(application(changes=quick), "-o", "json", faults=f"predictor.{fault}_on_key=1234")
    assert run.wait(120) == 0, run.text()
    assert_exactly_once(run.data, condemned=1)
    dead, = consume(run.data, "house-prices.dead-letters")
    assert dead["key"] == "1234" and word in dead["headers"]["cause"], dead["headers"]
    assert int(dead["headers"]["attempts"]) >= 2
    assert run.summary()["process_restarts"] == deaths


@pytest.mark.parametrize("fault", ["throw", "segfault"])
def test_kills_by_hand_meanwhile_condemn_nothing_else(place: Path, application: Callable, start: Callable, fault: str) -> None:
    rng = random.Random(7)
    run = start(application(rate="1000/s"), "-o", "json", faults=f"predictor.{fault}_on_key=3000")
    for _ in range(many(6)):
        run.wait_runtime()
        time.sleep(rng.uniform(0.2, 0.7))
        if run.process.poll() is not None:
            break
        run.kill_runtime()
    assert run.wait(120) == 0, run.text()
    assert_exactly_once(run.data, condemned=1)
    dead, = consume(run.data, "house-prices.dead-letters")
    assert dead["key"] == "3000"


def test_rows_of_a_source_that_break_the_schema_are_dead_letters_with_that_cause(place: Path, application: Callable,
                                                                                 start: Callable) -> None:
    with open(DATA_SET, newline="") as file:
        rows = list(csv.reader(file))
    head, rows = rows[0], rows[1:201]
    odd = {10: ("HouseAge", "-1"), 20: ("Latitude", "91"), 30: ("Longitude", "-180.5"), 40: ("MedInc", ""), 50: ("target", "")}
    for i, (column, value) in odd.items():
        rows[i][head.index(column)] = value
    with open(place / "odd.csv", "w", newline="") as file:
        csv.writer(file).writerows([head, *rows])
    changes = ((f'"${{STREAMING_DATA_PATH:{DATA_SET}}}"\n  format: csv\n  split: {{test_size: 20%, seed: 42, part: test}}',
                f"{place}/odd.csv\n  format: csv"),)
    run = start(application(changes=changes, stop_when="{any: [{records: 200}]}"), "-o", "json")
    assert run.wait() == 0, run.text()
    report = verify(run.data, "--csv", place / "odd.csv", "--split", "", "--expected", 200, "--foreign", 0, "--condemned", 5)
    assert broken(report) == {}
    causes = {int(r["key"]): r["headers"]["cause"] for r in consume(run.data, "house-prices.dead-letters")}
    assert set(causes) == set(odd)
    for i, (column, _) in odd.items():
        assert ("actual_price" if column == "target" else column) in causes[i]


def test_more_verdicts_than_five_a_minute_suspend_the_stream_not_the_node(place: Path, application: Callable,
                                                                          start: Callable) -> None:
    killers = [("9999999", record(id=n)) for n in range(900_000, 900_012)]
    produce(place / "data", killers)
    run = start(application(stop_when="{any: [{time: 60s}]}"), "-o", "json", faults="predictor.segfault_on_key=9999999")

    def suspended() -> bool:
        assert run.process.poll() is None, run.text()
        return any(s["phase"] == "suspended" for s in run.items("shards"))

    until(suspended, "the stream to be suspended", 50)
    assert run.request("/livez")[0] == 200
    run.send(15)
    assert run.wait() == 143
    report = verify(run.data, "--partial")
    assert broken(report) == {}
    assert 5 <= report["dead_letters"] <= 7
