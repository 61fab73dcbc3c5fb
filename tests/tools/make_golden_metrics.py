#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the golden metrics and stratified splits of tests/data with scikit-learn, from real data.

  python3 -m venv /tmp/golden && /tmp/golden/bin/pip install scikit-learn==1.9.1 numpy==2.4.6 scipy==1.17.1
  /tmp/golden/bin/python tests/tools/make_golden_metrics.py tests/data

Writes golden_classification.json and golden_regression.json. Numbers have all digits of a float64; a metric that
scikit-learn calls undefined is null. Heart disease is read from data/, everything else ships with scikit-learn.
"""

import json
import math
import pathlib
import sys
import warnings

import numpy as np
import scipy
import sklearn
from sklearn import datasets, metrics
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier

ROOT = pathlib.Path(__file__).resolve().parents[2]
COMMAND = "python tests/tools/make_golden_metrics.py tests/data"


def heart():
    rows = np.loadtxt(ROOT / "data" / "heart_disease_cleveland.csv", delimiter=",", skiprows=1)
    return rows[:, :-1], rows[:, -1].astype(int)


def number(figure):
    return None if math.isnan(figure) else float(figure)


def classification(actual, probabilities):
    """All figures; classes are the columns of `probabilities`, whether they occur or not."""
    classes = list(range(probabilities.shape[1]))
    predicted = probabilities.argmax(axis=1)
    found = {"accuracy": metrics.accuracy_score(actual, predicted)}
    averages = [("macro", "_macro"), ("weighted", "_weighted")]
    if len(classes) == 2:
        averages.insert(0, ("binary", ""))
    for average, suffix in averages:
        precision, recall, f1, _ = metrics.precision_recall_fscore_support(
            actual, predicted, average=average, zero_division=0
        )
        found |= {"precision" + suffix: precision, "recall" + suffix: recall, "f1" + suffix: f1}
    if len(classes) == 2:
        found["roc_auc"] = metrics.roc_auc_score(actual, probabilities[:, 1])
    else:
        for average, name in (("macro", "roc_auc_ovr"), ("weighted", "roc_auc_ovr_weighted")):
            found[name] = metrics.roc_auc_score(
                actual, probabilities, multi_class="ovr", average=average, labels=classes
            )
    found["log_loss"] = metrics.log_loss(actual, probabilities, labels=classes)
    return {name: number(figure) for name, figure in found.items()}


def classification_case(name, actual, probabilities):
    actual = np.asarray(actual)
    probabilities = np.asarray(probabilities, dtype=np.float64)
    classes = probabilities.shape[1]
    return {
        "name": name,
        "classes": classes,
        "actual": actual.tolist(),
        "probabilities": probabilities.ravel().tolist(),
        "metrics": classification(actual, probabilities),
        "confusion": metrics.confusion_matrix(
            actual, probabilities.argmax(axis=1), labels=list(range(classes))
        ).tolist(),
    }


def classifications():
    forest = RandomForestClassifier(
        n_estimators=100, max_depth=10, min_samples_split=5, min_samples_leaf=2, random_state=42
    )
    cases = []

    def add(name, data, model, keep=lambda actual: np.full(len(actual), True)):
        x, y = data
        x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.2, random_state=42, stratify=y)
        probabilities = model.fit(x_train, y_train).predict_proba(x_test)
        kept = keep(y_test)
        cases.append(classification_case(name, y_test[kept], probabilities[kept]))

    iris = datasets.load_iris(return_X_y=True)
    add("heart disease, forest", heart(), forest)
    add("heart disease, equal scores for all", heart(), DummyClassifier(strategy="prior"))
    add("heart disease, only class 0 is actual", heart(), forest, lambda actual: actual == 0)
    add("heart disease, only class 1 is actual", heart(), forest, lambda actual: actual == 1)
    add("breast cancer, few distinct scores", datasets.load_breast_cancer(return_X_y=True), KNeighborsClassifier(5))
    add("iris, forest", iris, forest)
    add("iris, equal scores for all", iris, DummyClassifier(strategy="prior"))
    add("iris, class 1 is not actual", iris, forest, lambda actual: actual != 1)
    add("iris, only class 2 is actual", iris, forest, lambda actual: actual == 2)
    add("wine, forest", datasets.load_wine(return_X_y=True), forest)
    add("digits, few distinct scores", datasets.load_digits(return_X_y=True), KNeighborsClassifier(5))
    return cases


def splits():
    cases = []

    def add(name, y, test_size, seed):
        train, test = train_test_split(np.arange(len(y)), test_size=test_size, random_state=seed, stratify=y)
        cases.append(
            {"name": name, "test_size": test_size, "seed": seed, "train": train.tolist(), "test": test.tolist()}
        )

    inputs = {
        "heart disease": heart()[1],
        "iris": datasets.load_iris().target,
        "digits": datasets.load_digits().target,
        "one large class": np.repeat([0, 1, 2, 3], [2, 180, 3, 15]),
        "many small classes": np.arange(98) % 49,
        "classes without order": np.array([7, 2, 9, 2, 7, 9, 9, 2, 7, 2, 4000000000, 9, 4000000000]),
    }
    for seed in (0, 1, 42, 4294967295):
        for size in (0.1, 0.2, 0.25, 0.5):
            add("heart disease", inputs["heart disease"], size, seed)
    for seed in (0, 7, 42):
        for size in (0.2, 0.25, 1 / 3, 0.9):
            add("iris", inputs["iris"], size, seed)
    for size in (0.2, 0.3):
        add("digits", inputs["digits"], size, 42)
    for seed in (0, 1, 2):
        for size in (0.05, 0.2, 0.3, 0.45):
            add("one large class", inputs["one large class"], size, seed)
        # One row of each class remains for the test part and 1 / 49 · 49 < 1: its allocation draws random numbers too.
        add("many small classes", inputs["many small classes"], 0.5, seed)
        add("classes without order", inputs["classes without order"], 0.4, seed)
    return {"inputs": {name: y.tolist() for name, y in inputs.items()}, "cases": cases}


def regression():
    x, y = datasets.load_diabetes(return_X_y=True)
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.2, random_state=42)
    predicted = RandomForestRegressor(n_estimators=100, max_depth=10, random_state=42).fit(x_train, y_train).predict(x_test)
    return {
        "name": "diabetes, forest",
        "actual": y_test.tolist(),
        "predicted": predicted.tolist(),
        "metrics": {
            "rmse": metrics.root_mean_squared_error(y_test, predicted),
            "mae": metrics.mean_absolute_error(y_test, predicted),
            "r2": metrics.r2_score(y_test, predicted),
        },
    }


def dumped(value, levels, indent=""):
    """JSON with one line for each member of the first `levels` levels, so that a difference can be read."""
    if levels == 0 or not isinstance(value, (dict, list)):
        return json.dumps(value, allow_nan=False)
    inner = indent + " "
    if isinstance(value, dict):
        members = [f"{json.dumps(key)}: {dumped(member, levels - 1, inner)}" for key, member in value.items()]
        opened, closed = "{", "}"
    else:
        members = [dumped(member, levels - 1, inner) for member in value]
        opened, closed = "[", "]"
    return opened + "\n" + ",\n".join(inner + member for member in members) + "\n" + indent + closed


def write(path, content):
    head = {"command": COMMAND, "sklearn": sklearn.__version__, "numpy": np.__version__, "scipy": scipy.__version__}
    path.write_text(dumped(head | content, 3) + "\n")


def main():
    warnings.simplefilter("ignore", sklearn.exceptions.UndefinedMetricWarning)
    folder = pathlib.Path(sys.argv[1])
    write(folder / "golden_classification.json", {"classifications": classifications(), "splits": splits()})
    write(folder / "golden_regression.json", {"regressions": [regression()]})


if __name__ == "__main__":
    main()
