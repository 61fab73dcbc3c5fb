#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks from the outside that a stream did what it promises: every input once in outputs ∪ dead letters, in order, with
the right arithmetic, the right rows, the right figures. Exit 0: all holds; 1: violations; 2: called wrongly, unreadable."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from checks import Case, Names, check_all  # noqa: E402
from figures import check_figures  # noqa: E402
from records import Record, Report, Unreadable, read_lines  # noqa: E402
from source_rows import part_of, read_rows  # noqa: E402

PRESETS = {
    "house-prices": {
        "input_topic": "house-prices-input", "output_topic": "house-prices-output",
        "dead_letter_topic": "house-prices.dead-letters",
        "input_actual": "actual_price", "actual": "actual_price", "predicted": "predicted_price", "error": "error",
        "percentage": "error_percentage", "partitions": 4, "split": "test:0.2:42",
        "columns": [f"{c}={c}" for c in ("MedInc", "HouseAge", "AveRooms", "AveBedrms", "Population", "AveOccup",
                                         "Latitude", "Longitude")] + ["actual_price=target"],
    },
}


def arguments(argv: list[str]) -> argparse.Namespace:
    first = argparse.ArgumentParser(add_help=False)
    first.add_argument("--preset", choices=sorted(PRESETS), help="names and split of an application that ships")
    preset = first.parse_known_args(argv)[0].preset
    parser = argparse.ArgumentParser(description=__doc__, parents=[first])
    topics = parser.add_argument_group("topics, as files of JSON lines or read by `penstock topic consume`")
    for kind in ("input", "output", "dead-letter"):
        topics.add_argument(f"--{kind}s", action="append", type=Path, metavar="FILE", help="may be given several times")
        topics.add_argument(f"--{kind}-topic", metavar="TOPIC")
    topics.add_argument("--penstock", default="penstock", help="the program that reads the topics")
    topics.add_argument("--log", metavar="URL", help="read the topics from there, such as rocksdb:DIR")
    known = parser.add_argument_group("what is known")
    known.add_argument("--expected", type=int, metavar="N", help="ids 0 … N-1 are in the input, each once")
    known.add_argument("--foreign", type=int, metavar="N", help="other records in the input, such as poison")
    known.add_argument("--condemned", type=int, metavar="N", help="dead letters")
    known.add_argument("--partitions", type=int, metavar="N", help="of input and output, keyed by Kafka's partitioner")
    known.add_argument("--partial", action="store_true", help="the stream has not finished: outcomes are a prefix")
    known.add_argument("--csv", type=Path, help="the source's file: input records must equal its rows")
    known.add_argument("--split", metavar="PART:SIZE:SEED", help="part of it, such as test:0.2:42; default: all rows")
    known.add_argument("--summary", action="append", type=Path, default=[], metavar="FILE",
                       help="JSON of `penstock run -o json` or `penstock get shards -o json`")
    known.add_argument("--predictions", type=Path, metavar="FILE", help="JSON object id → prediction, compared bit for bit")
    names = parser.add_argument_group("names of fields; an empty name is not checked")
    names.add_argument("--id", default="id", help="of the row, in input and output")
    names.add_argument("--not-keyed-by-id", action="store_true", help="the record's key is something else than the id")
    for name in ("input-actual", "actual", "predicted", "error", "percentage"):
        names.add_argument(f"--{name}", default="")
    names.add_argument("--columns", nargs="+", default=[], metavar="FIELD=COLUMN", help="of the input record, of the CSV")
    parser.add_argument("-o", "--report", choices=("text", "json"), default="text")
    parser.set_defaults(**PRESETS.get(preset, {}))
    return parser.parse_args(argv)


def read_topic(files: list[Path] | None, topic: str | None, args: argparse.Namespace) -> list[Record]:
    records = []
    for file in files or []:
        try:
            with open(file, encoding="utf-8", errors="surrogateescape") as lines:
                records += read_lines(lines, str(file))
        except OSError as why:
            raise Unreadable(f"{file}: {why.strerror}") from why
    if files is None and args.log and topic:
        command = [args.penstock, "topic", "consume", topic, "--log", args.log, "-o", "jsonl"]
        done = subprocess.run(command, capture_output=True, text=True, errors="surrogateescape", timeout=120, check=False)
        if done.returncode != 0:
            raise Unreadable(f"{' '.join(command)}: exit {done.returncode}: {done.stderr.strip()}")
        records = read_lines(done.stdout.split("\n"), topic)
    return records


def read_json(file: Path) -> object:
    try:
        return json.loads(file.read_text())
    except (OSError, ValueError) as why:
        raise Unreadable(f"{file}: {why}") from why


def case_of(args: argparse.Namespace) -> Case:
    columns = dict(pair.split("=", 1) for pair in args.columns)
    names = Names(args.id, args.input_actual, args.actual, args.predicted, args.error, args.percentage,
                  not args.not_keyed_by_id, columns)
    rows = None
    if args.csv:
        rows = read_rows(args.csv)
        if args.split:
            part, size, seed = args.split.split(":")
            rows = part_of(rows, float(size), int(seed), part)
    predictions = None
    if args.predictions:
        predictions = {int(i): float(p) for i, p in read_json(args.predictions).items()}
    if args.inputs is None and not args.log:
        raise Unreadable("no input: give --inputs FILE, or --log URL")
    return Case(names, read_topic(args.inputs, args.input_topic, args), read_topic(args.outputs, args.output_topic, args),
                read_topic(args.dead_letters, args.dead_letter_topic, args), args.expected, args.foreign, args.condemned,
                args.partial, args.partitions, rows, predictions)


def text_of(report: Report, case: Case) -> str:
    lines = [f"{len(case.inputs)} inputs, {len(case.outputs)} outputs, {len(case.dead_letters)} dead letters"]
    for check in report.checks.values():
        lines.append(f"{'FAIL' if check.broken else 'ok  '}  {check.name} ({check.examined} looked at"
                     + (f", {check.broken} broken)" if check.broken else ")"))
        lines += [f"        {example}" for example in check.examples]
        if check.broken > len(check.examples):
            lines.append(f"        and {check.broken - len(check.examples)} more")
    lines.append(f"{len(report.passed)} passed, {len(report.failed)} failed")
    return "\n".join(lines)


def json_of(report: Report, case: Case) -> str:
    return json.dumps({
        "passed": len(report.passed), "failed": len(report.failed), "inputs": len(case.inputs),
        "outputs": len(case.outputs), "dead_letters": len(case.dead_letters),
        "checks": [{"name": c.name, "holds": not c.broken, "examined": c.examined, "broken": c.broken,
                    "examples": c.examples} for c in report.checks.values()]})


def main(argv: list[str]) -> int:
    args = arguments(argv)
    try:
        case = case_of(args)
        report = check_all(case)
        for file in args.summary:
            check_figures(case, read_json(file), report)
    except (Unreadable, ValueError) as why:
        print(f"verify: {why}", file=sys.stderr)
        return 2
    print((json_of if args.report == "json" else text_of)(report, case))
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
