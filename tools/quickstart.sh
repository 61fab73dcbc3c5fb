#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# From a fresh clone on Debian 12 to the main job at work: installs packages, builds, runs. Arguments go to `penstock run`:
#   tools/quickstart.sh              # with a live view
#   tools/quickstart.sh -o json      # the summary as one JSON object
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=tools/packages.sh
. tools/packages.sh

# What is not the job's own output goes to standard error, so that `-o json` stays JSON.
{
  install_packages "${build_packages[@]}"
  printf 'building the release in build/ (a few minutes the first time) ...\n'
  mkdir -p build
  cmake -G Ninja -S . -B build -DCMAKE_BUILD_TYPE=RelWithDebInfo -DPENSTOCK_TESTS=OFF -DPENSTOCK_BENCH=OFF \
    >build/configure.log 2>&1 || {
    cat build/configure.log
    give_up "the build could not be configured; the lines above say why"
  }
  quiet=()
  [[ -t 2 ]] || quiet=(--quiet)
  cmake --build build --parallel "$(build_jobs)" --target penstock penstock-keeper -- "${quiet[@]}" ||
    give_up "the build failed; the lines above say where"
} >&2

exec build/bin/penstock run pipelines/house-prices.yaml "$@"
