# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What Penstock needs of Debian 12, and how it gets there. Sourced by quickstart.sh and test.sh, not run.

# To build and run.
# shellcheck disable=SC2034
build_packages=(
  ca-certificates g++ cmake ninja-build pkg-config
  libcaf-dev librocksdb-dev librdkafka-dev libboost-program-options-dev libeigen3-dev libfmt-dev libsimdjson-dev
  libssl-dev libyaml-cpp-dev nlohmann-json3-dev prometheus-cpp-dev
)

# To test, on top of that. Used by test.sh.
# shellcheck disable=SC2034
test_packages=(
  git ccache mold shellcheck clang-format-16 clang-tidy-16 clang-16 libclang-rt-16-dev
  libgtest-dev libgmock-dev libbenchmark-dev
  python3 python3-pytest procps strace fiu-utils
)

# Says what is wrong on standard error and ends the script.
give_up() {
  printf '%s: %s\n' "${0##*/}" "$1" >&2
  exit 1
}

# Prints those of the packages that are not installed, one a line.
missing_packages() {
  local installed
  # dpkg-query fails when it does not know one of them, and still prints the others.
  installed=$(dpkg-query -W -f='${db:Status-Abbrev} ${Package}\n' "$@" 2>/dev/null | sed -n 's/^ii *//p' || true)
  printf '%s\n' "$@" | grep -vxF -e "$installed" || true
}

# Ends the script unless this is Debian 12, whose library versions Penstock is written for.
require_debian() {
  local system="an unknown system"
  if [[ -r /etc/os-release ]]; then
    # shellcheck source=/dev/null
    system=$(. /etc/os-release && printf '%s %s' "${ID:-unknown}" "${VERSION_ID:-}")
  fi
  if [[ $system != "debian 12" ]] || ! command -v apt-get >/dev/null; then
    give_up "Penstock builds on Debian 12, and this is ${system}. In a container it runs anywhere:
  docker run --rm -it -v \"\$PWD\":/penstock -w /penstock debian:12 tools/${0##*/}"
  fi
}

# Runs a command as root, by sudo when the user is somebody else.
as_root() {
  if [[ $(id -u) -eq 0 ]]; then
    "$@"
  elif { true </dev/tty; } 2>/dev/null; then
    sudo "$@" # asks for the password on the terminal
  else
    sudo --non-interactive "$@"
  fi
}

# Installs those of the packages that are missing; without any it takes no time and needs no rights.
install_packages() {
  local missing log
  mapfile -t missing < <(missing_packages "$@")
  ((${#missing[@]} > 0)) || return 0
  require_debian
  if [[ $(id -u) -ne 0 ]] && ! command -v sudo >/dev/null; then
    give_up "packages are missing, and there is neither root nor sudo to install them. As root, run:
  apt-get update && apt-get install -y --no-install-recommends ${missing[*]}"
  fi
  printf 'installing %d packages: %s\n' "${#missing[@]}" "${missing[*]}"
  log=$(mktemp)
  if ! { as_root apt-get -q -o DPkg::Lock::Timeout=300 update &&
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 \
      install --no-install-recommends "${missing[@]}"; } >"$log" 2>&1 </dev/null; then
    cat "$log" >&2
    rm -f "$log"
    give_up "the packages could not be installed; the lines above say why. Is the network there, and /etc/apt/sources.list right?"
  fi
  rm -f "$log"
}

# Prints how many compilers may run at once: one per core, but 1.5 GB of free memory for each.
build_jobs() {
  local cores gigabytes_times_two jobs
  cores=$(nproc)
  gigabytes_times_two=$(awk '/^MemAvailable:/ { print int($2 / 524288) }' /proc/meminfo)
  jobs=$((gigabytes_times_two / 3))
  ((jobs >= 1)) || jobs=1
  ((jobs <= cores)) || jobs=$cores
  printf '%d\n' "$jobs"
}
