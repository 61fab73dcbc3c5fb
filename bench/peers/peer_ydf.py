# SPDX-License-Identifier: Apache-2.0
import numpy
import ydf

from houses import DEPTH, FEATURES, TREES
from peer import Peer

COLUMNS = [f"f{feature}" for feature in range(FEATURES)]


def columns(rows):
    return {name: numpy.ascontiguousarray(rows[:, feature]) for feature, name in enumerate(COLUMNS)}


class YdfExact(Peer):
    discretised = False

    def prepare(self, rows, prices, threads):
        return columns(rows) | {"price": prices.astype(numpy.float32)}

    def train(self, prepared, threads):
        # The root counts as depth 1; -1 = all features at each split.
        return ydf.RandomForestLearner(
            label="price", task=ydf.Task.REGRESSION, num_trees=TREES, max_depth=DEPTH + 1, min_examples=1,
            num_candidate_attributes=-1, compute_oob_performances=False, num_threads=threads,
            discretize_numerical_columns=self.discretised,
        ).train(prepared, verbose=0)

    def serve(self, model):
        self.model = model

    def batch_input(self, rows):
        return columns(rows)

    def predict(self, batch):
        return self.model.predict(batch, num_threads=1)

    def row_seconds(self, rows):
        """Its own benchmark of its C++ interface, which gives a mean; a call from Python takes 30 times as long. It
        measures several threads too, which is not used."""
        data = columns(rows) | {"price": numpy.zeros(len(rows), numpy.float32)}
        measured = self.model.benchmark(data, benchmark_duration=0.5, warmup_duration=0.1, batch_size=1)
        return measured.duration_per_example, None


class YdfDiscretised(YdfExact):
    discretised = True
