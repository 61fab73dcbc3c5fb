# SPDX-License-Identifier: Apache-2.0
"""The verifier itself: clean topics pass, every mutation is caught, and caught by the check that is meant for it."""

from __future__ import annotations

import base64
import hashlib
import json
import math
import random
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from checks import check_all, murmur2  # noqa: E402
from figures import check_figures  # noqa: E402
from mutations import MUTATIONS, body  # noqa: E402
from records import Record, parse_position  # noqa: E402
from source_rows import legacy_permutation, part_of, read_rows  # noqa: E402
from synthetic import PARTITIONS, World, describe, make_world  # noqa: E402

SEEDS = 30
ROOT = HERE.parents[1]


def failures(world: World) -> list[str]:
    report = check_all(world.case)
    check_figures(world.case, world.shards, report)
    return [check.name for check in report.failed]


@pytest.mark.parametrize("seed", range(SEEDS))
def test_clean_topics_pass(seed: int) -> None:
    assert failures(make_world(seed)) == []


@pytest.mark.parametrize("name", MUTATIONS)
def test_mutation_is_caught_by_the_check_that_is_meant_for_it(name: str) -> None:
    mutate, meant = MUTATIONS[name]
    for seed in range(SEEDS):
        world = make_world(seed)
        mutate(world, random.Random(seed))
        found = failures(world)
        assert set(found) & set(meant), f"{name}, seed {seed}: caught by {found or 'nothing'}, meant for {meant}"


def test_there_are_a_thousand_mutations() -> None:
    assert len(MUTATIONS) * SEEDS >= 1000


def test_every_check_fails_for_some_mutation() -> None:
    """No check is there for show."""
    world = make_world(0)
    report = check_all(world.case)
    check_figures(world.case, world.shards, report)
    failed = set()
    for mutate, _ in MUTATIONS.values():
        for seed in range(3):
            world = make_world(seed)
            mutate(world, random.Random(seed))
            failed.update(failures(world))
    never = set(report.checks) - failed
    assert never <= {"figures are given", "output keys keep their partition"}


def test_an_empty_summary_proves_nothing_and_fails() -> None:
    world = make_world(1)
    world.shards = {}
    assert "figures are given" in failures(world)


def test_a_key_in_two_partitions_is_caught_without_knowing_the_partitioner() -> None:
    world = make_world(1)
    world.case.partitions = None
    record = world.case.outputs[0]
    elsewhere = record.at._replace(partition=(record.at.partition + 1) % PARTITIONS, offset=900)
    world.case.outputs.append(Record(elsewhere, record.key, record.value, record.headers))
    assert "output keys keep their partition" in failures(world)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_stream_in_the_middle_of_its_work_passes_as_partial_only(seed: int) -> None:
    world, rng = make_world(seed), random.Random(seed)
    reached = [rng.randrange(3, 12) for _ in range(PARTITIONS)]
    for records in (world.case.outputs, world.case.dead_letters):
        records[:] = [r for r in records if (at := parse_position(r.headers["input"])).offset < reached[at.partition]]
    world.case.condemned = None
    world.shards = describe(world.case)
    assert "no input is lost" in failures(world)
    world.case.partial = True
    assert failures(world) == []
    inner = [r for r in world.case.outputs
             if any(o.at == r.at._replace(offset=r.at.offset + 1) for o in world.case.outputs)]
    world.case.outputs.remove(rng.choice(inner))
    assert "outcomes are a prefix of the input" in failures(world)


def test_a_dead_letter_cut_with_length_and_digest_passes() -> None:
    world = make_world(3)
    record = max(world.case.dead_letters, key=lambda r: len(r.value))
    record.headers.update(length=str(len(record.value)), sha256=hashlib.sha256(record.value).hexdigest())
    record.value = record.value[:5]
    assert failures(world) == []


def test_the_split_is_the_one_of_scikit_learn() -> None:
    golden = json.loads((ROOT / "tests/data/golden_sklearn.json").read_text())["cal_split"]
    rows = read_rows(ROOT / "data/california_housing.csv")
    assert legacy_permutation(len(rows), 42)[:10] == golden["first_test_rows_idx"]
    tests, training = part_of(rows, 0.2, 42, "test"), part_of(rows, 0.2, 42, "train")
    assert (len(tests), len(training)) == (golden["n_test"], golden["n_train"])
    assert math.isclose(sum(float(r["target"]) for r in tests), golden["sum_ytest"], rel_tol=1e-12)


def test_the_partitioner_is_kafkas() -> None:
    known = {b"21": -973932308, b"foobar": -790332482, b"a-little-bit-long-string": -985981536,
             b"a-little-bit-longer-string": -1486304829, b"abc": 479470107}  # of Kafka's UtilsTest
    assert {k: (h - (1 << 32) if (h := murmur2(k)) >> 31 else h) for k in known} == known


# -- the program ---------------------------------------------------------------


def write_lines(path: Path, records: list[Record]) -> Path:
    lines = []
    for r in records:
        line = {"topic": r.at.topic, "partition": r.at.partition, "offset": r.at.offset, "timestamp": 1, "headers": r.headers}
        for name, held in (("key", r.key), ("value", r.value)):
            try:
                line[name] = None if held is None else held.decode()
            except UnicodeDecodeError:
                line[f"{name}_base64"] = base64.b64encode(held).decode()
        lines.append(json.dumps(line))
    path.write_text("".join(line + "\n" for line in lines))
    return path


def run_program(world: World, tmp_path: Path, *more: str) -> subprocess.CompletedProcess:
    case, rows = world.case, world.case.rows
    (tmp_path / "rows.csv").write_text("\n".join([",".join(rows[0]), *(",".join(r.values()) for r in rows)]) + "\n")
    (tmp_path / "summary.json").write_text(json.dumps(world.shards))
    (tmp_path / "predictions.json").write_text(json.dumps(case.predictions))
    return subprocess.run(
        [sys.executable, HERE / "verify.py", "--inputs", write_lines(tmp_path / "in", case.inputs),
         "--outputs", write_lines(tmp_path / "out", case.outputs),
         "--dead-letters", write_lines(tmp_path / "dead", case.dead_letters), "--csv", tmp_path / "rows.csv",
         "--summary", tmp_path / "summary.json", "--predictions", tmp_path / "predictions.json",
         "--expected", str(case.expected), "--foreign", "4", "--condemned", str(case.condemned), "--partitions", "3",
         "--input-actual", "actual_price", "--actual", "actual_price", "--predicted", "predicted_price", "--error", "error",
         "--percentage", "error_percentage", "--columns", "rooms=rooms", "age=age", "actual_price=target", *more],
        capture_output=True, text=True, timeout=60, check=False)


def test_program_passes_clean_files_with_exit_0(tmp_path: Path) -> None:
    done = run_program(make_world(5), tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith(" passed, 0 failed\n")


def test_program_names_violations_with_ids_and_exit_1(tmp_path: Path) -> None:
    world = make_world(5)
    lost = body(world.case.outputs.pop(7))["id"]
    done = run_program(world, tmp_path)
    assert done.returncode == 1
    assert "FAIL  no input is lost" in done.stdout and f"id {lost} at in/" in done.stdout
    told = json.loads(run_program(world, tmp_path, "-o", "json").stdout)
    assert told["failed"] >= 1 and not next(c for c in told["checks"] if c["name"] == "no input is lost")["holds"]


def test_program_says_which_line_it_cannot_read_with_exit_2(tmp_path: Path) -> None:
    (tmp_path / "bad").write_text('{"topic":"in","partition":0,"offset":0,"key":"1","value":"x"}\n{"topic":"in"}\n')
    done = subprocess.run([sys.executable, HERE / "verify.py", "--inputs", tmp_path / "bad"], capture_output=True, text=True,
                          timeout=60, check=False)
    assert done.returncode == 2 and "bad:2:" in done.stderr
    done = subprocess.run([sys.executable, HERE / "verify.py"], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2 and "no input" in done.stderr
