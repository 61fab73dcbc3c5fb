#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs benchmarks of a build, takes medians over runs, compares with targets, writes docs/performance.md. See run.sh."""
import argparse
import datetime
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys

from peers import compare
from peers.roster import PEERS as FOREST_PEERS

ROOT = pathlib.Path(__file__).resolve().parent.parent
WORK = "work"  # in the build directory: on its disk, not on tmpfs
PAGE = ROOT / "docs/performance.md"
HEAD = """# Performance

Written by `bench/run.sh NAME --page` and `bench/run.sh all`; do not edit. Medians; ratios compare figures of the same run.
"""

# name → (command, runs, runs with --quick); {b} is the build directory, {w} a directory for data, {peers} the Python of
# the peers when they are asked for.
BENCHMARKS = {
    "forest": ("{b}/bench/forest_bench", 10, 1),
    "forest-avx2": ("env PENSTOCK_INSTRUCTION_SET=avx2 {b}/bench/forest_bench", 10, 1),
    "forest-portable": ("env PENSTOCK_INSTRUCTION_SET=portable {b}/bench/forest_bench", 10, 1),
    "forest-memory-8": ("{b}/bench/forest_bench --memory 8", 1, 1),
    "forest-memory-20": ("{b}/bench/forest_bench --memory 20", 1, 1),
    "accuracy": ("python3 bench/accuracy.py {b}/bench/forest_accuracy {peers}", 1, 1),
    "codec": ("{b}/bench/codec_bench", 5, 1),
    "storage": ("{b}/bench/storage_bench {w} {records}", 5, 1),
    "pipeline": ("{b}/bench/pipeline_bench {w} {records}", 5, 1),
    "supervision": ("{b}/bench/supervision_bench", 5, 1),
    "process": ("python3 bench/process_bench.py {b}/bin {w} {quick}", 1, 1),
}

# What a figure is held against: (peer, metric of the same run) or (words, number).
PEERS = {
    "pipeline_records_per_s": ("storage ceiling, same bytes", "storage_ceiling_records_per_s"),
    "actor_restart_p50_ms": ("target", 1),
    "actor_restart_p99_ms": ("target", 1),
    "start_to_ready_p50_ms": ("target", 150),
    "kill_to_commit_p50_ms": ("target", 250),
    "kill_to_commit_p99_ms": ("target", 1000),
    "memory_runtime_pss_max_mib": ("target", 48),
    "memory_keeper_private_mib": ("target", 4),
    "decode_encode_ns": ("target", 400),
}


def run_once(name, build, quick, peers=""):
    command, _, _ = BENCHMARKS[name]
    work = build / WORK
    work.mkdir(parents=True, exist_ok=True)
    line = command.format(
        b=build, w=work / name, records=200_000 if quick else 1_000_000, quick="--quick" if quick else "", peers=peers
    )
    done = subprocess.run(line.split(), cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"bench: {line} ended with {done.returncode}")
    return [json.loads(text) for text in done.stdout.splitlines() if text.startswith("{\"")]


def medians(name, build, quick, peers=""):
    runs = BENCHMARKS[name][2 if quick else 1]
    values, units, own_peers = {}, {}, {}
    for _ in range(runs):
        for row in run_once(name, build, quick, peers):
            values.setdefault(row["metric"], []).append(row["value"])
            units[row["metric"]] = row["unit"]
            if "peer" in row:
                own_peers[row["metric"]] = (row["peer"], row["peer_value"])
    rows = []
    for metric, found in values.items():
        row = {"metric": metric, "value": statistics.median(found), "unit": units[metric], "runs": len(found)}
        peer = own_peers.get(metric) or PEERS.get(metric)
        if peer:
            value = peer[1] if isinstance(peer[1], (int, float)) else statistics.median(values[peer[1]])
            row |= {"peer": peer[0], "peer_value": value, "ratio": row["value"] / value}
        rows.append(row)
    return rows


def number(value):
    if value == 0 or 0.01 <= abs(value) < 1000:
        return f"{value:.3g}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.2e}"


def table(rows):
    lines = ["| figure | median | unit | runs | beside | its value | ratio |", "|---|---|---|---|---|---|---|"]
    for row in rows:
        beside = [row["peer"], number(row["peer_value"]), number(row["ratio"])] if "peer" in row else ["", "", ""]
        lines.append("| " + " | ".join([f"`{row['metric']}`", number(row["value"]), row["unit"], str(row["runs"]), *beside]) + " |")
    return "\n".join(lines)


def section(name, rows, quick):
    """The part of docs/performance.md about one benchmark, without its heading."""
    machine = f"{os.cpu_count()} × {compare.processor()}, Linux {platform.release()}"
    short = "; a quick run: fewer records and repetitions than the real one" if quick else ""
    return f"`bench/run.sh {name}`, {datetime.date.today()}, {machine}{short}.\n\n{table(rows)}\n"


def write_page(results, quick):
    """Puts new figures into docs/performance.md; what was not measured now stays as it was."""
    PAGE.parent.mkdir(exist_ok=True)
    parts = PAGE.read_text().split("\n## ")[1:] if PAGE.exists() else []
    kept = dict(part.split("\n\n", 1) for part in parts)
    new = {name: section(name, rows, quick) for name, rows in results.items()}
    body = [f"\n## {name}\n\n{(new.get(name) or kept[name]).rstrip()}\n" for name in BENCHMARKS if name in new or name in kept]
    if compare.kept():
        body.append(compare.section(compare.kept()))
    PAGE.write_text(HEAD + "".join(body))


def measure_peers(build, names, quick):
    """Rows of our forest beside its peers, and who was left out; a full run of all of them is kept for the page."""
    measured = compare.run(build, names or list(FOREST_PEERS), quick)
    print(f"forest and its peers\n{compare.table(measured)}\n")
    if not names and not quick:
        compare.keep(measured)
    return compare.rows(measured), measured["left_out"]


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("build", type=pathlib.Path)
    arguments.add_argument("name", choices=[*BENCHMARKS, "all"])
    arguments.add_argument("--quick", action="store_true")
    arguments.add_argument("--json", type=pathlib.Path)
    arguments.add_argument("--page", action="store_true", help="write the figures into docs/performance.md")
    arguments.add_argument("--peers", action="store_true")
    arguments.add_argument("--peer", action="append", choices=list(FOREST_PEERS), default=[])
    chosen = arguments.parse_args()
    if (chosen.peers or chosen.peer) and chosen.name not in ("forest", "accuracy", "all"):
        arguments.error("only forest and accuracy have peers")
    build = chosen.build.resolve()
    results, beside, left_out = {}, [], {}
    for name in BENCHMARKS if chosen.name == "all" else [chosen.name]:
        print(f"bench: {name} ...", file=sys.stderr)
        if name == "accuracy" and (chosen.peers or chosen.peer):
            results[name] = medians(name, build, chosen.quick, compare.environment(build))
        else:
            results[name] = medians(name, build, chosen.quick)
        print(f"{name}\n{table(results[name])}\n")
        if name == "forest" and (chosen.peers or chosen.peer):
            beside, left_out = measure_peers(build, chosen.peer, chosen.quick)
    if chosen.json:
        rows = [row for rows in results.values() for row in rows] + beside
        chosen.json.write_text(json.dumps(rows, indent=1) + "\n")
    if chosen.name == "all" or chosen.page:
        write_page(results, chosen.quick)
    if left_out:
        raise SystemExit(f"bench: without {', '.join(left_out)}; the lines above say why")


if __name__ == "__main__":
    main()
