# SPDX-License-Identifier: Apache-2.0
"""Which rows a source must have put into its topic, recomputed from the CSV without the engine."""

from __future__ import annotations

import csv
import math
import random
from pathlib import Path

from records import Unreadable


def legacy_generator(seed: int) -> random.Random:
    """MT19937 seeded as NumPy's `RandomState(seed)`: init_genrand of Matsumoto and Nishimura's mt19937ar.c. (Python's own
    `Random(seed)` seeds by array, which gives another sequence; the generator itself is the same.)"""
    state = [seed & 0xFFFFFFFF]
    for i in range(1, 624):
        state.append((1812433253 * (state[-1] ^ (state[-1] >> 30)) + i) & 0xFFFFFFFF)
    generator = random.Random()
    generator.setstate((3, tuple(state) + (624,), None))
    return generator


def legacy_permutation(n: int, seed: int) -> list[int]:
    """`numpy.random.RandomState(seed).permutation(n)`: Fisher-Yates from the end, indices drawn by masked rejection."""
    generator = legacy_generator(seed)
    order = list(range(n))
    for last in range(n - 1, 0, -1):
        mask = (1 << last.bit_length()) - 1
        while (other := generator.getrandbits(32) & mask) > last:
            pass
        order[last], order[other] = order[other], order[last]
    return order


def part_of(rows: list, test_size: float, seed: int, part: str) -> list:
    """The rows of one part of `train_test_split(rows, test_size=…, random_state=seed)`, in its order."""
    order = legacy_permutation(len(rows), seed)
    tests = math.ceil(len(rows) * test_size)
    return [rows[i] for i in (order[:tests] if part == "test" else order[tests:])]


def read_rows(path: Path) -> list[dict[str, str]]:
    """Rows of a CSV with a header."""
    try:
        with open(path, newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))
    except OSError as why:
        raise Unreadable(f"{path}: {why.strerror}") from why
