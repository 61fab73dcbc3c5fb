# SPDX-License-Identifier: Apache-2.0
"""What forest_accuracy.cpp prints, of scikit-learn: a JSON line for each seed of the split and of the model."""
import json

import numpy
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import accuracy_score, r2_score, roc_auc_score, root_mean_squared_error
from sklearn.model_selection import train_test_split

import houses
from peer_scikit_learn import train_forest


def main():
    for seed in range(10):
        data = houses.load(seed)
        found = train_forest(data.rows, data.prices, 2, seed).predict(data.test_rows)
        rmse, r2 = root_mean_squared_error(data.test_prices, found), r2_score(data.test_prices, found)
        print(json.dumps({"data": "houses", "seed": seed, "rmse": float(rmse), "r2": float(r2)}), flush=True)
    table = numpy.loadtxt(houses.DATA / "heart_disease_cleveland.csv", delimiter=",", skiprows=1)
    rows, ill = table[:, :-1], (table[:, -1] != 0).astype(int)
    for seed in range(20):
        train, test, ill_train, ill_test = train_test_split(rows, ill, test_size=0.2, random_state=seed, stratify=ill)
        forest = RandomForestClassifier(
            houses.TREES, max_depth=houses.DEPTH, min_samples_split=5, min_samples_leaf=2, random_state=seed
        ).fit(train, ill_train)
        accuracy = accuracy_score(ill_test, forest.predict(test))
        auc = roc_auc_score(ill_test, forest.predict_proba(test)[:, 1])
        print(json.dumps({"data": "heart", "seed": seed, "accuracy": float(accuracy), "auc": float(auc)}), flush=True)


if __name__ == "__main__":
    main()
