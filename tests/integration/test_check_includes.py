# SPDX-License-Identifier: Apache-2.0
"""tools/check_includes.py on small trees with one planted violation each: a checker that cannot fail checks nothing."""

import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHECKER = ROOT / "tools" / "check_includes.py"
LICENCE = "// SPDX-License-Identifier: Apache-2.0\n"

GOOD = {
    "base/result.hpp": "#pragma once\n#include <string>\n",
    "base/result.cpp": '#include "base/result.hpp"\n',
    "storage/log.hpp": '#include "base/result.hpp"\n',
    "storage/embedded_log.cpp": '#include "storage/log.hpp"\n\n#include <rocksdb/db.h>\n',
    "runtime/codec.cpp": '#include "storage/log.hpp"\n#include <simdjson.h>\n',
    "actors/node_client.hpp": '#include "runtime/task.hpp"\n',
    "actors/shard_actor.hpp": "#include <caf/all.hpp>\n",
    "actors/shard_actor.cpp": '#include "actors/shard_actor.hpp"\n',
    "runtime/task.hpp": "",
    "web/server.cpp": '#include "actors/node_client.hpp"\n#include <boost/beast/http.hpp>\n',
    "tools/main.cpp": '#include "web/server.hpp"\n#include <boost/program_options.hpp>\n',
    "web/server.hpp": "",
    "tests/unit/storage/log_test.cpp": '#include "tests/support/simulated_log.hpp"\n#include <rocksdb/db.h>\n',
    "tests/support/simulated_log.hpp": '#include "storage/log.hpp"\n',
    "tests/simulation/shard_test.cpp": '#include "tests/support/simulated_log.hpp"\n',
}


def check(folder, changes=None, readmes=None):
    files = {**GOOD, **(changes or {})}
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text if name.endswith(".md") or text.startswith("//") else LICENCE + text)
    for top in {name.split("/")[0] for name in files}:
        text = (readmes or {}).get(top, "# what\n")
        if text is not None:
            (folder / top / "README.md").write_text(text)
    got = subprocess.run([sys.executable, CHECKER, "--root", folder], capture_output=True, text=True)
    lines = got.stdout.splitlines()
    assert got.returncode == (1 if len(lines) > 1 else 0), got.stdout + got.stderr
    return lines[:-1]


def test_finds_nothing_in_a_good_tree(tmp_path):
    assert check(tmp_path) == []


@pytest.mark.parametrize("name, text, line, part", [
    ("base/file.cpp", '#include "base/result.hpp"\n#include "storage/log.hpp"\n', 3, 'base/ may not include "storage/log.hpp"'),
    ("storage/x.cpp", '#include "runtime/task.hpp"\n', 2, "storage/ may not include"),
    ("runtime/x.cpp", '#include "actors/node_client.hpp"\n', 2, "runtime/ may not include"),
    ("keeper/x.cpp", '#include "runtime/task.hpp"\n', 2, "keeper/ may not include"),
    ("actors/x.cpp", '#include "web/server.hpp"\n', 2, "actors/ may not include"),
    ("tests/support/x.hpp", '#include "actors/node_client.hpp"\n', 2, "tests/ may not include"),
    ("tests/unit/base/x_test.cpp", '#include "storage/log.hpp"\n', 2, "base/ may not include"),
    ("base/x.cpp", '#include "result.hpp"\n', 2, '"result.hpp" is no source of ours'),
    ("base/x.cpp", '#include "../base/result.hpp"\n', 2, "is no source of ours"),
    ("base/x.cpp", '  #  include\t"storage/log.hpp"\n', 2, "base/ may not include"),
    ("base/x_avx2.cpp", "#include <immintrin.h>\n#include <algorithm>\n", 3, "<algorithm> is reached by base/x_avx2.cpp"),
    ("base/x_vbmi.cpp", "#include <cstdint>\n#include <vector>\n", 3, "<vector> is reached by base/x_vbmi.cpp"),
])
def test_refuses_an_include_against_the_order(tmp_path, name, text, line, part):
    violations = check(tmp_path, {name: text})
    assert len(violations) == 1, violations
    assert violations[0].startswith(f"{name}:{line}: ")
    assert part in violations[0]


def test_refuses_what_a_file_for_wider_instructions_reaches_through_our_headers(tmp_path):
    violations = check(tmp_path, {"base/x_avx512.cpp": '#include "base/result.hpp"\n'})
    assert len(violations) == 1, violations
    assert violations[0].startswith("base/result.hpp:3: <string> is reached by base/x_avx512.cpp")


@pytest.mark.parametrize("name, header", [
    ("runtime/x.cpp", "caf/all.hpp"),
    ("web/x.cpp", "caf/actor.hpp"),
    ("runtime/x.cpp", "rocksdb/db.h"),
    ("actors/x.cpp", "librdkafka/rdkafka.h"),
    ("storage/x.cpp", "simdjson.h"),
    ("tools/x.cpp", "yaml-cpp/yaml.h"),
    ("actors/x.cpp", "boost/beast.hpp"),
    ("tools/x.cpp", "boost/asio.hpp"),
    ("base/x.cpp", "boost/program_options.hpp"),
    ("tests/unit/runtime/x_test.cpp", "rocksdb/db.h"),
])
def test_refuses_a_library_outside_the_folder_that_owns_it(tmp_path, name, header):
    violations = check(tmp_path, {name: f"#include <{header}>\n"})
    assert len(violations) == 1, violations
    assert violations[0].startswith(f"{name}:2: ") and f"<{header}>" in violations[0]


def test_refuses_a_library_that_leaks_through_our_own_headers(tmp_path):
    violations = check(tmp_path, {"actors/page.hpp": '#include "actors/shard_actor.hpp"\n',
                                  "web/x.cpp": '#include "actors/node_client.hpp"\n#include "actors/page.hpp"\n'})
    assert len(violations) == 1, violations
    assert violations[0].startswith("web/x.cpp:3: web/ reaches caf "
                                    "(actors/page.hpp → actors/shard_actor.hpp → <caf/all.hpp>)")


def test_survives_headers_that_include_each_other(tmp_path):
    assert check(tmp_path, {"ml/a.hpp": '#include "ml/b.hpp"\n', "ml/b.hpp": '#include "ml/a.hpp"\n'}) == []


@pytest.mark.parametrize("name", ["base/string_utils.hpp", "ml/helper.cpp", "runtime/common.hpp",
                                  "actors/actor_manager.cpp", "tests/support/test_helpers.py", "web/util/x.cpp"])
def test_refuses_names_that_say_nothing(tmp_path, name):
    violations = check(tmp_path, {name: ""})
    assert len(violations) == 1 and "names nothing" in violations[0], violations


def test_allows_words_that_only_contain_such_a_name(tmp_path):
    assert check(tmp_path, {"base/utility_theory.hpp": "", "ml/commonality.cpp": ""}) == []


def test_refuses_what_is_too_long_or_without_licence(tmp_path):
    assert "has 501 lines" in check(tmp_path, {"base/a.cpp": "\n" * 500})[0]
    assert "has 301 lines" in check(tmp_path, {"base/a.cpp": "", "base/a.hpp": "\n" * 300})[0]
    assert "SPDX" in check(tmp_path, {"base/a.cpp": "// mine\n", "base/a.hpp": ""})[0]


def test_wants_a_short_readme_in_every_folder(tmp_path):
    assert check(tmp_path, readmes={"base": "line\n" * 41}) == ["base/README.md:41: has 41 lines, more than 40"]
    (tmp_path / "base" / "README.md").unlink()
    assert check(tmp_path, readmes={"base": None})[0].startswith("base/README.md:1: is missing")


def test_refuses_an_empty_root(tmp_path):
    got = subprocess.run([sys.executable, CHECKER, "--root", tmp_path], capture_output=True, text=True)
    assert got.returncode == 1
