#!/usr/bin/env bash
# The one list of Debian packages, and what installs those that are missing.
# usage: tools/packages.sh build|test|check ...   (GONEURON_PACKAGES=skip: trust that they are there)
# Exit code 2: they cannot be installed here; the line printed says which to install by hand.
set -euo pipefail

build=(g++ cmake ninja-build ccache libfmt-dev libhwy-dev zlib1g-dev nlohmann-json3-dev libcli11-dev
       pkg-config libpng-dev libjpeg62-turbo-dev libyaml-cpp-dev python3 dataset-fashion-mnist ca-certificates)
test=(libgtest-dev clang-format-14 fortunes-br)
check=(git clang-14 clang-tidy-14 libclang-rt-14-dev)

wanted=()
for group in "$@"; do
  case $group in
    build) wanted+=("${build[@]}") ;;
    test) wanted+=("${test[@]}") ;;
    check) wanted+=("${check[@]}") ;;
    *) echo "tools/packages.sh: no group \"$group\"; there are build, test, check" >&2; exit 1 ;;
  esac
done
[ "${GONEURON_PACKAGES:-}" = skip ] && exit 0

by_hand() {
  echo "$1: install these by hand (Debian's names): $2; then run again with GONEURON_PACKAGES=skip" >&2
  exit 2
}
if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
  by_hand "this is no Debian system" "${wanted[*]}"
fi

missing=()
for package in "${wanted[@]}"; do
  state=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$state" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || by_hand "no root and no sudo" "${missing[*]}"
  as_root=(sudo)
  [ -t 0 ] || as_root=(sudo -n)
  "${as_root[@]}" true || by_hand "sudo refused" "${missing[*]}"
fi
echo "installing: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { "${as_root[@]}" apt-get update -qq &&
       "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
         apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
  tail -n 5 "$log" >&2
  by_hand "apt-get failed" "${missing[*]}"
fi
