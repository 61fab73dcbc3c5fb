# SPDX-License-Identifier: Apache-2.0
"""Bad input to the tool: one clear error, the right exit code, nothing changed on disk."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import struct
import subprocess
from pathlib import Path
from typing import Callable

import pytest

from running import (BUILD, DATA_SET, Run, assert_exactly_once, control_records, free_port, penstock, snapshot, topics, until,
                     write_application)

NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups") if os.geteuid() == 0 else ()
DATA_PATH = f'path: "${{TRAIN_DATA_PATH:{DATA_SET}}}"'


def refuse(place: Path, code: int, *words: object, **more: object) -> str:
    """Runs a command that must be refused without changing anything; returns what it says, which is one error."""
    before = snapshot(place)
    done = penstock(*words, **more)
    said = done.stderr.decode()
    assert done.returncode == code, f"exit {done.returncode}: {said}"
    assert snapshot(place) == before, "something changed on disk"
    assert said.strip() and "terminate called" not in said and "Traceback" not in said
    return said


def run_words(place: Path, file: Path) -> tuple:
    return ("run", file, "--data", place / "data", "--http", free_port())


# -- the command line and the application ----------------------------------------


def test_an_application_that_does_not_exist(place: Path) -> None:
    said = refuse(place, 3, *run_words(place, place / "missing.yaml"))
    assert "missing.yaml" in said
    assert "missing.yaml" in refuse(place, 3, "config", "validate", place / "missing.yaml")


@pytest.mark.parametrize("verb", ["run", "config validate"])
def test_an_unknown_key_is_told_with_its_line_and_the_nearest_known_one(place: Path, application: Callable, verb: str) -> None:
    file = application(changes=(("    max_depth: 10", "    max_dept: 10"),))
    line = 1 + file.read_text().split("\n").index("    max_dept: 10")
    words = run_words(place, file) if verb == "run" else (*verb.split(), file)
    said = refuse(place, 78, *words)
    assert f"{file.name}:{line}:" in said and "max_dept" in said and "max_depth" in said


@pytest.mark.parametrize("old, new, words", [
    ("interval: 100ms", "interval: 100 parsecs", ["100 parsecs"]),
    ("rate: 3000/s", "rate: 3000", ["rate", "3000"]),
    ("retries: {max: 2, delay: 10s}", "retries: {max: 2, delay: 10}", ["delay", "10"]),
    ("test_size: 20%, seed: 42, part: train", "test_size: 120%, seed: 42, part: train", ["120%"]),
    ("{time: 120s}", "{time: 120m30}", ["120m30"]),
    ("predicted_price - actual_price", "predicted_price - actual_prize", ["actual_prize"]),
    ("predicted_price - actual_price", "predicted_price - (actual_price", ["error"]),
    ("kind: Stream", "kind: Steam", ["Steam", "Stream"]),
    ("dataset: training-part", "dataset: trainings-part", ["trainings-part", "training-part"]),
    ("apiVersion: penstock/v1\nkind: Stream", "apiVersion: penstock/v9\nkind: Stream", ["penstock/v9"]),
])
def test_a_mistake_in_the_application_is_told_with_its_line(place: Path, application: Callable, old: str, new: str,
                                                            words: list[str]) -> None:
    file = application(changes=((old, new),))
    said = refuse(place, 78, *run_words(place, file))
    assert f"{file.name}:" in said
    for word in words:
        assert word in said
    assert refuse(place, 78, "config", "validate", file)


def test_all_mistakes_are_told_at_once(place: Path, application: Callable) -> None:
    file = application(changes=(("n_estimators: 10", "n_estimator: 10"), ("interval: 100ms", "interval: soon")))
    said = refuse(place, 78, "config", "validate", file)
    assert "n_estimator" in said and "soon" in said


def test_a_good_application_is_valid(place: Path, application: Callable) -> None:
    assert penstock("config", "validate", application()).returncode == 0


@pytest.mark.parametrize("words, near", [(("rum", "x.yaml"), "run"), (("run", "x.yaml", "--dta", "y"), "--data"), (("run",), "FILE")])
def test_a_wrong_command_line_is_told_with_what_was_meant(place: Path, words: tuple, near: str) -> None:
    assert near in refuse(place, 2, *words, cwd=place)


# -- data and models --------------------------------------------------------------


def test_a_data_file_that_does_not_exist_is_told_with_its_setting(place: Path, application: Callable) -> None:
    said = refuse(place, 3, *run_words(place, application(changes=((DATA_PATH, "path: nowhere.csv"),))))
    assert "nowhere.csv" in said and "training-part" in said


def bad_rows(place: Path, *lines: tuple[int, str]) -> Path:
    """The data set with some lines (from 1, the header) replaced."""
    rows = DATA_SET.read_text().split("\n")
    for number, text in lines:
        rows[number - 1] = text
    file = place / "bad.csv"
    file.write_text("\n".join(rows))
    return file


def test_a_bad_csv_row_is_told_with_its_line_and_not_tried_again(place: Path, application: Callable, start: Callable) -> None:
    bad = bad_rows(place, (777, "1,2,3"))
    run = start(application(changes=((DATA_PATH, f"path: {bad}"),), stop_when="{any: [{idle: 1s}]}"))
    run.wait()
    assert "bad.csv" in run.out + run.err and "line 777" in run.out + run.err
    failed, = (r for r in control_records(run.data) if r["type"] == "run_failed")
    assert failed["final"] and "line 777" in failed["cause"]


def test_bad_csv_rows_are_skipped_and_counted_when_declared(place: Path, application: Callable, start: Callable) -> None:
    bad = bad_rows(place, (777, "1,2,3"), (888, "1,2,3,4,5,6,7,8,9,10"))
    run = start(application(changes=((DATA_PATH, f"path: {bad}\n  on_error: skip"),)))
    assert run.wait() == 0, run.text()
    assert_exactly_once(run.data)
    assert "2 skipped" in run.out + run.err


@pytest.fixture(scope="module")
def trained(module_place: Path) -> Path:
    """A data directory with a model and a finished stream."""
    run = Run(write_application(module_place), module_place / "data", "-o", "json")
    try:
        assert run.wait() == 0, run.text()
    finally:
        run.stop()
    return module_place / "data"


def package_in(data: Path) -> Path:
    found, = (data / "models").glob("*.model")
    return found


def flipped(content: bytearray) -> bytes:
    content[len(content) // 2] ^= 4
    return bytes(content)


@pytest.mark.parametrize("damage", [flipped, lambda c: bytes(c[:len(c) // 2]), lambda c: b""], ids=["flipped", "truncated", "empty"])
def test_a_damaged_model_package_is_refused_by_name_and_never_served(place: Path, trained: Path, application: Callable,
                                                                     start: Callable, damage: Callable) -> None:
    shutil.copytree(trained, place / "data")
    package = package_in(place / "data")
    package.chmod(0o600)
    package.write_bytes(damage(bytearray(package.read_bytes())))
    before = package.read_bytes()
    produced = snapshot(place / "data" / "models")
    run = start(application(stop_when="{any: [{records: 9999}, {time: 4s}]}"), "-o", "json")
    run.wait()
    said = run.out + run.err
    assert package.name.removesuffix(".model")[:12] in said, said[-3000:]
    assert package.read_bytes() == before and snapshot(place / "data" / "models") == produced
    assert "terminate called" not in said


def crc32c(content: bytes) -> int:
    register = 0xFFFFFFFF
    for byte in content:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ (0x82F63B78 if register & 1 else 0)
    return register ^ 0xFFFFFFFF


def newer(package: bytes) -> bytes:
    """The package as a later Penstock might write it: magic, version, length, CRC-32C of these 20 bytes."""
    head = package[:8] + struct.pack("<I", 99) + package[12:20]
    return head + struct.pack("<I", crc32c(head)) + package[24:]


def deploy(data: Path, package: bytes) -> str:
    """Makes a package the champion, as the node that trained it would have recorded it. Returns its digest."""
    digest = hashlib.sha256(package).hexdigest()
    (data / "models" / f"{digest}.model").write_bytes(package)
    generation = max(r["generation"] for r in control_records(data) if r["type"] == "generation_activated") + 1
    name = {"name": "house-prices", "model_version": 2, "at": 0}
    commands = [{"type": "model_registered", **name, "digest": digest, "run": "later", "metrics": {}},
                {"type": "alias_set", **name, "alias": "champion"},
                {"type": "generation_activated", "stream": "house-prices/house-prices", "generation": generation,
                 "model": "house-prices", "model_version": 2, "at": 0}]
    lines = "".join(f",{json.dumps({'version': 1, **c}).encode().hex()}\n" for c in commands).encode()
    topic = next(t for t in topics(data) if t.endswith("control"))
    subprocess.run([BUILD / "bin" / "produce_raw", f"rocksdb:{data}/log", topic, "1"], input=lines, check=True,
                   capture_output=True, timeout=60)
    return digest


def test_a_model_package_of_a_newer_version_is_refused_as_such(place: Path, trained: Path, application: Callable,
                                                               start: Callable) -> None:
    shutil.copytree(trained, place / "data")
    digest = deploy(place / "data", newer(package_in(place / "data").read_bytes()))
    before = snapshot(place / "data" / "models")
    run = start(application(stop_when="{any: [{records: 9999}, {time: 4s}]}"), "-o", "json")
    run.wait()
    assert digest[:12] in run.out + run.err and "newer" in run.out + run.err, run.text()
    assert snapshot(place / "data" / "models") == before


def test_a_source_whose_file_changed_is_refused_by_name(place: Path, trained: Path, application: Callable,
                                                        start: Callable) -> None:
    shutil.copytree(trained, place / "data")
    changed = bad_rows(place, (5, "1,2,3,4,5,6,7,8,9"))
    file = application(stop_when="{any: [{records: 9999}, {time: 4s}]}",
                       changes=((f'"${{STREAMING_DATA_PATH:{DATA_SET}}}"', str(changed)),))
    run = start(file, "-o", "json")
    run.wait()
    assert "bad.csv" in run.out + run.err and "houses" in run.out + run.err, run.text()


# -- the machine -------------------------------------------------------------------


def test_a_port_in_use_is_told_with_its_number(place: Path, application: Callable) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        port = held.getsockname()[1]
        said = refuse(place, 4, "run", application(), "--data", place / "data", "--http", port)
    assert str(port) in said and "--http" in said


def test_a_data_directory_that_is_not_writable(place: Path, application: Callable) -> None:
    closed = place / "closed"
    closed.mkdir()
    closed.chmod(0o555)
    file = application()
    try:
        for data in (closed, closed / "deeper"):
            said = refuse(place, 77, "run", file, "--data", data, "--http", free_port(), prefix=NOBODY)
            assert str(closed) in said and "--data" in said
    finally:
        closed.chmod(0o755)


def test_a_data_directory_that_is_a_file(place: Path, application: Callable) -> None:
    (place / "file").write_text("x")
    said = refuse(place, 77, "run", application(), "--data", place / "file", "--http", free_port())
    assert str(place / "file") in said


def test_a_data_directory_of_another_node(place: Path, trained: Path, application: Callable) -> None:
    shutil.copytree(trained, place / "data")
    said = refuse(place, 4, *run_words(place, application()), "--node", "other")
    assert "local" in said and "other" in said


def test_a_data_directory_that_another_process_holds(place: Path, application: Callable, start: Callable) -> None:
    file = application(stop_when="{any: [{time: 60s}]}")
    run = start(file)
    until(run.ready, "readiness")
    done = penstock("run", file, "--data", run.data, "--http", free_port())
    assert done.returncode == 4, done.stderr
    said = done.stderr.decode()
    assert str(run.runtime()) in said and str(run.port) in said, said
    consumed = penstock("topic", "consume", "house-prices-output", "--log", f"rocksdb:{run.data}/log")
    assert consumed.returncode == 4 and str(run.runtime()) in consumed.stderr.decode()
    assert run.ready()


def test_a_log_that_this_build_cannot_open(place: Path, application: Callable) -> None:
    said = refuse(place, 78, *run_words(place, application()), "--log", "paper:/tmp/x")
    assert "paper:" in said and "rocksdb:" in said
