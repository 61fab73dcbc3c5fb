# SPDX-License-Identifier: Apache-2.0
"""What a peer must offer, and how its time is taken."""
import time

import numpy


class Busy(Exception):
    """A figure for one thread used more than one core."""


class Peer:
    """One library. What is prepared or made as input is not timed: a user has the data in the form it likes best."""

    trains = True  # or it takes over the forest of scikit-learn
    warms = False  # whether its first training takes so much longer that a user should know

    def __init__(self, work):
        self.work = work  # directory for what is compiled or written

    # -- training ---

    def prepare(self, rows, prices, threads):
        return rows, prices

    def train(self, prepared, threads):
        raise NotImplementedError

    # -- prediction, on one thread ---

    def serve(self, model):
        """Takes a trained model, or scikit-learn's forest, for the predictions that follow."""
        raise NotImplementedError

    def batch_input(self, rows):
        return rows

    def predict(self, batch):
        raise NotImplementedError

    def row_input(self, row):
        return self.batch_input(row)

    def predict_row(self, row):
        return self.predict(row)

    # -- time ---

    def cpu_seconds(self):
        return time.process_time()

    def timed(self, work, threads=1):
        """(what it returned, seconds, cores used). Raises Busy when one thread was asked for and more were used."""
        before, begin = self.cpu_seconds(), time.perf_counter()
        done = work()
        seconds = time.perf_counter() - begin
        cpu = self.cpu_seconds() - before
        if threads == 1 and cpu > 1.1 * seconds + 0.03:  # the JVM's clock moves in steps of 0.01
            raise Busy(f"one thread was asked for, and {cpu / seconds:.2f} cores were used")
        return done, seconds, cpu / seconds

    def batch_seconds(self, rows, size):
        """(median seconds for a row of a batch, cores used), over five passes through all full batches."""
        batches = [self.batch_input(rows[first : first + size]) for first in range(0, len(rows) - size + 1, size)]
        passes = []

        def one_pass():
            for batch in batches:
                self.predict(batch)

        one_pass()
        for _ in range(5):
            passes.append(self.timed(one_pass)[1:])
        seconds, cores = (float(numpy.median(column)) for column in zip(*passes))
        return seconds / (len(batches) * size), cores

    def row_seconds(self, rows):
        """(p50 of the seconds of a call with one row, cores used): always another row, for at most 1.5 seconds."""
        inputs = [self.row_input(rows[row : row + 1]) for row in range(len(rows))]
        call, clock, times = self.predict_row, time.perf_counter_ns, []
        for row in inputs[:50]:
            call(row)

        def one_pass():
            end = clock() + 1_500_000_000
            for row in inputs:
                begin = clock()
                call(row)
                times.append(clock() - begin)
                if begin > end:
                    break

        cores = self.timed(one_pass)[2]
        return float(numpy.median(times)) * 1e-9, cores
