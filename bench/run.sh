#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs one benchmark, or all, on a release build without fault points:
#   bench/run.sh NAME [--quick] [--json FILE] [--page]   NAME: forest accuracy codec storage pipeline supervision process;
#                                                 --page puts the figures into docs/performance.md
#   bench/run.sh all [--quick]                    all of them, and the page
#   bench/run.sh forest --peers [--quick]         our forest beside all its peers, which are installed into the build
#                                                 directory; half an hour, with --quick five minutes
#   bench/run.sh forest --peer NAME [--quick]     beside one; bench/peers/README.md has their names
set -euo pipefail
cd "$(dirname "$0")/.."
case ${1:-} in
  '' | -h | --help)
    sed -n '3,9s/^# \{0,1\}//p' "$0"
    exit 0
    ;;
esac

# What the peers need of Debian beside what is there already. Without Java only Spark is left out.
if [[ " $* " == *" --peer"* ]]; then
  # shellcheck source=tools/packages.sh
  . tools/packages.sh
  python3 -c 'import ensurepip' 2>/dev/null || install_packages python3-venv >&2
  if [[ " $* " == *" --peers "* || " $* " == *" --peer spark "* ]] && ! command -v java >/dev/null; then
    (install_packages openjdk-17-jre-headless) >&2 || true
  fi
fi

{
  cmake -G Ninja -S . -B build-bench -DCMAKE_BUILD_TYPE=RelWithDebInfo -DPENSTOCK_TESTS=OFF -DPENSTOCK_BENCH=ON
  cmake --build build-bench --parallel "$(nproc)"
} >&2
exec python3 bench/run.py build-bench "$@"
