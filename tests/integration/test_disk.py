# SPDX-License-Identifier: Apache-2.0
"""Disk full and I/O errors under the log: a clear error, and when the disk works again nothing is lost or doubled."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Callable, Iterator

import pytest

from running import ROWS, assert_exactly_once, assert_nothing_torn, control_records, until

# At once, or when the keeper has given up.
ENDED_BY_THE_DISK = (69, 1)
# Two quick attempts at opening the log, where the ten of five seconds would only take time.
QUICK = ("  log:\n", "  log:\n    connect: {attempts: 2, delay: 100ms}\n")


@pytest.fixture
def small_disk(place: Path) -> Iterator[Path]:
    """A file system of 24 MiB."""
    where = place / "small"
    where.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", where], capture_output=True, check=False)
    if mounted.returncode != 0:
        pytest.skip(f"cannot mount a tmpfs here: {mounted.stderr.decode().strip()}")
    yield where
    subprocess.run(["umount", where], check=True)


def fill(where: Path, left: int = 0) -> Path:
    """Takes all the space but so many bytes."""
    filler = where / "filler"
    free = os.statvfs(where).f_bavail * os.statvfs(where).f_frsize
    with open(filler, "wb") as file:
        os.posix_fallocate(file.fileno(), 0, free - left)
    return filler


def test_a_full_disk_is_a_clear_error_and_nothing_is_lost_or_doubled(place: Path, small_disk: Path, application: Callable,
                                                                     start: Callable) -> None:
    file = application(changes=(QUICK,))
    filler = fill(small_disk, left=1_500_000)
    run = start(file, "-o", "json", "--allow-tmpfs", data=small_disk / "data")
    assert run.wait() in ENDED_BY_THE_DISK, run.text()
    assert "the disk is full" in run.err and "data/log" in run.err
    filler.unlink()
    report = assert_nothing_torn(run.data)
    assert 0 < report["inputs"] < ROWS, "the disk was full too early or too late for this test"
    again = start(file, "-o", "json", "--allow-tmpfs", data=small_disk / "data")
    assert again.wait() == 0, again.text()
    assert_exactly_once(again.data)


def test_a_disk_that_is_full_from_the_start_is_a_clear_error(place: Path, small_disk: Path, application: Callable,
                                                             start: Callable) -> None:
    filler = fill(small_disk)
    file = application(changes=(QUICK,))
    run = start(file, "-o", "json", "--allow-tmpfs", data=small_disk / "data")
    assert run.wait() in ENDED_BY_THE_DISK, run.text()
    assert "space" in run.err
    filler.unlink()
    again = start(file, "-o", "json", "--allow-tmpfs", data=small_disk / "data")
    assert again.wait() == 0, again.text()
    assert_exactly_once(again.data)


def test_a_model_store_that_is_full_fails_the_training_which_is_retried_as_declared(
        place: Path, small_disk: Path, application: Callable, start: Callable) -> None:
    models = small_disk / "models"
    models.mkdir()
    filler = fill(small_disk)
    changes = (("retries: {max: 2, delay: 10s}", "retries: {max: 100, delay: 300ms}"),)
    run = start(application(changes=changes), "-o", "json", env={"MODEL_PATH": str(models)})
    until(lambda: any(t["attempt"] >= 2 for t in run.items("trainings")), "a second attempt")
    filler.unlink()
    assert run.wait() == 0, run.text()
    assert_exactly_once(run.data)
    failed = [r for r in control_records(run.data) if r["type"] == "run_failed"]
    assert [r["attempt"] for r in failed] == list(range(1, len(failed) + 1)) and not any(r["final"] for r in failed)
    assert all(str(models) in r["cause"] for r in failed)
    assert run.summary()["trainings"][0]["attempt"] == len(failed) + 1


def test_a_signal_ends_it_while_it_waits_for_a_log_that_cannot_be_opened(place: Path, small_disk: Path, application: Callable,
                                                                         start: Callable) -> None:
    first = start(application(stop_when="{any: [{records: 10}]}"), "--allow-tmpfs", data=small_disk / "data")
    assert first.wait() == 0, first.text()
    fill(small_disk)
    run = start(application(), "--allow-tmpfs", data=small_disk / "data")
    until(lambda: "attempt 1 of 10" in run.err, "the first attempt")
    run.send(signal.SIGTERM)
    assert run.wait(30) == 143, run.text()
    assert "keeper.killed" not in run.err


def test_a_tmpfs_is_refused_unless_asked_for_by_name(place: Path, small_disk: Path, application: Callable,
                                                     start: Callable) -> None:
    run = start(application(), data=small_disk / "data")
    assert run.wait() == 78, run.text()
    assert "tmpfs" in run.err and "allow" in run.err


@pytest.mark.parametrize("call, error", [("fdatasync", "EIO"), ("fdatasync", "ENOSPC")])
def test_an_error_of_the_disk_under_a_commit_is_a_clear_error_and_nothing_is_lost_or_doubled(
        place: Path, application: Callable, start: Callable, call: str, error: str) -> None:
    if not shutil.which("strace"):
        pytest.skip("strace is not installed")
    file = application(rate="800/s", changes=(QUICK,))
    inject = ("strace", "-D", "-f", "-qq", "-o", str(place / "strace"), "-e", f"trace={call}",
              "-e", f"inject={call}:error={error}:when=40+")
    run = start(file, "-o", "json", prefix=inject)
    assert run.wait() in ENDED_BY_THE_DISK, run.text()
    assert error in (place / "strace").read_text(), "no error was injected"
    assert "log" in run.err and (os.strerror(5) if error == "EIO" else "space") in run.err
    assert_nothing_torn(run.data)
    again = start(file, "-o", "json")
    assert again.wait() == 0, again.text()
    assert_exactly_once(again.data)


def test_a_damaged_log_is_a_clear_error_and_never_a_silent_gap(place: Path, application: Callable, start: Callable) -> None:
    file = application(changes=(QUICK,))
    run = start(file, "-o", "json")
    assert run.wait() == 0, run.text()
    assert_exactly_once(run.data)
    damaged = [p for p in (run.data / "log").rglob("MANIFEST-*")]
    assert damaged
    for path in damaged:
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 0x10
        path.write_bytes(content)
    again = start(file, "-o", "json")
    assert again.wait() in (5, *ENDED_BY_THE_DISK), again.text()
    assert "log" in again.err.lower() and "corrupt" in again.err.lower()
