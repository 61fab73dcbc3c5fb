# SPDX-License-Identifier: Apache-2.0
"""kill -9 at seeded random moments, orderly signals, and bugs planted to prove that the verifier would see them."""

from __future__ import annotations

import random
import signal
import time
from pathlib import Path
from typing import Callable

import pytest

from running import (ROWS, Run, assert_exactly_once, assert_nothing_torn, broken, control_records, many, same_process,
                     topics, until, verify)

ALL_RECORDS = "{any: [{records: 4128}]}"


def live_a_while(rng: random.Random, least: float = 0.15, most: float = 0.6) -> None:
    """The random moment of a kill. (A runtime that dies within 0.1 s did not come up, says the keeper, and gives up.)"""
    time.sleep(rng.uniform(least, most))


def outputs_begin(run: Run) -> None:
    until(lambda: run.committed() > 0, "the first commit of the stream")


def finish(run: Run, tmp: Path) -> None:
    """The run ends by itself; its topics and its own figures are checked."""
    assert run.wait(240) == 0, run.text()
    (tmp / "summary.json").write_text(run.out)
    assert_exactly_once(run.data, "--summary", tmp / "summary.json")
    assert run.summary()["records"] == ROWS


def test_killed_while_training_it_trains_again_and_registers_one_model(place: Path, application: Callable,
                                                                       start: Callable) -> None:
    rng = random.Random(1)
    run = start(application(trees=4000), "-o", "json")
    for _ in range(many(6)):
        run.wait_runtime()
        until(lambda: any(t["state"] == "running" for t in run.items("trainings")), "a running training")
        live_a_while(rng, 0.1, 0.3)
        dead = run.kill_runtime()
        run.wait_runtime(other_than=dead)
    finish(run, place)
    types = [r["type"] for r in control_records(run.data)]
    assert types.count("run_started") > 1, "no kill hit a training"
    assert types.count("run_completed") == 1 and types.count("model_registered") == 1
    assert run.summary()["process_restarts"] == many(6)


def test_killed_while_streaming_nothing_is_lost_or_doubled(place: Path, application: Callable, start: Callable) -> None:
    rng = random.Random(2)
    run = start(application(rate=f"{500 // many(1)}/s", stop_when=ALL_RECORDS), "-o", "json")
    outputs_begin(run)
    for _ in range(many(16)):
        live_a_while(rng)
        dead = run.kill_runtime()
        run.wait_runtime(other_than=dead)
    finish(run, place)
    assert run.summary()["process_restarts"] == many(16)
    types = [r["type"] for r in control_records(run.data)]
    assert types.count("run_completed") == 1, "a registered training was repeated"


def test_killed_with_its_keeper_it_goes_on_when_run_again(place: Path, application: Callable, start: Callable) -> None:
    rng = random.Random(3)
    file = application(rate="1200/s", trees=30)
    for _ in range(many(5)):
        run = start(file, "-o", "json")
        run.wait_runtime()
        live_a_while(rng, 0.05, 1.2)
        run.kill_both()
        if (run.data / "log" / "CURRENT").exists() and "house-prices.dead-letters" in topics(run.data):
            assert_nothing_torn(run.data)
    run = start(file, "-o", "json")
    finish(run, place)


@pytest.mark.parametrize("moment", ["kill_before_write", "kill_after_write"])
def test_killed_around_the_write_of_a_commit_nothing_is_lost_or_doubled(place: Path, application: Callable, start: Callable,
                                                                        moment: str) -> None:
    run = start(application(rate="2000/s"), "-o", "json", faults=f"storage.{moment}@60")
    finish(run, place)
    assert run.summary()["process_restarts"] >= 2


@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_after_a_last_commit_and_it_can_go_on(place: Path, application: Callable, start: Callable,
                                                               number: int, code: int) -> None:
    file = application(rate="1500/s")
    run = start(file, "-o", "json")
    outputs_begin(run)
    run.send(number)
    assert run.wait(10) == code, run.text()
    report = assert_nothing_torn(run.data)
    assert 0 < report["outputs"] < ROWS
    assert run.summary()["records"] == report["outputs"], "the summary is of a moment before the last commit"
    assert "process.cut" not in run.err
    finish(start(file, "-o", "json"), place)


def test_a_signal_while_training_ends_it_and_it_can_go_on(place: Path, application: Callable, start: Callable) -> None:
    file = application(trees=300)
    run = start(file, "-o", "json")
    until(lambda: any(t["state"] == "running" for t in run.items("trainings")), "a running training")
    run.send(signal.SIGTERM)
    assert run.wait(10) == 143, run.text()
    finish(start(file, "-o", "json"), place)


@pytest.mark.parametrize("fault, promise", [
    ("predictor.duplicate_output_on_key=77", "no input has two outputs"),
    ("predictor.drop_on_key=77", "no input is lost"),
    ("predictor.wrong_error_on_key=77", "error is predicted - actual"),
])
def test_a_bug_planted_in_the_predictor_is_seen_by_the_verifier(place: Path, application: Callable, start: Callable,
                                                                fault: str, promise: str) -> None:
    run = start(application(stop_when="{any: [{records: 4128}, {idle: 1s}]}"), "-o", "json", faults=fault)
    run.wait()
    found = broken(verify(run.data, "--expected", ROWS))
    assert promise in found or ("wrong" in fault and "percentage is error / actual * 100" in found)
    assert any("id 77" in example for examples in found.values() for example in examples)


def test_a_commit_torn_by_a_planted_bug_is_seen_by_the_verifier(place: Path, application: Callable, start: Callable) -> None:
    run = start(application(rate="2000/s", stop_when="{any: [{records: 4128}, {idle: 1s}]}"), "-o", "json",
                faults="storage.offsets_before_outputs,storage.kill_before_write@60")
    run.wait()
    found = broken(verify(run.data, "--expected", ROWS))
    assert found, "offsets were committed without their outputs, and nobody saw it"
    assert set(found) & {"no input is lost", "every row is in the input"}


def test_after_every_death_of_the_keeper_the_runtime_ends_too(place: Path, application: Callable, start: Callable) -> None:
    file = application(rate="500/s")
    run = start(file, "-o", "json")
    outputs_begin(run)
    orphan = run.wait_runtime()
    born = run.started[orphan]
    run.process.kill()
    run.process.wait()
    until(lambda: same_process(orphan) != born, "the orphaned runtime to end")
    finish(start(file, "-o", "json"), place)
