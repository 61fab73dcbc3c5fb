# SPDX-License-Identifier: Apache-2.0
"""Exceptions in actors: restarted by their supervisor, the cause is told, too many escalate step by step to the keeper."""

from __future__ import annotations

import json
from typing import Callable

import pytest

from running import ROWS, Run, assert_exactly_once, assert_nothing_torn, control_records, penstock, topics, until

# Which message of it throws: a model store gets one for each model.
KINDS = [("predictor", 2), ("source", 2), ("trainer", 2), ("model-store", 1), ("metrics", 2)]


def restarted(run: Run, kind: str) -> dict | None:
    """An actor of that kind that was restarted and runs."""
    return next((a for a in run.items("actors") if a["kind"] == kind and a["restarts"] and a["state"] != "restarting"), None)


@pytest.mark.parametrize("kind, message", KINDS)
def test_an_actor_that_throws_is_restarted_and_says_why(place, application: Callable, start: Callable, kind: str,
                                                        message: int) -> None:
    run = start(application(rate="1500/s", trees=60, stop_when="{any: [{time: 100s}]}"), "-o", "json",
                faults=f"actor.throw.{kind}@{message}")
    actor = until(lambda: restarted(run, kind), f"a restarted {kind}")
    assert actor["restarts"] == 1 and actor["incarnation"] == 2
    said = penstock("describe", "actor", actor["address"], "--url", run.url)
    assert said.returncode == 0, said.stderr
    assert f"actor.throw.{kind}" in said.stdout.decode()
    told = json.loads(penstock("describe", "actor", actor["address"], "--url", run.url, "-o", "json").stdout)
    assert f"actor.throw.{kind}" in told["last_cause"] and told["incarnation"] == 2
    until(lambda: run.committed() == ROWS, "all records")
    run.send(15)
    assert run.wait() == 143
    assert run.summary()["process_restarts"] == 0 and run.summary()["restarts"] >= 1
    assert_exactly_once(run.data)


@pytest.mark.parametrize("kind", ["predictor", "source", "model-store", "metrics"])
def test_an_actor_that_throws_again_and_again_ends_the_node_with_a_clear_message(place, application: Callable,
                                                                                 start: Callable, kind: str) -> None:
    file = application()
    run = start(file, "-o", "json", faults=f"actor.throw.{kind}")
    assert run.wait(120) == 1, run.text()
    assert f"actor.throw.{kind}" in run.err, "the cause is told"
    assert "supervisor.escalated" in run.err, "each step of the escalation is told"
    assert "gave up after" in run.err, "the keeper tells that it gives up"
    if "house-prices.dead-letters" in topics(run.data):
        assert assert_nothing_torn(run.data)["dead_letters"] == 0
    again = start(file, "-o", "json")
    assert again.wait() == 0, again.text()
    assert_exactly_once(run.data)


def test_a_training_that_throws_is_recorded_as_failed_and_made_again(place, application: Callable, start: Callable) -> None:
    run = start(application(), "-o", "json", faults="trainer.throw@1")
    assert run.wait() == 0, run.text()
    assert run.summary()["trainings"][0]["state"] == "completed"
    runs = [r for r in control_records(run.data) if r["type"].startswith("run_")]
    assert [r["type"] for r in runs] == ["run_started", "run_failed", "run_started", "run_completed"]
    assert "trainer.throw" in runs[1]["cause"] and not runs[1]["final"]
    assert_exactly_once(run.data)


def test_a_training_that_always_fails_says_why_and_promises_nothing(place, application: Callable, start: Callable) -> None:
    quick = (("retries: {max: 2, delay: 10s}", "retries: {max: 1, delay: 100ms}"),)
    run = start(application(changes=quick, stop_when="{any: [{records: 4128}, {idle: 2s}]}"), "-o", "json",
                faults="trainer.throw")
    run.wait()
    assert "trainer.throw" in run.out + run.err or "planted" in run.out + run.err, run.text()
    report = assert_nothing_torn(run.data)
    assert report["outputs"] == 0 and report["dead_letters"] == 0


def test_an_unknown_actor_is_not_found_with_a_suggestion(place, application: Callable, start: Callable) -> None:
    run = start(application(stop_when="{any: [{time: 60s}]}"))
    until(run.ready, "readiness")
    address = until(lambda: run.items("actors"), "actors")[0]["address"]
    said = penstock("describe", "actor", address + "x", "--url", run.url)
    assert said.returncode == 3 and address + "x" in said.stderr.decode()
    listed = penstock("get", "actors", "--url", run.url, "-o", "json")
    assert listed.returncode == 0 and address in listed.stdout.decode()
