# SPDX-License-Identifier: Apache-2.0
"""The real keeper with small children: restarts, exit codes, giving up, signals, dying together.

PENSTOCK_BUILD names the build directory (default: build-test of this checkout). Nothing here asserts how long something
took; waiting is for a condition with a deadline.
"""

import json
import os
import pathlib
import pty
import random
import resource
import signal
import subprocess
import sys
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("PENSTOCK_BUILD", ROOT / "build-test"))
KEEPER = BUILD / "bin" / "penstock-keeper"
DEADLINE_S = float(os.environ.get("PENSTOCK_DEADLINE", "30"))

# Appends "incarnation last-death pid" to the file that its first argument names, then does what its second one says.
CHILD = """
import os, signal, sys, time
path, action = sys.argv[1], sys.argv[2]
got = []
if action == "report":
    for s in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(s, lambda number, frame: got.append(number))
elif action == "deaf":
    for s in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(s, signal.SIG_IGN)
with open(path, "a") as f:
    f.write(f"{os.environ['PENSTOCK_INCARNATION']} {os.environ['PENSTOCK_LAST_DEATH']} {os.getpid()}"
            f" {os.environ['PENSTOCK_KEEPER_PID']}\\n")
if action == "exit":
    codes = sys.argv[3:]
    n = int(os.environ["PENSTOCK_INCARNATION"])
    code = codes[min(n, len(codes)) - 1]
    if code.startswith("signal:"):
        os.kill(os.getpid(), int(code[7:]))
        time.sleep(60)
    sys.exit(int(code))
if action == "report":
    while not got:
        time.sleep(0.01)
    time.sleep(0.3)  # long enough for a second copy of the signal to arrive
    with open(path + ".signals", "w") as f:
        f.write(" ".join(map(str, got)))
    sys.exit(7)
while True:
    time.sleep(60)
"""


def until(condition, what):
    end = time.monotonic() + DEADLINE_S
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError(f"waited {DEADLINE_S} s in vain: {what}")


def alive(pid):
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rsplit(")", 1)[1].split()[0] != "Z"


def as_from_a_terminal():
    """Run in the keeper before exec: what a job in the background inherits (SIGINT ignored) is not under test, and cores
    of children that crash on purpose cost seconds."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


class Kept:
    """One keeper and what its children wrote."""

    def __init__(self, folder, *action, options=(), before_exec=lambda: None):
        def prepare():
            as_from_a_terminal()
            before_exec()

        self.path = folder / "lives"
        self.process = subprocess.Popen(
            [KEEPER, *options, "--", sys.executable, "-c", CHILD, self.path, *action],
            stderr=subprocess.PIPE, text=True, preexec_fn=prepare)

    def lives(self):
        """[(incarnation, last death, pid, keeper pid)], whole lines only."""
        if not self.path.exists():
            return []
        text = self.path.read_text()
        lines = text[:text.rfind("\n") + 1].splitlines()
        return [(int(a), b, int(c), int(d)) for a, b, c, d in (line.split() for line in lines)]

    def life(self, n):
        return until(lambda: len(self.lives()) >= n and self.lives()[n - 1], f"life {n}")

    def result(self):
        _, err = self.process.communicate(timeout=DEADLINE_S)
        return self.process.returncode, err

    def end(self):
        for _, _, pid, _ in self.lives():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def kept(tmp_path):
    started = []

    def start(*action, **options):
        started.append(Kept(tmp_path, *action, **options))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.process.kill()
            time.sleep(0)
        one.end()


def test_survives_20_kills_at_random_moments(kept):
    seed = int(os.environ.get("PENSTOCK_SEED", "42"))
    print("seed", seed)
    rng = random.Random(seed)
    keeper = kept("wait")
    for n in range(1, 22):
        incarnation, last, pid, keeper_pid = keeper.life(n)
        assert incarnation == n
        assert last == ("none" if n == 1 else "signal:9")
        assert keeper_pid == keeper.process.pid
        # A life under 100 ms counts as one that did not come up; start-up of the child is part of it.
        time.sleep(0.1 + rng.random() * 0.3)
        os.kill(pid, signal.SIGKILL)
    keeper.life(22)
    assert keeper.process.poll() is None


@pytest.mark.parametrize("code", [0, 2, 3, 4, 5, 69, 77, 78, 130, 143])
def test_passes_on_final_exit_codes_without_restart(kept, code):
    keeper = kept("exit", str(code))
    assert keeper.result()[0] == code
    assert len(keeper.lives()) == 1


def test_tells_the_next_life_how_the_last_one_ended(kept):
    keeper = kept("exit", "1", "70", "86", "signal:11", "signal:6", "75", "0", options=("--backoff-initial", "1"))
    code, err = keeper.result()
    assert code == 0
    assert [life[1] for life in keeper.lives()] == \
        ["none", "exit:1", "exit:70", "watchdog", "signal:11", "signal:6", "exit:75"]
    lines = [json.loads(line) for line in err.splitlines() if line.startswith("{")]
    assert [line["event"] for line in lines] == ["keeper.restarted"] * 6
    assert [line["cause"] for line in lines][:3] == ["exit:1", "exit:70", "watchdog"]


def test_gives_up_with_a_clear_message_and_exit_code_1(kept):
    keeper = kept("exit", "1", options=("--intensity", "3", "--within", "60", "--backoff-initial", "1"))
    code, err = keeper.result()
    assert code == 1
    assert len(keeper.lives()) == 4
    assert "penstock-keeper: gave up after 3 restarts in 60 s; last death: exit code 1; see " in err


def test_does_not_give_up_over_segfaults_as_early(kept):
    keeper = kept("exit", *["signal:11"] * 8, "0",
                  options=("--intensity", "2", "--within", "60", "--backoff-initial", "1"))
    assert keeper.result()[0] == 0
    assert len(keeper.lives()) == 9


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_passes_a_stop_signal_on_once_and_returns_the_childs_code(kept, number):
    keeper = kept("report")
    keeper.life(1)
    for _ in range(3):
        keeper.process.send_signal(number)
        time.sleep(0.05)  # two that are pending at once would be one
    code, _ = keeper.result()
    assert code == 7
    assert pathlib.Path(str(keeper.path) + ".signals").read_text() == str(int(number))
    assert len(keeper.lives()) == 1


def test_kills_a_child_that_does_not_stop(kept):
    keeper = kept("deaf")
    _, _, pid, _ = keeper.life(1)
    keeper.process.terminate()
    code, err = keeper.result()
    assert code == 128 + signal.SIGKILL
    assert "did not end within 6 s" in err
    assert not alive(pid)


def test_stops_at_once_while_it_waits_for_a_restart(kept):
    keeper = kept("exit", "75", options=("--backoff-initial", "1000000", "--backoff-max", "1000000"))
    keeper.life(1)
    until(lambda: "starts in" in keeper.process.stderr.readline(), "the announcement of the restart")
    keeper.process.terminate()
    assert keeper.result()[0] == 128 + signal.SIGTERM
    assert len(keeper.lives()) == 1


def test_child_gets_sigterm_when_the_keeper_is_killed(kept):
    keeper = kept("report")
    _, _, pid, _ = keeper.life(1)
    keeper.process.kill()
    until(lambda: not alive(pid), "the child's end")
    assert pathlib.Path(str(keeper.path) + ".signals").read_text() == str(int(signal.SIGTERM))


def test_ctrl_c_on_a_terminal_reaches_the_child_once(tmp_path):
    path = tmp_path / "lives"
    pid, terminal = pty.fork()
    if pid == 0:
        as_from_a_terminal()
        os.execv(KEEPER, [str(KEEPER), "--", sys.executable, "-c", CHILD, str(path), "report"])
    try:
        until(lambda: path.exists() and path.read_text().endswith("\n"), "the child's start")
        os.write(terminal, b"\x03")
        _, status = os.waitpid(pid, 0)
    finally:
        os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == 7
    assert pathlib.Path(str(path) + ".signals").read_text() == str(int(signal.SIGINT))


def test_ignored_hangup_stays_ignored(kept):
    keeper = kept("wait", before_exec=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    _, _, pid, _ = keeper.life(1)
    keeper.process.send_signal(signal.SIGHUP)
    os.kill(pid, signal.SIGKILL)
    assert keeper.life(2)[1] == "signal:9"
    assert keeper.process.poll() is None


def test_reports_a_command_that_cannot_be_run():
    missing = subprocess.run([KEEPER, "--", "/no/such/program"], capture_output=True, text=True, timeout=DEADLINE_S)
    assert missing.returncode == 127
    assert "cannot run /no/such/program: No such file or directory" in missing.stderr
    folder = subprocess.run([KEEPER, "--", "/tmp"], capture_output=True, text=True, timeout=DEADLINE_S)
    assert folder.returncode == 126


def test_explains_wrong_usage():
    for arguments in ([], ["--"], ["--intensity", "x", "--", "true"], ["true"]):
        wrong = subprocess.run([KEEPER, *arguments], capture_output=True, text=True, timeout=DEADLINE_S)
        assert wrong.returncode == 2, arguments
        assert "Usage:" in wrong.stderr
    right = subprocess.run([KEEPER, "--help"], capture_output=True, text=True, timeout=DEADLINE_S)
    assert right.returncode == 0
    assert "--intensity" in right.stdout


def test_takes_less_than_4_mb_of_private_memory(kept):
    keeper = kept("wait")
    keeper.life(1)
    rollup = pathlib.Path(f"/proc/{keeper.process.pid}/smaps_rollup").read_text()
    private_kb = sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Private_"))
    print("private memory:", private_kb, "kB")
    assert 0 < private_kb < 4096


def test_calls_a_kill_for_want_of_memory_oom(kept, tmp_path):
    group = pathlib.Path("/sys/fs/cgroup/memory") / f"penstock-test-{os.getpid()}"
    limit, members = "memory.limit_in_bytes", "cgroup.procs"
    if not group.parent.is_dir():
        group, limit = pathlib.Path("/sys/fs/cgroup") / group.name, "memory.max"
    try:
        group.mkdir()
        (group / limit).write_text(str(32 << 20))
    except OSError as problem:
        pytest.skip(f"no memory control group can be made here: {problem}")
    eater = tmp_path / "eater"
    eater.write_text("import os, sys\n"
                     "if os.environ['PENSTOCK_LAST_DEATH'] == 'oom': sys.exit(0)\n"
                     "if os.environ['PENSTOCK_INCARNATION'] != '1': sys.exit(3)\n"
                     "hoard = [bytearray(1 << 20) for _ in range(500)]\n")
    try:
        process = subprocess.Popen([KEEPER, "--", sys.executable, eater],
                                   preexec_fn=lambda: (group / members).write_text(str(os.getpid())))
        assert process.wait(timeout=DEADLINE_S) == 0
    finally:
        until(lambda: not (group / members).read_text(), "the end of the group")
        group.rmdir()
