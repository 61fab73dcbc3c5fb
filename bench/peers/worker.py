# SPDX-License-Identifier: Apache-2.0
"""One peer in a process of its own, which compare.py talks to.

  worker.py PEER WORK_DIRECTORY

Reads one command a line and answers each with one line of JSON: {"figures": [{"metric", "value", "unit", "cores"}]} or
{"error": TEXT}, after which it ends. `warm` must be the first; `repetition` measures everything once; `million` trains
on a million rows. `cores` is processor time by wall time.
"""
import importlib
import json
import os
import pathlib
import sys

import numpy

import houses
import roster


class Worker:
    def __init__(self, name, work):
        entry = roster.PEERS[name]
        self.peer = getattr(importlib.import_module(entry.module), entry.type)(work)
        self.data = houses.load()
        self.figures = []

    def add(self, metric, value, unit, cores=None):
        self.figures.append({"metric": metric, "value": value, "unit": unit, "cores": cores})

    def train(self, rows, prices, threads, metric):
        prepared = self.peer.prepare(rows, prices, threads)
        model, seconds, cores = self.peer.timed(lambda: self.peer.train(prepared, threads), threads)
        self.add(metric, seconds, "s", cores)
        return model

    def warm(self):
        if self.peer.trains:
            self.peer.serve(self.train(self.data.rows, self.data.prices, 2, "train_16k_2threads_cold_s"))
            if not self.peer.warms:
                self.figures.clear()
        else:
            from peer_scikit_learn import train_forest

            self.peer.serve(train_forest(self.data.rows, self.data.prices, 2))
        if hasattr(self.peer, "build_seconds"):
            self.add("build_s", self.peer.build_seconds, "s")
        self.check()

    def check(self):
        """That it predicts, in batches and by rows, what a forest of this shape can."""
        rows = self.data.test_rows
        found = numpy.asarray(self.peer.predict(self.peer.batch_input(rows)), dtype=float).ravel()
        for row in range(5):
            single = float(numpy.ravel(self.peer.predict_row(self.peer.row_input(rows[row : row + 1])))[0])
            if abs(single - found[row]) > 1e-4:
                raise RuntimeError(f"row {row} alone gives {single}, in a batch {found[row]}")
        errors = found - self.data.test_prices
        rmse = float(numpy.sqrt(numpy.mean(errors**2)))
        if not rmse <= roster.WORST_RMSE:
            raise RuntimeError(f"its forest is broken: RMSE {rmse:.4f} on the test rows")
        self.add("rmse", rmse, "100,000 USD")
        self.add("r2", float(1 - numpy.mean(errors**2) / numpy.var(self.data.test_prices)), "")

    def repetition(self):
        if self.peer.trains:
            self.train(self.data.rows, self.data.prices, 2, "train_16k_2threads_s")
            self.peer.serve(self.train(self.data.rows, self.data.prices, 1, "train_16k_1thread_s"))
        self.check()
        for size in (4128, 64):
            seconds, cores = self.peer.batch_seconds(self.data.test_rows, size)
            self.add(f"predict_batch{size if size == 64 else ''}_ns_per_row_tree", 1e9 * seconds / houses.TREES, "ns", cores)
        seconds, cores = self.peer.row_seconds(self.data.test_rows)
        self.add("predict_row_us", 1e6 * seconds, "us", cores)
        if hasattr(self.peer, "frame_row_seconds"):
            self.add("predict_frame_row_p50_us", 1e6 * self.peer.frame_row_seconds(self.data.test_rows[0]), "us")

    def million(self):
        self.train(*houses.million(self.data), 2, "train_1m_2threads_s")


def main():
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print goes to the log
    try:
        worker = Worker(sys.argv[1], pathlib.Path(sys.argv[2]))
        for command in sys.stdin:
            worker.figures = []
            {"warm": worker.warm, "repetition": worker.repetition, "million": worker.million}[command.strip()]()
            print(json.dumps({"figures": worker.figures}), file=answers, flush=True)
    except Exception as problem:
        print(json.dumps({"error": f"{type(problem).__name__}: {problem}"}), file=answers, flush=True)
        raise


if __name__ == "__main__":
    main()
