# SPDX-License-Identifier: Apache-2.0
"""Penstock's forest beside its peers: installs them, measures all in turn, keeps and prints the table.

Needs Python alone; the peers live in a virtual environment in the build directory. Used by bench/run.py.
"""
import datetime
import hashlib
import json
import os
import pathlib
import platform
import re
import statistics
import subprocess
import sys
import venv

from peers.roster import PEERS, WORST_RMSE

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
REQUIREMENTS = HERE / "requirements.txt"
RESULTS = HERE / "results.json"

REPETITIONS = 10
# metric → heading; those that the table shows, all of them the less the better.
COLUMNS = {
    "train_16k_1thread_s": "train, 1 thread, s",
    "train_16k_2threads_s": "2 threads, s",
    "train_1m_2threads_s": "1 M rows, 2 threads, s",
    "predict_batch_ns_per_row_tree": "batch of 4,128, ns",
    "predict_batch64_ns_per_row_tree": "batch of 64, ns",
    "predict_row_us": "one row p50, µs",
}
# Figures that only some have, told below the table.
ASIDES = {
    "build_s": "{} s to compile",
    "train_16k_2threads_cold_s": "{} s for the first training on two threads, of a cold JVM",
    "predict_frame_row_p50_us": "{} µs for a data frame of one row",
}


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def versions():
    return dict(re.findall(r"^([\w-]+)==(\S+)$", REQUIREMENTS.read_text(), re.MULTILINE))


def environment(build):
    """The Python with all peers installed; made anew when requirements.txt has changed."""
    if not (3, 11) <= sys.version_info < (3, 14):
        raise SystemExit(f"bench: the peers need Python 3.11 to 3.13, and python3 is {platform.python_version()}")
    home = build / "peers-venv"
    stamp, wanted = home / "installed", hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    python = home / "bin/python"
    if not (stamp.exists() and stamp.read_text() == wanted):
        say(f"installs the peers into {home} (about 1.2 GB)")
        venv.create(home, clear=True, with_pip=True)
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", REQUIREMENTS]
        if subprocess.run(pip, check=False).returncode != 0:
            raise SystemExit("bench: the peers could not be installed; the lines above say why. Is the network there?")
        stamp.write_text(wanted)
    return python


def missing(name):
    """What a peer lacks on this machine, or nothing."""
    if name != "spark":
        return None
    try:
        told = subprocess.run(["java", "-version"], capture_output=True, text=True, check=True).stderr
    except (OSError, subprocess.CalledProcessError):
        return "it needs Java 17, and there is none: apt-get install openjdk-17-jre-headless"
    found = re.search(r'version "(\d+)', told)
    if found and int(found[1]) < 17:
        return f"it needs Java 17, and `java` is version {found[1]}: apt-get install openjdk-17-jre-headless"
    return None


class PeerFailed(Exception):
    pass


class Ours:
    def __init__(self, build):
        self.program = build / "bench/forest_bench"

    def ask(self, command):
        flags = {"repetition": "--once", "million": "--million"}
        done = subprocess.run([self.program, flags[command]], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode != 0:
            raise SystemExit(f"bench: forest_bench {flags[command]} ended with {done.returncode}")
        lines = re.sub(r":-?nan\b", ":NaN", done.stdout).splitlines()
        rows = [json.loads(line) for line in lines if line.startswith('{"')]
        rmse = next((row["value"] for row in rows if row["metric"] == "rmse"), 0)
        if not rmse <= WORST_RMSE:
            raise SystemExit(f"bench: our own forest is broken: RMSE {rmse} on the test rows")
        return rows

    def stop(self):
        pass


class Worker:
    """A peer in a process of its own."""

    def __init__(self, name, python, work):
        self.log = work / f"{name}.log"
        command = [python, HERE / "worker.py", name, work]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                command, cwd=work, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
            )

    def ask(self, command):
        try:
            self.process.stdin.write(command + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # it has ended; what it said is still there to be read
        line = self.process.stdout.readline()
        answer = json.loads(line) if line else {"error": "it ended without a word"}
        if "error" in answer:
            say(f"{self.log} says more")
            raise PeerFailed(answer["error"])
        return answer["figures"]

    def stop(self):
        if not self.process.stdin.closed:
            try:
                self.process.stdin.close()
            except BrokenPipeError:
                pass
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


class Comparison:
    """Asks ours and each peer in turn, and gathers what they answer."""

    def __init__(self, build, names):
        self.found = {}  # name → metric → rows; Penstock is "ours"
        self.left_out = {}
        self.all = {"ours": Ours(build)}
        for name in names:
            why = missing(name)
            if why:
                self.leave_out(name, why)
        wanted = [name for name in names if name not in self.left_out]
        python = environment(build) if wanted else None
        work = build / "work/peers"
        work.mkdir(parents=True, exist_ok=True)
        for name in wanted:
            self.all[name] = Worker(name, python, work)

    def leave_out(self, name, why):
        say(f"{name} is left out: {why}")
        self.left_out[name] = why
        self.found.pop(name, None)

    def ask(self, name, command):
        if name in self.left_out:
            return
        try:
            for row in self.all[name].ask(command):
                self.found.setdefault(name, {}).setdefault(row["metric"], []).append(row)
        except PeerFailed as problem:
            self.leave_out(name, str(problem))

    def measure(self, quick):
        peers = [name for name in self.all if name != "ours"]
        for name in peers:
            say(f"warms up {name}")
            self.ask(name, "warm")
        for repetition in range(1 if quick else REPETITIONS):
            say(f"repetition {repetition + 1}")
            for name in self.all:
                self.ask(name, "repetition")
        for turn in range(0 if quick else 3):
            for name in self.all:
                if name == "ours" or turn < PEERS[name].million_runs:
                    say(f"a million rows: {name}, {turn + 1}")
                    self.ask(name, "million")

    def stop(self):
        for one in self.all.values():
            one.stop()


def summary(rows):
    values = [row["value"] for row in rows]
    cores = [row["cores"] for row in rows if row.get("cores")]
    digits = lambda value: float(f"{value:.6g}")
    return {
        "median": digits(statistics.median(values)),
        "least": digits(min(values)),
        "most": digits(max(values)),
        "runs": len(values),
        "unit": rows[0]["unit"],
    } | ({"cores": round(statistics.median(cores), 2)} if cores else {})


def run(build, names, quick):
    """Measures ours and the peers of those names. For a quick run: one repetition, no million."""
    comparison = Comparison(build, names)
    try:
        comparison.measure(quick)
    finally:
        comparison.stop()
    figures = {
        name: {metric: summary(rows) for metric, rows in comparison.found[name].items()}
        for name in comparison.all
        if name in comparison.found
    }
    for name, of in figures.items():
        for metric, figure in of.items():
            if metric in COLUMNS and "2threads" not in metric and figure.get("cores", 1) < 0.9:
                say(f"the machine was busy: {name} had {figure['cores']} of a core for {metric}")
    return {
        "date": str(datetime.date.today()),
        "machine": f"{os.cpu_count()} × {processor()}, Linux {platform.release()}",
        "repetitions": 1 if quick else REPETITIONS,
        "versions": {name: versions()[PEERS[name].package] for name in figures if name != "ours"},
        "left_out": comparison.left_out,
        "figures": figures,
    }


def number(value):
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def table(results):
    """A row for ours and for each peer; in brackets how many times as long as ours it takes."""
    figures, ours = results["figures"], results["figures"]["ours"]
    lines = ["| | " + " | ".join([*COLUMNS.values(), "RMSE"]) + " |", "|---" * (len(COLUMNS) + 2) + "|"]
    for name, of in figures.items():
        title = "Penstock" if name == "ours" else PEERS[name].title.format(results["versions"][name])
        cells = []
        for metric in COLUMNS:
            cell = number(of[metric]["median"]) if metric in of else "–"
            if name != "ours" and metric in of and metric in ours:
                cell += f" (×{number(of[metric]['median'] / ours[metric]['median'])})"
            cells.append(cell)
        cells.append(f"{of['rmse']['median']:.4f}")
        lines.append(f"| {title} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def section(results):
    """The part of docs/performance.md."""
    lines = [
        "\n## forest and its peers\n",
        "`bench/run.sh forest --peers`",
        "",
        f"Measured on {results['date']}: {results['machine']}. Medians of {results['repetitions']} repetitions (a "
        "million rows: 3 or 1), ours and each peer in turn; in brackets how many times as long as ours it takes. "
        "California Housing, 16,512 × 8, 100 trees of depth 10, all features at each split. Training starts from the "
        "rows in memory and includes binning; predictions use one thread, batches in ns per row and tree.",
        "",
        table(results),
        "",
    ]
    for name, of in results["figures"].items():
        if name != "ours":
            asides = [words.format(number(of[metric]["median"])) for metric, words in ASIDES.items() if metric in of]
            title = PEERS[name].title.format(results["versions"][name])
            lines.append(f"- {title}: {'; '.join([PEERS[name].note, *asides])}.")
    for name, why in results["left_out"].items():
        lines.append(f"- {PEERS[name].title.format(versions()[PEERS[name].package])} was left out: {why}.")
    return "\n".join(lines) + "\n"


def rows(results):
    """As bench/run.sh --json writes them: our value, a peer's, and ours by the peer's."""
    made, ours = [], results["figures"]["ours"]
    for metric, figure in ours.items():
        row = {"metric": metric, "value": figure["median"], "unit": figure["unit"], "runs": figure["runs"]}
        for name, of in results["figures"].items():
            if name != "ours" and metric in of:
                value = of[metric]["median"]
                peer = PEERS[name].title.format(results["versions"][name])
                made.append(row | {"peer": peer, "peer_value": value, "ratio": figure["median"] / value})
    return made


def keep(results):
    RESULTS.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")


def kept():
    """The last full comparison, or nothing."""
    return json.loads(RESULTS.read_text()) if RESULTS.exists() else None
