# SPDX-License-Identifier: Apache-2.0
"""The HTTP port of a running node: health, metrics, the API, predictions."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import sys
import urllib.parse
from pathlib import Path
from typing import Iterator

import pytest

from running import ROOT, ROWS, Run, penstock, until, write_application

FEATURES = ["MedInc", "HouseAge", "AveRooms", "AveBedrms", "Population", "AveOccup", "Latitude", "Longitude"]
PREDICT = "/v1/models/house-prices:predict"


@pytest.fixture(scope="module")
def node(module_place: Path) -> Iterator[Run]:
    """A node that has scored every row and stays."""
    run = Run(write_application(module_place, stop_when="{any: [{time: 300s}]}"), module_place / "data")
    try:
        until(lambda: run.committed() == ROWS, "all records")
        yield run
    finally:
        run.stop()


@pytest.fixture(scope="module")
def rows(node: Run) -> list[tuple[dict, float]]:
    """Some inputs and what the stream predicted for them."""
    read = {}
    for topic in ("house-prices-input", "house-prices-output"):
        done = penstock("topic", "consume", topic, "--url", node.url, "-o", "jsonl")
        assert done.returncode == 0, done.stderr
        lines = [json.loads(line) for line in done.stdout.decode().split("\n") if line]
        read[topic] = {r["key"]: json.loads(r["value"]) for r in lines}
    keys = sorted(read["house-prices-input"], key=int)[:20]
    return [(read["house-prices-input"][k], read["house-prices-output"][k]["predicted_price"]) for k in keys]


def post(node: Run, path: str, body: object) -> tuple[int, dict]:
    status, text = node.request(path, json.dumps(body).encode())
    return status, json.loads(text)


def test_health_tells_that_it_lives_and_is_ready(node: Run) -> None:
    for path in ("/livez", "/readyz", "/health"):
        assert node.request(path)[0] == 200, path
    assert node.json("/health")["status"] == "ok"
    assert node.json("/version")["version"]


def test_metrics_are_prometheus_and_count_the_records(node: Run) -> None:
    def predictions() -> float:
        counted = re.findall(r"^penstock_predictions_total\{.*\} (\S+)$", node.request("/metrics")[1], re.M)
        return sum(map(float, counted))

    until(lambda: predictions() == ROWS, "the counter of predictions to reach all records")
    text = node.request("/metrics")[1]
    if shutil.which("promtool"):
        done = subprocess.run(["promtool", "check", "metrics"], input=text.encode(), capture_output=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    assert len([line for line in text.split("\n") if line and not line.startswith("#")]) <= 5000


@pytest.mark.parametrize("noun", ["actors", "shards", "topics", "models", "dead-letters"])
def test_the_api_lists_every_noun(node: Run, noun: str) -> None:
    status, text = node.request(f"/api/v1/{noun}")
    assert status == 200 and isinstance(json.loads(text), (dict, list))
    if noun != "dead-letters":
        assert node.items(noun)


def test_the_shards_tell_figures_that_equal_a_recomputation(node: Run, module_place: Path) -> None:
    files = {}
    for kind, topic in (("inputs", "house-prices-input"), ("outputs", "house-prices-output")):
        files[kind] = module_place / f"{kind}.jsonl"
        files[kind].write_bytes(penstock("topic", "consume", topic, "--url", node.url, "-o", "jsonl").stdout)
    (module_place / "shards.json").write_text(node.request("/api/v1/shards")[1])
    done = subprocess.run([sys.executable, ROOT / "tests/verifier/verify.py", "--preset", "house-prices",
                           "--inputs", files["inputs"], "--outputs", files["outputs"],
                           "--summary", module_place / "shards.json", "--expected", str(ROWS)], capture_output=True, check=False)
    assert done.returncode == 0, done.stdout.decode()
    assert "committed offset is behind the last outcome" in done.stdout.decode()


def test_named_and_ordered_instances_are_predicted_as_in_the_stream(node: Run, rows: list) -> None:
    named = [{f: row[f] for f in FEATURES} for row, _ in rows]
    ordered = [[row[f] for f in FEATURES] for row, _ in rows]
    for instances in (named, ordered):
        status, answer = post(node, PREDICT, {"instances": instances})
        assert status == 200 and answer["predictions"] == [predicted for _, predicted in rows]


@pytest.mark.parametrize("body, word", [
    (b"{", ""), (b"[]", ""), (b'{"instances": 1}', "instances"), (b'{"instances": [[1, 2]]}', ""),
    (b'{"instances": [{"MedInc": 1}]}', "HouseAge"),
    (json.dumps({"instances": [{**{f: 1 for f in FEATURES}, "MedInc": "x"}]}).encode(), "MedInc"),
])
def test_a_bad_prediction_request_is_refused_with_what_is_wrong(node: Run, body: bytes, word: str) -> None:
    status, text = node.request(PREDICT, body)
    assert status == 400 and word in json.loads(text)["error"], text


def test_an_unknown_model_and_an_unknown_path_are_not_found(node: Run) -> None:
    assert node.request("/v1/models/nobody:predict", b'{"instances": [[1]]}')[0] == 404
    assert node.request("/nowhere")[0] == 404
    assert node.request(PREDICT)[0] == 405


def test_predict_takes_json_and_the_form(node: Run, rows: list) -> None:
    row, predicted = rows[0]
    features = {f: row[f] for f in FEATURES}
    status, answer = node.request("/predict", json.dumps(features).encode())
    assert status == 200 and repr(predicted) in answer
    form = urllib.parse.urlencode(features).encode()
    status, page = node.request("/predict", form, "application/x-www-form-urlencoded")
    assert status == 200 and f"{predicted:.2f}"[:4] in page and "version" in page.lower()


def test_the_form_has_the_eight_inputs(node: Run) -> None:
    status, page = node.request("/")
    assert status == 200 and "<form" in page
    assert re.findall(r'name="(\w+)"', page)[:8] == FEATURES


def test_a_header_that_never_ends_and_a_huge_body_are_refused(node: Run) -> None:
    with socket.create_connection(("127.0.0.1", node.port), timeout=30) as endless:
        endless.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X-Long: " + b"a" * 200_000)
        answer = endless.recv(100)
        assert answer == b"" or b" 431 " in answer or b" 400 " in answer
    with socket.create_connection(("127.0.0.1", node.port), timeout=30) as huge:
        huge.sendall(b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n")
        assert b" 413 " in huge.recv(100)
    assert node.request("/livez")[0] == 200


def test_an_answer_for_loopback_only(node: Run) -> None:
    listening = Path("/proc/net/tcp").read_text()
    assert f"0100007F:{node.port:04X}" in listening and f"00000000:{node.port:04X}" not in listening


def test_the_command_line_is_a_client_of_the_api(node: Run) -> None:
    for noun in ("actors", "shards", "sources", "trainings", "topics", "models", "runs", "events"):
        for form in ("table", "json"):
            said = penstock("get", noun, "-o", form, "--url", node.url)
            assert said.returncode == 0 and said.stdout.strip(), (noun, form, said.stderr)
        json.loads(said.stdout)
