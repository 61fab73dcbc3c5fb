# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the integration tests. PENSTOCK_BUILD names a build with -DPENSTOCK_FAULT_POINTS=ON (default: build-test of
this checkout), PENSTOCK_LONG=1 multiplies the counts, PENSTOCK_DEADLINE is the longest wait for one condition, seconds."""

from __future__ import annotations

import functools
import re
import shutil
import tempfile
from pathlib import Path
from typing import Callable, Iterator

import pytest

from running import BUILD, PENSTOCK, Run, write_application

FAILED = pytest.StashKey[bool]()


def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo) -> None:
    if call.when == "call":
        item.stash[FAILED] = call.excinfo is not None


def make_place(name: str) -> Path:
    """A directory on the disk of the build, which is no tmpfs."""
    assert PENSTOCK.exists(), f"{PENSTOCK} is missing: build with -DPENSTOCK_FAULT_POINTS=ON, or set PENSTOCK_BUILD"
    parent = BUILD / "integration"
    parent.mkdir(exist_ok=True)
    found = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=parent))
    found.chmod(0o755)  # some tests run as another user
    return found


@pytest.fixture
def place(request: pytest.FixtureRequest) -> Iterator[Path]:
    """A directory for one test, kept when it fails."""
    found = make_place(re.sub(r"\W+", "-", request.node.name)[:60])
    yield found
    if not request.node.stash.get(FAILED, True):
        shutil.rmtree(found, ignore_errors=True)


@pytest.fixture(scope="module")
def module_place(request: pytest.FixtureRequest) -> Iterator[Path]:
    """A directory for all tests of a file, kept when one fails."""
    failed = request.session.testsfailed
    found = make_place(request.module.__name__)
    yield found
    if request.session.testsfailed == failed:
        shutil.rmtree(found, ignore_errors=True)


@pytest.fixture
def application(place: Path) -> Callable[..., Path]:
    """Writes the house prices with changes, see `write_application`."""
    return functools.partial(write_application, place)


@pytest.fixture
def start(place: Path) -> Iterator[Callable[..., Run]]:
    """Starts `penstock run`; whatever still runs at the end of the test is ended."""
    started: list[Run] = []

    def begin(file: Path, *options: object, data: Path | None = None, **more: object) -> Run:
        started.append(Run(file, data or place / "data", *options, **more))
        return started[-1]

    yield begin
    for run in started:
        run.stop()
