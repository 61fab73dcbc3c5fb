# SPDX-License-Identifier: Apache-2.0
"""Applications are data: what Penstock is made of knows nothing of the ones that ship."""

from __future__ import annotations

import csv
import re
from pathlib import Path

from running import ROOT

FOLDERS = ("base", "ml", "storage", "runtime", "actors", "cluster", "web", "tools", "keeper")
WORDS = r"house|hous(?:e|ing)s?|price|heart(?!beat)|disease|patient|california|cleveland|diagnos"
COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.S)
HELP_EXAMPLE = re.compile(r'"penstock [^"\n]*"')  # command lines in help pages name the files that ship
COLUMNS = [c for name in ("california_housing.csv", "heart_disease_cleveland.csv")
           for c in next(csv.reader((ROOT / "data" / name).open())) if c not in ("target", "age", "sex", "cp", "ca", "slope")]


def sources() -> list[Path]:
    return [p for folder in FOLDERS for p in sorted((ROOT / folder).rglob("*")) if p.suffix in (".cpp", ".hpp")]


def words_of_an_application(text: str) -> list[str]:
    code = HELP_EXAMPLE.sub('""', COMMENT.sub("", text))
    columns = "|".join(re.escape(c) for c in COLUMNS)
    return re.findall(rf"(?i:{WORDS})|\b(?:{columns})\b", code)


def test_no_source_knows_an_application() -> None:
    found = {str(p.relative_to(ROOT)): words_of_an_application(p.read_text()) for p in sources()}
    assert len(found) > 100, "the sources are elsewhere"
    assert {name: words for name, words in found.items() if words} == {}


def test_the_words_would_be_found() -> None:
    assert words_of_an_application('double median = row["MedInc"]; // houses') == ["MedInc"]
    assert words_of_an_application("struct heart_model;\nconstexpr auto heartbeat = 5;") == ["heart"]
    assert words_of_an_application('{"penstock run pipelines/house-prices.yaml"}, "predicted_price"') == ["price"]
    assert words_of_an_application("if (name == \"thal\") /* price */ return;") == ["thal"]
