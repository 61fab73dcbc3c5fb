# SPDX-License-Identifier: Apache-2.0
"""The data that all peers see: California Housing, and a million rows made of it."""
import dataclasses
import pathlib

import numpy

DATA = pathlib.Path(__file__).resolve().parents[2] / "data"
FEATURES = 8
TREES = 100
DEPTH = 10


@dataclasses.dataclass
class Houses:
    """Rows are n×8 float32, row-major; prices n float64, in 100,000 US dollars."""

    rows: numpy.ndarray
    prices: numpy.ndarray
    test_rows: numpy.ndarray
    test_prices: numpy.ndarray


def load(seed=42):
    from sklearn.model_selection import train_test_split

    table = numpy.loadtxt(DATA / "california_housing.csv", delimiter=",", skiprows=1)
    rows = numpy.ascontiguousarray(table[:, :FEATURES], dtype=numpy.float32)
    train, test = train_test_split(numpy.arange(len(table)), test_size=0.2, random_state=seed)
    return Houses(rows[train], table[train, FEATURES], rows[test], table[test, FEATURES])


def million(houses):
    """The training rows again and again, each value times normal(1, 0.01), as forest_bench makes them."""
    index = numpy.arange(1_000_000) % len(houses.rows)
    shift = 1 + 0.01 * numpy.random.default_rng(42).standard_normal((len(index), FEATURES), dtype=numpy.float32)
    return houses.rows[index] * shift, houses.prices[index]
