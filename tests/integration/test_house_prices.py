# SPDX-License-Identifier: Apache-2.0
"""The main job from the data file to committed predictions, as it ships, and run again on what it left behind."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Callable, Iterator

import pytest

from running import ROWS, Run, assert_exactly_once, consume, control_records, penstock, until, write_application


@pytest.fixture(scope="module")
def finished(module_place: Path) -> Iterator[Run]:
    """The job with all its 100 trees, run to its end."""
    run = Run(write_application(module_place, trees=100), module_place / "data", "-o", "json")
    try:
        assert run.wait() == 0, run.text()
        yield run
    finally:
        run.stop()


def test_every_row_is_predicted_once(finished: Run) -> None:
    report = assert_exactly_once(finished.data)
    assert report["outputs"] == ROWS


def test_the_summary_tells_what_ended_it_and_figures_that_equal_a_recomputation(finished: Run, tmp_path: Path) -> None:
    summary = finished.summary()
    assert summary["records"] == ROWS and summary["dead_letters"] == 0
    assert "records" in summary["ended_by"] and summary["stop_when_fired"]
    (tmp_path / "summary.json").write_text(json.dumps(summary))
    assert_exactly_once(finished.data, "--summary", tmp_path / "summary.json")


def test_the_three_commands_to_look_further_work(finished: Run) -> None:
    commands = finished.summary()["further"]
    assert len(commands) == 3
    for command in commands:
        words = command.split(" | ")[0].split()
        if words[1] == "topic":
            assert penstock(*words[1:]).returncode == 0, command


def test_the_model_is_as_good_as_it_must_be(finished: Run) -> None:
    metrics = finished.summary()["trainings"][0]["metrics"]
    assert 0.52 <= metrics["rmse"] <= 0.57
    assert 0.75 <= metrics["r2"] <= 0.80
    assert 0.52 <= finished.summary()["rmse"] <= 0.57


def test_each_of_the_seven_steps_is_one_line_when_the_output_is_no_terminal(finished: Run) -> None:
    steps = re.findall(r"STEP (\d)/7 +(\w+)", finished.out + finished.err)
    told = list(dict.fromkeys(steps))
    assert told == [("1", "open"), ("2", "read"), ("3", "check"), ("4", "split"), ("5", "train"), ("6", "evaluate"),
                    ("7", "save")]
    assert "\x1b[" not in finished.out + finished.err


def test_outputs_carry_model_version_generation_and_input_as_headers(finished: Run) -> None:
    for record in consume(finished.data, "house-prices-output")[:100]:
        headers = record["headers"]
        assert headers["model"] == "house-prices" and headers["version"] == "1" and int(headers["generation"]) >= 1
        assert re.fullmatch(r"house-prices-input/[0-3]/\d+", headers["input"])
        assert list(json.loads(record["value"])) == ["id", "actual_price", "predicted_price", "error", "error_percentage"]


def test_the_run_and_the_model_are_records_of_the_control_topic(finished: Run) -> None:
    types = [r["type"] for r in control_records(finished.data)]
    assert types.count("run_completed") == 1 and types.count("model_registered") == 1
    assert types.index("run_started") < types.index("run_completed")


def test_a_second_run_neither_trains_nor_produces_nor_predicts_again(finished: Run, module_place: Path) -> None:
    before = [consume(finished.data, t) for t in ("house-prices-input", "house-prices-output")]
    again = Run(write_application(module_place, "again.yaml", trees=100, stop_when="{any: [{records: 4128}, {idle: 2s}]}"),
                finished.data, "-o", "json")
    try:
        assert again.wait() == 0, again.text()
    finally:
        again.stop()
    assert again.summary()["trainings"][0]["reused"]
    assert again.summary()["records"] == ROWS
    assert [consume(finished.data, t) for t in ("house-prices-input", "house-prices-output")] == before
    assert [r["type"] for r in control_records(finished.data)].count("run_completed") == 1


def test_equal_inputs_give_the_bit_identical_model_and_predictions(place: Path, application: Callable, start: Callable) -> None:
    predictions = []
    for name in ("one", "other"):
        run = start(application(), "-o", "json", data=place / name)
        assert run.wait() == 0, run.text()
        outputs = consume(place / name, "house-prices-output")
        digest = run.summary()["trainings"][0]["digest"]
        predictions.append((digest, sorted((r["key"], r["value"]) for r in outputs)))
    assert predictions[0] == predictions[1]


@pytest.mark.parametrize("stop_when, fired", [("{any: [{records: 1000}]}", "records"), ("{any: [{time: 1s}]}", "time")])
def test_stop_when_says_which_condition_fired(place: Path, application: Callable, start: Callable, stop_when: str,
                                              fired: str) -> None:
    run = start(application(rate="500/s", stop_when=stop_when), "-o", "json")
    assert run.wait() == 0, run.text()
    assert fired in run.summary()["ended_by"] and run.summary()["stop_when_fired"]


def test_an_idle_stream_ends_the_run(place: Path, application: Callable, start: Callable) -> None:
    limited = (("  key: id\n  record:", "  key: id\n  limit: 300\n  record:"),)
    run = start(application(stop_when="{any: [{idle: 1s}]}", changes=limited), "-o", "json")
    assert run.wait() == 0, run.text()
    assert "idle" in run.summary()["ended_by"] and run.summary()["records"] == 300
    assert_exactly_once(run.data, expected=300)


def test_the_summary_for_people_names_the_figures(place: Path, application: Callable, start: Callable) -> None:
    run = start(application(stop_when="{any: [{records: 500}]}"))
    assert run.wait() == 0, run.text()
    for word in ("records", "MAE", "RMSE", "commits", "restarts", "Look further"):
        assert word in run.out
    until(lambda: not run.runtime(), "the runtime to have ended with its keeper")
