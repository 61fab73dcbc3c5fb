#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Counts the test cases in the JUnit files (GoogleTest's and pytest's) below a directory: "N passed, M failed".

  tools/count_tests.py [--failed] DIRECTORY

Skipped tests are named on a line before. With --failed something failed, be it that a program died before it could
write its results: M is at least 1.
"""

import argparse
import pathlib
import sys
import xml.etree.ElementTree as ElementTree


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--failed", action="store_true")
    parser.add_argument("directory", type=pathlib.Path)
    arguments = parser.parse_args()
    passed, failed = 0, 0
    for path in sorted(arguments.directory.rglob("*.xml")):
        try:
            cases = ElementTree.parse(path).iter("testcase")
        except ElementTree.ParseError:
            failed += 1  # cut off by the death of its program
            continue
        for case in cases:
            if case.find("failure") is not None or case.find("error") is not None:
                failed += 1
            elif case.find("skipped") is not None or case.get("status") == "notrun":
                print(f"skipped: {case.get('classname')}.{case.get('name')}")
            else:
                passed += 1
    failed = max(failed, int(arguments.failed))
    print(f"{passed} passed, {failed} failed")
    return 0 if failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
