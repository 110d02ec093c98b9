#!/usr/bin/env bash
# Installs what the tests need beside Python: Debian's mosquitto, Prometheus, GStreamer's RTSP server
# and Chromium, and starts TimescaleDB. What cannot be had here it names and goes on: the tests that
# need it are skipped then, and fail where CI is set.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'test-parts.sh: %s\n' "$*" >&2; }

packages=(mosquitto mosquitto-clients prometheus chromium fonts-wqy-microhei
          libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0
          python3-gi gir1.2-gst-rtsp-server-1.0
          gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad
          gstreamer1.0-plugins-ugly gstreamer1.0-libav)

# Those of the packages that are not installed, one a line.
missing_packages() {
  local package state
  for package in "${packages[@]}"; do
    state=$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null) || true
    [ "$state" = 'install ok installed' ] || echo "$package"
  done
}

install_packages() {
  # No service may start by itself: the tests start their own servers on free ports.
  local policy=/usr/sbin/policy-rc.d status=0
  if [ ! -e $policy ]; then
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
    printf '#!/bin/sh\nexit 101\n' >$policy
    chmod 755 $policy
  fi
  export DEBIAN_FRONTEND=noninteractive
  # Old lists may do; lists that cannot be had need not stop anybody who has the packages cached.
  apt-get update -qq >&2 || say "the package lists are not up to date"
  apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=300 "$@" >/dev/null || status=$?
  return $status
}

if ! command -v dpkg-query >/dev/null; then
  say "this is no Debian; see that these are here under the names of this system: ${packages[*]}"
else
  mapfile -t missing < <(missing_packages)
  if [ ${#missing[@]} -gt 0 ] && [ "$(id -u)" = 0 ]; then
    install_packages "${missing[@]}" || say "apt-get failed, see above"
    mapfile -t missing < <(missing_packages)
  fi
  if [ ${#missing[@]} -gt 0 ]; then
    say "not installed: ${missing[*]}"
    say "as root: apt-get install --no-install-recommends ${missing[*]}"
  fi
fi

# Data of tests may be lost on a power cut; that saves much time.
TSDB_OPTS="${TSDB_OPTS:--c fsync=off -c max_connections=200}" deploy/timescaledb.sh start >/dev/null ||
  say "no TimescaleDB, see above"
