#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks the form of the source tree: who includes whom, and the rules of CONTRIBUTING.md that a compiler does not see.

  tools/check_includes.py [--root DIRECTORY]

- A folder includes only those below it, by paths from the root.
- A library is reached, directly or through our headers, only from the folders that own it.
- A file for a wider instruction set (x_avx2.cpp and so on) reaches plain data alone; ml/CMakeLists.txt says why.
- No file or folder is called util, helper, common or manager.
- Every source starts with its licence; sources have at most 500 lines, headers 300.
- Every folder with sources has a README.md of at most 40 lines.

Prints one line per violation and returns 1 when there is any.
"""

import argparse
import pathlib
import re
import sys

BELOW_RUNTIME = {"base", "ml", "storage"}
MAY_INCLUDE = {
    "base": set(),
    "keeper": {"base"},
    "ml": {"base"},
    "storage": {"base"},
    "runtime": BELOW_RUNTIME,
    "actors": BELOW_RUNTIME | {"runtime"},
    "cluster": BELOW_RUNTIME | {"runtime", "actors"},
    "web": BELOW_RUNTIME | {"runtime", "actors", "cluster"},
    "tools": BELOW_RUNTIME | {"runtime", "actors", "cluster", "web"},
    "bench": BELOW_RUNTIME | {"runtime", "actors", "cluster", "web"},
}
# Tests of a folder see what the folder sees, itself and the test support; all other tests stop below the actors.
TESTS_MAY_INCLUDE = BELOW_RUNTIME | {"runtime", "tests"}

# First part of an included path → the folders that own the library. bench/ holds its peers and ceilings.
OWNERS = {
    "caf/": {"actors", "cluster", "bench"},
    "rocksdb/": {"storage", "bench"},
    "librdkafka/": {"storage", "bench"},
    "simdjson": {"runtime", "bench"},
    "yaml-cpp/": {"runtime"},
    "boost/beast": {"web", "cluster"},
    "boost/asio": {"web", "cluster"},
    "boost/program_options": {"tools", "bench"},
}

# What a file for a wider instruction set may reach of the standard library: nothing that defines inline functions.
WIDE = re.compile(r"_(?:avx2|avx512|vbmi)\.cpp$")
PLAIN_HEADERS = {"cstddef", "cstdint", "immintrin.h"}

FORBIDDEN_WORDS = re.compile(r"(?:^|[_\-.])(utils?|helpers?|commons?|managers?)(?:$|[_\-.])")
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)
LICENCE = "// SPDX-License-Identifier: Apache-2.0\n"
MOST_LINES = {".hpp": 300, ".cpp": 500}
MOST_README_LINES = 40


class Tree:
    """The sources below a root, and the violations found in them."""

    def __init__(self, root):
        self.root = root
        self.violations = []
        self.sources = {}
        for folder in [*MAY_INCLUDE, "tests"]:
            for path in sorted((root / folder).rglob("*")):
                if path.suffix in MOST_LINES and "node_modules" not in path.parts:
                    self.sources[path.relative_to(root).as_posix()] = path.read_text(encoding="utf-8", errors="replace")
        self.includes = {name: self.parse(text) for name, text in self.sources.items()}
        self.reached = {}

    @staticmethod
    def parse(text):
        """[(line, is it quoted, included path)]"""
        return [(text.count("\n", 0, m.start(1)) + 1, m.group(1) == '"', m.group(2)) for m in INCLUDE.finditer(text)]

    def complain(self, name, line, text):
        self.violations.append(f"{name}:{line}: {text}")

    def check(self):
        for name in self.sources:
            self.check_folders(name)
            self.check_libraries(name)
            if WIDE.search(name):
                self.check_plain(name, name, set())
            self.check_form(name)
        self.check_names()
        self.check_readmes()

    # -- includes --------------------------------------------------------------

    def check_folders(self, name):
        home = owner_of(name)
        if name.startswith("tests/"):
            allowed = TESTS_MAY_INCLUDE if home == "tests" else MAY_INCLUDE[home] | {home, "tests"}
        else:
            allowed = MAY_INCLUDE[home] | {home}
        for line, quoted, path in self.includes[name]:
            if not quoted:
                continue
            folder = path.split("/")[0]
            if path not in self.sources:
                self.complain(name, line, f'"{path}" is no source of ours: include by the path from the root')
            elif folder not in allowed:
                self.complain(name, line, f'{home}/ may not include "{path}"; it may include: '
                                          + (", ".join(sorted(allowed)) or "nothing"))

    def libraries(self, name):
        """{library: how it is reached} of a source and of everything of ours that it includes."""
        if name in self.reached:
            return self.reached[name]
        found = self.reached[name] = {}  # set before descending: a circle ends here
        for _, quoted, path in self.includes[name]:
            if quoted and path in self.sources:
                for library, way in self.libraries(path).items():
                    found.setdefault(library, f"{path} → {way}")
            for library in OWNERS:
                if not quoted and path.startswith(library):
                    found[library] = f"<{path}>"
        return found

    def check_libraries(self, name):
        home = owner_of(name)
        lines = {path: line for line, _, path in self.includes[name]}
        for library, way in self.libraries(name).items():
            if home not in OWNERS[library]:
                first = way.split(" → ")[0].strip("<>")
                self.complain(name, lines.get(first, 1),
                              f"{home}/ reaches {library.rstrip('/')} ({way}), which belongs to "
                              + ", ".join(sorted(OWNERS[library])))

    def check_plain(self, wide, name, seen):
        """Only plain headers within what a file for a wider instruction set includes."""
        seen.add(name)
        for line, quoted, path in self.includes[name]:
            if not quoted and path not in PLAIN_HEADERS:
                self.complain(name, line, f"<{path}> is reached by {wide}, whose code must not be shared: only "
                                          + ", ".join(f"<{header}>" for header in sorted(PLAIN_HEADERS)))
            elif quoted and path in self.sources and path not in seen:
                self.check_plain(wide, path, seen)

    # -- form ------------------------------------------------------------------

    def check_form(self, name):
        text = self.sources[name]
        if not text.startswith(LICENCE):
            self.complain(name, 1, f"does not start with {LICENCE.strip()}")
        count = text.count("\n")
        most = MOST_LINES[pathlib.PurePosixPath(name).suffix]
        if count > most:
            self.complain(name, count, f"has {count} lines, more than {most}: split it by what it does")

    def check_names(self):
        seen = set()
        for folder in [*MAY_INCLUDE, "tests"]:
            for path in (self.root / folder).rglob("*"):
                relative = path.relative_to(self.root)
                if {"node_modules", "__pycache__"} & set(relative.parts):
                    continue
                found = FORBIDDEN_WORDS.search(path.name)
                if found and relative not in seen:
                    seen.add(relative)
                    self.complain(relative.as_posix(), 1, f'"{found.group(1)}" names nothing: say what it does')

    def check_readmes(self):
        for folder in sorted({name.split("/")[0] for name in self.sources}):
            if not (self.root / folder / "README.md").is_file():
                self.complain(f"{folder}/README.md", 1, "is missing: purpose, main types, may depend on, must not know")
        for folder in [*MAY_INCLUDE, "tests"]:
            for path in (self.root / folder).rglob("README.md"):
                count = len(path.read_text(encoding="utf-8").splitlines())
                if count > MOST_README_LINES and "node_modules" not in path.parts:
                    self.complain(path.relative_to(self.root).as_posix(), count,
                                  f"has {count} lines, more than {MOST_README_LINES}")


def owner_of(name):
    """The folder whose rules hold for a source; tests/unit/ml/x.cpp goes by those of ml."""
    parts = name.split("/")
    if parts[:2] == ["tests", "unit"] and len(parts) > 3 and parts[2] in MAY_INCLUDE:
        return parts[2]
    return parts[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parents[1])
    tree = Tree(parser.parse_args().root)
    if not tree.sources:
        print(f"check_includes: no sources below {tree.root}", file=sys.stderr)
        return 1
    tree.check()
    for violation in sorted(tree.violations):
        print(violation)
    print(f"{len(tree.sources)} sources, {len(tree.violations)} violations")
    return 1 if tree.violations else 0


if __name__ == "__main__":
    sys.exit(main())
