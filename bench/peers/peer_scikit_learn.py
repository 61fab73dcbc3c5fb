# SPDX-License-Identifier: Apache-2.0
from sklearn.ensemble import RandomForestRegressor

from houses import DEPTH, TREES
from peer import Peer


def train_forest(rows, prices, threads, seed=42):
    return RandomForestRegressor(TREES, max_depth=DEPTH, random_state=seed, n_jobs=threads).fit(rows, prices)


class ScikitLearn(Peer):

    def train(self, prepared, threads):
        return train_forest(*prepared, threads)

    def serve(self, model):
        self.model = model.set_params(n_jobs=1)

    def predict(self, batch):
        return self.model.predict(batch)
