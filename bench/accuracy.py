#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How good our forests are beside scikit-learn's, on the same splits with the same seeds: means over the seeds.

One JSON object per line: metric, value, unit, peer, peer_value. Usage: accuracy.py FOREST_ACCURACY [PEERS_PYTHON]
scikit-learn's values are those of tests/data/golden_sklearn.json; with the Python of the peers they are computed anew.
"""
import json
import pathlib
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
GOLDEN = ROOT / "tests/data/golden_sklearn.json"
FIGURES = {"houses": {"rmse": "100,000 USD", "r2": ""}, "heart": {"accuracy": "", "auc": ""}}


def lines(command):
    """data → metric → values by seed."""
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"accuracy: {command[0]} ended with {done.returncode}")
    found = {}
    for row in map(json.loads, done.stdout.splitlines()):
        for metric in FIGURES[row["data"]]:
            found.setdefault(row["data"], {}).setdefault(metric, {})[row["seed"]] = row[metric]
    return found


def golden():
    """(name of the peer, values as of `lines` where they are known by seed, (mean, deviation) of the others)."""
    kept = json.loads(GOLDEN.read_text())
    houses = kept["cal_100x10_split_and_model_seed_0_9"]
    column = {name: dict(enumerate(row[place] for row in houses["rows"])) for place, name in enumerate(houses["cols"])}
    hearts = {name: tuple(kept["heart_seed_0_19"][name][:2]) for name in FIGURES["heart"]}
    return f"scikit-learn {kept['sklearn']}", {"houses": column}, hearts


def main():
    name, theirs, means = golden()
    ours = lines([sys.argv[1]])
    if len(sys.argv) > 2:
        theirs = lines([sys.argv[2], str(ROOT / "bench/peers/scikit_learn_accuracy.py")])
        name += ", measured now"
    for data, metrics in FIGURES.items():
        for metric, unit in metrics.items():
            values = ours[data][metric]
            mean = statistics.mean(values.values())
            row = {"metric": f"{data}_{metric}_mean_of_{len(values)}_seeds", "value": mean, "unit": unit}
            if data in theirs:
                pairs = theirs[data][metric]
                if pairs.keys() != values.keys():
                    raise SystemExit(f"accuracy: {data} was measured with the seeds {list(values)} and {list(pairs)}")
                their_mean, spread = statistics.mean(pairs.values()), statistics.stdev(pairs.values())
            else:
                their_mean, spread = means[metric]
            print(json.dumps(row | {"peer": f"{name}, ± {spread:.4f}", "peer_value": their_mean}))
            if data in theirs:
                worst = max if metric == "rmse" else min
                ratio = worst(values[seed] / pairs[seed] for seed in values)
                row = {"metric": f"{data}_{metric}_worst_ratio_of_a_seed", "value": ratio, "unit": "ours / theirs"}
                print(json.dumps(row))


if __name__ == "__main__":
    main()
