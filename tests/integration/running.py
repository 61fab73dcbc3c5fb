# SPDX-License-Identifier: Apache-2.0
"""Real `penstock` processes under test: start, watch, kill, read what they left behind. Waiting is for a condition with a
deadline; nothing here asserts how long something took. Only processes that were started here are ever ended."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Callable

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("PENSTOCK_BUILD", ROOT / "build-test"))
PENSTOCK = BUILD / "bin" / "penstock"
VERIFY = ROOT / "tests" / "verifier" / "verify.py"
DATA_SET = ROOT / "data" / "california_housing.csv"
DEADLINE = float(os.environ.get("PENSTOCK_DEADLINE", "60"))
LONG = int(os.environ.get("PENSTOCK_LONG", "0") or 0)
HOUSE_PRICES = ROOT / "pipelines" / "house-prices.yaml"
ROWS = 4128  # of the streaming part
STOP_WHEN = "{any: [{records: 4128}, {idle: 30s}, {time: 120s}]}"


def many(bounded: int) -> int:
    """A count of the bounded form, or ten times as many with PENSTOCK_LONG=1."""
    return bounded * 10 if LONG else bounded


def until(condition: Callable[[], object], what: str, seconds: float = DEADLINE) -> object:
    """Waits for a condition and returns its value; says what did not come true."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.01)
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def penstock(*words: object, data: bytes | None = None, env: dict | None = None, cwd: Path | None = None,
             prefix: tuple = (), seconds: float = DEADLINE) -> subprocess.CompletedProcess:
    """Runs one command to its end."""
    return subprocess.run([*prefix, PENSTOCK, *map(str, words)], input=data, capture_output=True, timeout=seconds,
                          env=environment(env), cwd=cwd, check=False)


def environment(more: dict | None = None) -> dict:
    """This environment without what would configure Penstock by accident."""
    kept = {k: v for k, v in os.environ.items()
            if not k.startswith(("PENSTOCK_", "KAFKA_")) and not k.endswith(("_DATA_PATH", "MODEL_PATH"))}
    return {**kept, "NO_COLOR": "1", **(more or {})}


def write_application(place: Path, name: str = "house-prices.yaml", *, rate: str = "3000/s", trees: int = 10,
                      stop_when: str = STOP_WHEN, changes: tuple[tuple[str, str], ...] = ()) -> Path:
    """The application that ships, with changes: a small forest and a high rate, so that a test is short."""
    standard = (("../data/california_housing.csv", str(DATA_SET)), ("rate: 450/s", f"rate: {rate}"),
                ("n_estimators: 100", f"n_estimators: {trees}"), (STOP_WHEN, stop_when))
    text = HOUSE_PRICES.read_text()
    for old, new in (*standard, *changes):
        assert old in text, f"{HOUSE_PRICES.name} no longer says {old!r}"
        text = text.replace(old, new)
    file = place / name
    file.write_text(text)
    return file


def same_process(pid: int) -> str | None:
    """Start time of a process, which together with its number names it; None when it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else fields[19]


def children(pid: int) -> list[int]:
    try:
        return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


class Run:
    """`penstock run FILE`: a keeper and, as its child, the runtime."""

    def __init__(self, file: Path, data: Path, *options: object, faults: str = "", env: dict | None = None,
                 prefix: tuple = (), verb: tuple = ("run",), cwd: Path | None = None) -> None:
        self.data = data
        self.port = free_port()
        self.logs = file.parent / f"run-{self.port}"
        self.logs.mkdir(parents=True)
        with open(self.logs / "out", "wb") as out, open(self.logs / "err", "wb") as err:
            self.process = subprocess.Popen(
                [*prefix, PENSTOCK, *verb, file, "--data", data, "--http", str(self.port), *map(str, options)],
                stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True, cwd=cwd,
                env=environment({**({"PENSTOCK_FAULTS": faults} if faults else {}), **(env or {})}))
        self.started: dict[int, str] = {}  # processes seen below ours, with their start times

    # -- processes ------------------------------------------------------------

    @property
    def keeper(self) -> int:
        return self.process.pid

    def runtime(self) -> int | None:
        """The runtime's process number, None between two incarnations."""
        for pid in children(self.keeper):
            born = same_process(pid)
            if born and self._is_runtime(pid):
                self.started[pid] = born
                return pid
        return None

    @staticmethod
    def _is_runtime(pid: int) -> bool:
        try:
            return os.readlink(f"/proc/{pid}/exe") == str(PENSTOCK.resolve())
        except OSError:
            return False

    def wait_runtime(self, other_than: int | None = None) -> int:
        def look() -> int | None:
            assert self.process.poll() is None, f"ended with {self.process.returncode}: {self.text()}"
            found = self.runtime()
            return found if found != other_than else None
        return until(look, "the runtime process")

    def kill_runtime(self) -> int:
        """kill -9 of exactly that process."""
        pid = self.wait_runtime()
        self._send(pid, signal.SIGKILL)
        return pid

    def kill_both(self) -> None:
        """kill -9 of keeper and runtime: the keeper is frozen first, so that it cannot start another runtime."""
        os.kill(self.keeper, signal.SIGSTOP)
        for pid in children(self.keeper):
            self._send(pid, signal.SIGKILL)
        self.process.kill()
        self.process.wait(DEADLINE)

    def send(self, number: int) -> None:
        self.process.send_signal(number)

    def _send(self, pid: int, number: int) -> None:
        try:
            handle = os.pidfd_open(pid)
        except ProcessLookupError:
            return
        try:
            signal.pidfd_send_signal(handle, number)
        except ProcessLookupError:
            pass
        finally:
            os.close(handle)

    def wait(self, seconds: float = DEADLINE) -> int:
        """Exit code; a run that does not end in time is a failure of the test."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"did not end within {seconds:.0f} s: {self.text()}") from None

    def stop(self) -> None:
        """Ends what is left of it, at the end of a test."""
        if self.process.poll() is None:
            self.runtime()
            self.process.kill()
            self.process.wait(DEADLINE)
        for pid, born in self.started.items():
            if same_process(pid) == born:
                self._send(pid, signal.SIGKILL)

    # -- what it says ---------------------------------------------------------

    @property
    def out(self) -> str:
        return (self.logs / "out").read_text(errors="replace")

    @property
    def err(self) -> str:
        return (self.logs / "err").read_text(errors="replace")

    def text(self) -> str:
        return f"{self.out[-3000:]}\n{self.err[-6000:]}"

    def summary(self) -> dict:
        """The JSON object of `-o json`."""
        return json.loads(self.out)

    # -- its HTTP API ---------------------------------------------------------

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def request(self, path: str, body: bytes | None = None, kind: str = "application/json") -> tuple[int, str]:
        """Status and text of an answer; status 0 when nobody answers."""
        request = urllib.request.Request(self.url + path, data=body, headers={"Content-Type": kind} if body else {})
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read().decode()
        except OSError:
            return 0, ""
        except Exception as broken:  # noqa: BLE001 - a process killed in the middle of an answer
            return 0, str(broken)

    def json(self, path: str) -> object | None:
        """An answer, None while there is none."""
        status, text = self.request(path)
        return json.loads(text) if status == 200 else None

    def items(self, noun: str) -> list[dict]:
        """A list of the API, empty while there is none."""
        found = self.json(f"/api/v1/{noun}")
        return found["items"] if isinstance(found, dict) else found or []

    def committed(self) -> int:
        """Input records that are done with, as far as the runtime tells."""
        return sum(p["committed"] for shard in self.items("shards") for p in shard["partitions"])

    def ready(self) -> bool:
        return self.request("/readyz")[0] == 200


# -- what is left on disk -------------------------------------------------------


def consume(data: Path, topic: str) -> list[dict]:
    """Records of a topic in a directory that no process holds."""
    done = penstock("topic", "consume", topic, "--log", f"rocksdb:{data}/log", "-o", "jsonl")
    assert done.returncode == 0, done.stderr.decode()
    return [json.loads(line) for line in done.stdout.decode(errors="surrogateescape").split("\n") if line]


def topics(data: Path) -> list[str]:
    """Names of the topics in a directory that no process holds."""
    done = penstock("topic", "list", "--log", f"rocksdb:{data}/log", "-o", "json")
    assert done.returncode == 0, done.stderr.decode()
    found = json.loads(done.stdout)
    return [t["name"] for t in (found["items"] if isinstance(found, dict) else found)]


def control_records(data: Path) -> list[dict]:
    """Commands of the control topic."""
    name = next(t for t in topics(data) if t.endswith("control"))
    return [json.loads(r["value"]) for r in consume(data, name)]


def snapshot(place: Path) -> dict[str, tuple]:
    """Everything in a directory: to prove that nothing changed."""
    found = {}
    for path in sorted(place.rglob("*")):
        about = path.lstat()
        content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        found[str(path.relative_to(place))] = (about.st_mode, about.st_size if path.is_file() else 0, content)
    return found


def verify(data: Path, *options: object) -> dict:
    """The verifier's report on the house prices of a directory that no process holds."""
    done = subprocess.run([sys.executable, VERIFY, "--preset", "house-prices", "--penstock", PENSTOCK, "--log",
                           f"rocksdb:{data}/log", "--csv", DATA_SET, "-o", "json", *map(str, options)],
                          capture_output=True, timeout=DEADLINE * 2, env=environment(), check=False)
    assert done.returncode in (0, 1), done.stderr.decode()
    return json.loads(done.stdout)


def broken(report: dict) -> dict[str, list[str]]:
    """The promises that do not hold, with examples."""
    return {c["name"]: c["examples"] for c in report["checks"] if not c["holds"]}


def assert_exactly_once(data: Path, *options: object, expected: int = ROWS, foreign: int = 0, condemned: int = 0) -> dict:
    """Every row once, in order, with the right arithmetic; nothing but what is expected in the dead letters."""
    report = verify(data, "--expected", expected, "--foreign", foreign, "--condemned", condemned, *options)
    assert broken(report) == {}
    assert report["inputs"] == expected + foreign
    assert report["outputs"] + report["dead_letters"] == report["inputs"]
    return report


def assert_nothing_torn(data: Path) -> dict:
    """In the middle of the work, after a kill: what is there is a prefix of the whole."""
    report = verify(data, "--partial")
    assert broken(report) == {}
    return report
