# SPDX-License-Identifier: Apache-2.0
"""What the engine says about itself (running metrics, committed offsets) against a fold over what is in the topics."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Iterator

from checks import Case, Facts
from records import Report, number


@dataclass
class Figures:
    """Figures of one input partition, or of several."""

    records: int = 0
    dead_letters: int = 0
    nulls: int = 0
    evaluated: int = 0
    sum_absolute_error: float = 0.0
    sum_squared_error: float = 0.0
    next: int = 0  # offset behind the last input with an outcome

    def add(self, actual: float, predicted: float) -> None:
        error = predicted - actual
        self.evaluated += 1
        self.sum_absolute_error += abs(error)
        self.sum_squared_error += error * error

    def merge(self, other: Figures) -> None:
        for name in vars(self):
            setattr(self, name, getattr(self, name) + getattr(other, name))

    @property
    def mae(self) -> float:
        return self.sum_absolute_error / self.evaluated if self.evaluated else 0.0

    @property
    def rmse(self) -> float:
        return math.sqrt(self.sum_squared_error / self.evaluated) if self.evaluated else 0.0


COUNTS = ("records", "dead_letters", "nulls", "evaluated")
SUMS = ("sum_absolute_error", "sum_squared_error", "mae", "rmse")


def recompute(case: Case, facts: Facts) -> dict[int, Figures]:
    """Figures of each input partition: a fold over its outputs in the order of the input, record by record, so that the
    sums must come out bit for bit."""
    names = case.names
    found = {at.partition: Figures() for at in facts.inputs}
    for partition, outputs in facts.by_input().items():
        figures = found.setdefault(partition, Figures())
        for at, _, body in outputs:
            figures.records += 1
            figures.nulls += any(value is None for value in body.values())
            figures.next = max(figures.next, at.offset + 1)
            actual, predicted = number(body.get(names.actual)), number(body.get(names.predicted))
            if actual is not None and predicted is not None:
                figures.add(actual, predicted)
    for _, at in facts.dead_letters:
        if at:
            figures = found.setdefault(at.partition, Figures())
            figures.dead_letters += 1
            figures.next = max(figures.next, at.offset + 1)
    return found


def _partition_of(claim: dict) -> int | None:
    named = claim.get("partition")
    if isinstance(named, dict):
        named = named.get("partition")
    if isinstance(named, str):
        named = named.rsplit("/", 1)[-1]
        return int(named) if named.isdigit() else None
    return named if isinstance(named, int) and not isinstance(named, bool) else None


def claims(document: object) -> Iterator[tuple[int, dict]]:
    """Every object in a JSON document that speaks of a partition, with its figures: beside `partition` or in `metrics`."""
    if isinstance(document, list):
        for item in document:
            yield from claims(item)
    elif isinstance(document, dict):
        partition = _partition_of(document)
        if partition is None:
            for item in document.values():
                yield from claims(item)
        else:
            inner = document.get("metrics")
            yield partition, {**document, **(inner if isinstance(inner, dict) else {})}


def check_figures(case: Case, document: object, report: Report) -> None:
    """Figures of a summary or a list of shards. `case` must be of the same moment: a stream that stands still."""
    facts = Facts(case)
    wanted = recompute(case, facts)
    said = list(claims(document))
    for partition, claim in said:
        if report.expect(partition in wanted, "figures are of input partitions", f"partition {partition}"):
            _compare(claim, wanted[partition], f"partition {partition}", report)
            if "committed" in claim:
                report.expect(claim["committed"] == wanted[partition].next, "committed offset is behind the last outcome",
                              f"partition {partition}: {claim['committed']} instead of {wanted[partition].next}")
    if said:
        for partition in wanted:
            report.expect(partition in {p for p, _ in said}, "figures cover every partition", f"partition {partition}")
    totals = {k: v for k, v in document.items() if k in COUNTS + SUMS} if isinstance(document, dict) else {}
    total = Figures()
    for partition in sorted(wanted):  # the order in which the engine adds them for display
        total.merge(wanted[partition])
    _compare(totals, total, "total", report)
    report.expect(bool(said or totals), "figures are given", "neither totals nor a partition in the document")


def _compare(claim: dict, wanted: Figures, where: str, report: Report) -> None:
    for name in COUNTS + SUMS:
        if name in claim:
            kind = "counts equal a recount" if name in COUNTS else "sums equal a recomputation"
            report.expect(number(claim[name]) == getattr(wanted, name), kind,
                          f"{where}: {name} is {claim[name]!r} instead of {getattr(wanted, name)!r}")
