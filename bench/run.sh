#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs one benchmark, or all, on a release build without fault points:
#   bench/run.sh NAME [--quick] [--json FILE]     NAME: forest codec storage pipeline supervision process
#   bench/run.sh all [--quick]                    all of them; writes docs/performance.md
set -euo pipefail
cd "$(dirname "$0")/.."
case ${1:-} in
  '' | -h | --help)
    sed -n '3,5s/^# \{0,1\}//p' "$0"
    exit 0
    ;;
esac
{
  cmake -G Ninja -S . -B build-bench -DCMAKE_BUILD_TYPE=RelWithDebInfo -DPENSTOCK_TESTS=OFF -DPENSTOCK_BENCH=ON
  cmake --build build-bench --parallel "$(nproc)"
} >&2
exec python3 bench/run.py build-bench "$@"
