#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Everything that must pass, from a fresh clone on Debian 12. Stops at the first stage that fails; after success the last
# line is "N passed, 0 failed".
#   tools/test.sh                      # what continuous integration runs, at most 25 minutes on two cores
#   tools/test.sh --long               # longer failure tests and fuzzing, clang-tidy on all files, benchmarks built
#   tools/test.sh --only STAGE         # one stage (may be repeated); integration wants build to have run before
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=tools/packages.sh
. tools/packages.sh

all_stages=(packages format includes build unit asan fuzz tidy integration)
stages=()
long=0
while (($# > 0)); do
  case $1 in
    --long) long=1 ;;
    --only)
      [[ " ${all_stages[*]} " == *" ${2:-} "* ]] || give_up "--only wants one of: ${all_stages[*]}"
      stages+=("$2")
      shift
      ;;
    -h | --help)
      sed -n '3,7s/^# \{0,1\}//p' "$0"
      exit 0
      ;;
    *) give_up "unknown argument \"$1\"; --help says what there is" ;;
  esac
  shift
done
((${#stages[@]} > 0)) || stages=("${all_stages[@]}")
((long == 0)) || export PENSTOCK_LONG=1

root=$PWD
results=$root/build-test/results
own_programs=$root/build-test/programs
PATH=$PATH:$own_programs
jobs=$(build_jobs)
quiet=()
[[ -t 1 ]] || quiet=(--quiet)

# Prints the files below the root that git knows or would add, and that match.
files() {
  git ls-files --cached --others --exclude-standard -- "$@" | while IFS= read -r file; do
    [[ ! -f $file ]] || printf '%s\n' "$file"
  done
}

# configure DIRECTORY OPTION…: what CMake says is shown when it fails.
configure() {
  local directory=$1
  shift
  mkdir -p "$directory"
  cmake -G Ninja -S . -B "$directory" -DCMAKE_BUILD_TYPE=RelWithDebInfo -DPENSTOCK_FAULT_POINTS=ON "$@" \
    >"$directory/configure.log" 2>&1 || {
    cat "$directory/configure.log"
    return 1
  }
}

# targets DIRECTORY PATTERN: names of the build's targets that match.
targets() {
  ninja -C "$1" -t targets all | sed -nE "s/^($2): phony$/\1/p"
}

stage_packages() {
  install_packages "${build_packages[@]}" "${test_packages[@]}"
  command -v promtool >/dev/null || fetch_promtool ||
    printf 'promtool could not be had; what needs it is skipped\n'
}

# Debian packs promtool with the Prometheus server, which an installation would start on this machine: unpack it only.
fetch_promtool() {
  mkdir -p "$own_programs"
  (
    cd "$own_programs"
    apt-get -qq download prometheus && dpkg-deb --fsys-tarfile prometheus_*.deb |
      tar -x --strip-components=3 ./usr/bin/promtool && rm -f prometheus_*.deb
  )
}

stage_format() {
  files '*.cpp' '*.hpp' | xargs -d '\n' clang-format-16 --dry-run -Werror
  files '*.sh' .ci/run | xargs -d '\n' shellcheck -x
}

stage_includes() {
  python3 tools/check_includes.py
}

stage_build() {
  local bench=OFF
  ((long == 0)) || bench=ON
  configure build-test -DPENSTOCK_TESTS=ON -DPENSTOCK_BENCH="$bench"
  cmake --build build-test --parallel "$jobs" -- "${quiet[@]}"
}

stage_unit() {
  GTEST_OUTPUT="xml:$results/gtest/" ctest --test-dir build-test -L '^(unit|simulation)$' --no-tests=error \
    --output-on-failure --timeout $((long ? 3600 : 600)) -j "$(nproc)"
}

# One build with clang serves the sanitizers and the fuzzers; it also shows that clang takes the code without a warning.
configure_sanitized() {
  configure build-asan -DCMAKE_C_COMPILER=clang-16 -DCMAKE_CXX_COMPILER=clang++-16 -DPENSTOCK_TESTS=ON \
    -DPENSTOCK_BENCH=OFF -DPENSTOCK_SANITIZE=ON -DPENSTOCK_FUZZ=ON
}

stage_asan() {
  local programs
  configure_sanitized
  mapfile -t programs < <(targets build-asan 'unit_[a-z_]+')
  cmake --build build-asan --parallel "$jobs" --target "${programs[@]}" -- "${quiet[@]}"
  UBSAN_OPTIONS=print_stacktrace=1 ctest --test-dir build-asan -L '^unit$' --no-tests=error --output-on-failure \
    --timeout 900 -j "$(nproc)"
}

# fuzz_one TARGET SECONDS: new inputs and crashes stay in build-asan; tests/fuzz/corpus is only read.
fuzz_one() {
  local name=$1 seconds=$2
  local found=build-asan/corpus/$name log=build-asan/$name.log
  mkdir -p "$found"
  local known=()
  [[ ! -d tests/fuzz/corpus/$name ]] || known=("tests/fuzz/corpus/$name")
  if timeout --foreground $((seconds + 120)) "build-asan/tests/fuzz/$name" -max_total_time="$seconds" -timeout=10 \
    -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="build-asan/$name-" "$found" "${known[@]}" \
    >"$log" 2>&1 </dev/null; then
    printf '%s: %s inputs\n' "$name" "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")"
  else
    tail -n 60 "$log"
    printf '%s: failed; the input is kept in build-asan/%s-*\n' "$name" "$name"
    return 1
  fi
}

stage_fuzz() {
  local names seconds=$((long ? 120 : 10))
  configure_sanitized
  mapfile -t names < <(targets build-asan '[a-z0-9]+_fuzz')
  ((${#names[@]} > 0)) || give_up "there are no fuzz targets in tests/fuzz"
  cmake --build build-asan --parallel "$jobs" --target "${names[@]}" -- "${quiet[@]}"
  export -f fuzz_one
  # shellcheck disable=SC2016
  printf '%s\n' "${names[@]}" | xargs -P "$(nproc)" -I '{}' bash -c 'fuzz_one "$1" "$2"' fuzz_one '{}' "$seconds"
}

# Prints the sources that clang-tidy is to see: on a branch what differs from main, on main the last commit; for a header
# the source of its name, or one that includes it.
changed_sources() {
  local base file source
  base=$(git merge-base HEAD origin/main 2>/dev/null || true)
  [[ -n $base && $base != "$(git rev-parse HEAD)" ]] || base=$(git rev-parse --verify --quiet HEAD~1 || true)
  git diff --name-only --diff-filter=d ${base:+"$base"} -- '*.cpp' '*.hpp' | while IFS= read -r file; do
    source=${file%.hpp}
    [[ $source == "$file" ]] || source=$source.cpp
    [[ -f $source ]] || source=$(git grep -lF "#include \"$file\"" -- '*.cpp' | head -n 1 || true)
    [[ -z $source ]] || printf '%s\n' "$source"
  done | sort -u
}

# Two dozen units take about three minutes. With the commands of the clang build: clang-tidy cannot read those of g++.
stage_tidy() {
  local most=24 sources built
  mapfile -t sources < <(if ((long)); then files '*.cpp'; else changed_sources; fi)
  built=$(sed -n "s#^ *\"file\": \"$root/\(.*\)\",\{0,1\}\$#\1#p" build-asan/compile_commands.json)
  mapfile -t sources < <(printf '%s\n' "${sources[@]}" | grep -xF -e "$built" || true)
  printf '%d sources to check' "${#sources[@]}"
  if ((long == 0 && ${#sources[@]} > most)); then
    printf ', the first %d now (--long checks all)' "$most"
    sources=("${sources[@]:0:most}")
  fi
  printf '\n'
  ((${#sources[@]} > 0)) || return 0
  # What clang-tidy prints on standard error is how many warnings it suppressed.
  printf '%s\n' "${sources[@]}" | xargs -d '\n' -P "$(nproc)" -n 1 clang-tidy-16 -p build-asan --quiet 2>/dev/null
}

stage_integration() {
  mkdir -p "$results"
  PENSTOCK_BUILD=$root/build-test timeout --foreground -k 60 $((long ? 14400 : 1200)) \
    python3 -m pytest -q -p no:cacheprovider --durations=5 --basetemp="$root/build-test/pytest" \
    --junitxml="$results/pytest.xml" tests/integration tests/verifier
}

rm -rf "$results"
stage=
began=0
report_failure() {
  local code=$?
  if ((code != 0)) && [[ -n $stage ]]; then
    python3 tools/count_tests.py --failed "$results" 2>/dev/null || true
    printf 'test.sh: stage "%s" failed after %d s; again: tools/test.sh --only %s\n' "$stage" $((SECONDS - began)) "$stage"
  fi
}
trap report_failure EXIT

for stage in "${stages[@]}"; do
  began=$SECONDS
  printf '\n=== %s\n' "$stage"
  "stage_$stage"
  printf '=== %s: %d s\n' "$stage" $((SECONDS - began))
done
stage=
printf '\nall stages passed in %d s\n' "$SECONDS"
python3 tools/count_tests.py "$results"
