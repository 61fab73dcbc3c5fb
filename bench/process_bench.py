#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Real processes: start to ready, kill -9 to the next commit of every shard, memory under load.

One JSON object per line: metric, value, unit. Usage: process_bench.py BIN_DIR WORK_DIR [--quick] [--kills N]
Ends only processes that it started.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import signal
import statistics
import subprocess
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
PORT = 17780


def show(metric, value, unit):
    print(json.dumps({"metric": metric, "value": value, "unit": unit}), flush=True)


def application(directory, rate, repeat):
    """The shipped application with another rate, over and over the same rows, without an end."""
    text = (ROOT / "pipelines/house-prices.yaml").read_text()
    text = text.replace("../data/", f"{ROOT}/data/")
    text = text.replace("rate: 450/s", f"rate: {rate}/s\n  repeat: {repeat}")
    text = re.sub(r"\n  stop_when:.*", "", text)
    path = directory / "application.yaml"
    path.write_text(text)
    return path


def ask(path):
    with urllib.request.urlopen(f"http://127.0.0.1:{PORT}{path}", timeout=1) as answer:
        return answer.read()


def shards():
    body = json.loads(ask("/api/v1/shards"))
    return body["items"] if isinstance(body, dict) else body


def wait_until(condition, limit, step=0.001):
    """Seconds until the condition held."""
    begin = time.monotonic()
    while time.monotonic() - begin < limit:
        try:
            if condition():
                return time.monotonic() - begin
        except (OSError, urllib.error.URLError, ValueError, LookupError):
            pass
        time.sleep(step)
    raise SystemExit("process_bench: a condition did not come true in time")


def runtime_of(keeper):
    children = pathlib.Path(f"/proc/{keeper}/task/{keeper}/children").read_text().split()
    return int(children[0])


def memory(pid, fields):
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    return sum(int(re.search(rf"^{name}:\s+(\d+) kB", text, re.M).group(1)) for name in fields) / 1024


class Node:
    def __init__(self, binaries, data, file):
        self.begin = time.monotonic()
        command = [binaries / "penstock", "node", "--data", data, "--http", str(PORT), "-f", file]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=open(data.parent / "log.txt", "ab"))

    def runtime(self):
        return runtime_of(self.process.pid)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)


def commits():
    return {shard["name"]: shard["commits"] for shard in shards()}


def start_to_ready(binaries, work, runs):
    """From exec of `penstock node` to the first good answer of /readyz, with the model in the store."""
    took = []
    for _ in range(runs):
        node = Node(binaries, work / "data", work / "application.yaml")
        wait_until(lambda: ask("/readyz"), 20)
        took.append((time.monotonic() - node.begin) * 1000)
        node.stop()
    show("start_to_ready_p50_ms", statistics.median(took), "ms")


def kill_to_commit(node, kills):
    took = []
    for _ in range(kills):
        wait_until(lambda: all(n > 0 for n in commits().values()), 20)
        time.sleep(0.3)
        old = node.runtime()
        os.kill(old, signal.SIGKILL)
        begin = time.monotonic()
        wait_until(lambda: node.runtime() != old and (now := commits()) and all(n > 0 for n in now.values()), 30)
        took.append((time.monotonic() - begin) * 1000)
    took.sort()
    show("kill_to_commit_p50_ms", statistics.median(took), "ms")
    show("kill_to_commit_p99_ms", took[min(len(took) - 1, int(len(took) * 0.99))], "ms")
    show("kill_to_commit_kills", kills, "1")


def under_load(node, seconds):
    runtime = node.runtime()
    figures = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(seconds / 20)
        figures.append(memory(runtime, ["Pss"]))
    done = sum(p["metrics"]["records"] for s in shards() for p in s["partitions"])
    show("memory_runtime_pss_first_mib", figures[len(figures) // 4], "MiB")
    show("memory_runtime_pss_last_mib", figures[-1], "MiB")
    show("memory_runtime_pss_max_mib", max(figures), "MiB")
    show("memory_keeper_private_mib", memory(node.process.pid, ["Private_Clean", "Private_Dirty"]), "MiB")
    show("memory_records_processed", done, "1")


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("binaries", type=pathlib.Path)
    arguments.add_argument("work", type=pathlib.Path)
    arguments.add_argument("--quick", action="store_true")
    arguments.add_argument("--kills", type=int, default=100)
    arguments.add_argument("--load-seconds", type=int, default=100)
    chosen = arguments.parse_args()
    if chosen.quick:
        chosen.kills, chosen.load_seconds = 10, 10
    binaries = chosen.binaries.resolve()
    work = chosen.work.resolve()
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    application(work, 1000, 1_000_000)
    node = Node(binaries, work / "data", work / "application.yaml")
    try:
        wait_until(lambda: all(n > 0 for n in commits().values()), 60)
        kill_to_commit(node, chosen.kills)
    finally:
        node.stop()
    start_to_ready(binaries, work, 3 if chosen.quick else 11)
    shutil.rmtree(work / "data")
    application(work, 10_000, 1_000_000)
    node = Node(binaries, work / "data", work / "application.yaml")
    try:
        wait_until(lambda: all(n > 0 for n in commits().values()), 60)
        under_load(node, chosen.load_seconds)
    finally:
        node.stop()
    shutil.rmtree(work)


if __name__ == "__main__":
    main()
