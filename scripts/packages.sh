#!/usr/bin/env bash
# Installs the Debian packages that the tests with foreign clients need and this machine lacks.
#
#   scripts/packages.sh python3-socketio python3-websocket
set -euo pipefail
missing=()
for package in "$@"; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  echo "packages.sh: missing ${missing[*]}; install them first (Debian: apt-get install ${missing[*]})" >&2
  exit 1
fi
echo "packages.sh: installing ${missing[*]}"
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${missing[@]}" >/dev/null
