#!/bin/sh
# Installs the Debian 12 packages that a job needs, and only those that are missing.
#
#   scripts/install_dependencies.sh [build|test|lint|coverage|fuzz|bench|site|all]...
#
# `make` calls it before each job; when everything is there it takes a few milliseconds and changes nothing.
# WFLKS_NO_INSTALL=1 makes it only look. On systems without dpkg it says what is needed and goes on.
set -eu

build="g++ gcc make cmake ninja-build ccache pkg-config git python3
  libxxhash-dev libzstd-dev libsodium-dev
  libcli11-dev libfmt-dev nlohmann-json3-dev libpcre2-dev libutf8proc-dev libtomlplusplus-dev
  libssl-dev libcrypt-dev libedit-dev systemtap-sdt-dev"
test="$build libgtest-dev libgmock-dev librapidcheck-dev clang-19 libclang-rt-19-dev llvm-19 procps tmux
  binutils dpkg-dev fakeroot man-db groff-base mkdocs mkdocs-material"
lint="$test clang-format-19 clang-tidy-19 shellcheck"
coverage="$test gcovr"
fuzz="$test"
site="python3 mkdocs mkdocs-material"
bench="$build lua5.4 liblmdb-dev librocksdb-dev libleveldb-dev libsqlite3-dev libtkrzw-dev"

wanted=""
for group in "${@:-build}"; do
  case $group in
    build) wanted="$wanted $build" ;;
    test) wanted="$wanted $test" ;;
    lint) wanted="$wanted $lint" ;;
    coverage) wanted="$wanted $coverage" ;;
    fuzz) wanted="$wanted $fuzz" ;;
    bench) wanted="$wanted $bench" ;;
    site) wanted="$wanted $site" ;;
    all) wanted="$wanted $lint $coverage $bench" ;;
    *)
      echo "install_dependencies.sh: unknown group '$group'; known: build test lint coverage fuzz bench site all" >&2
      exit 2
      ;;
  esac
done
# shellcheck disable=SC2086  # One word a package is what is wanted here and below.
wanted=$(printf '%s\n' $wanted | sort -u)

if ! command -v dpkg-query >/dev/null 2>&1; then
  echo "This is not a Debian system, so nothing was installed. These Debian 12 packages, or what they are called here, are needed:" >&2
  # shellcheck disable=SC2086
  echo $wanted >&2
  exit 0
fi

missing=""
# shellcheck disable=SC2086
installed=$(dpkg-query -W -f='${db:Status-Status} ${Package}\n' $wanted 2>/dev/null | sed -n 's/^installed //p') || true
for package in $wanted; do
  printf '%s\n' "$installed" | grep -qxF -- "$package" || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "${WFLKS_NO_INSTALL:-0}" = 1 ]; then
  echo "Missing packages, not installed because WFLKS_NO_INSTALL is set:$missing" >&2
  exit 1
fi
as_root=""
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null 2>&1; then
    echo "These packages are missing, and installing them needs root rights or sudo. As root, run:" >&2
    echo "  apt-get install$missing" >&2
    exit 1
  fi
  as_root="sudo"
fi

echo "Installing missing packages:$missing"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt() {
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -y -qq "$@" >>"$log" 2>&1
}
# The package lists may be absent (fresh container) or stale: then the first attempt fails and a fresh list helps.
# shellcheck disable=SC2086
if ! apt install --no-install-recommends $missing; then
  if ! apt update || ! apt install --no-install-recommends $missing; then
    tail -n 40 "$log" >&2
    echo "Installing the packages failed; the end of apt's output is above. Is this Debian 12 with the 'main' component enabled?" >&2
    exit 1
  fi
fi
