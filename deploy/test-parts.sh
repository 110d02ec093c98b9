#!/usr/bin/env bash
# Installs what the tests need beside Python: Debian's mosquitto, GStreamer's RTSP server and
# Chromium, and starts TimescaleDB. Without apt-get or root it says what is missing; tests that
# need it are then skipped, and fail where CI is set.
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(mosquitto mosquitto-clients chromium fonts-wqy-microhei python3-gi gir1.2-gst-rtsp-server-1.0
          gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad
          gstreamer1.0-plugins-ugly gstreamer1.0-libav)
missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done

if [ ${#missing[@]} -gt 0 ]; then
  if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    # No service may start by itself: the tests start their own servers on free ports.
    policy=/usr/sbin/policy-rc.d
    if [ ! -e $policy ]; then printf '#!/bin/sh\nexit 101\n' >$policy; chmod +x $policy; trap 'rm -f $policy' EXIT; fi
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
  else
    echo "test-parts.sh: not installed: ${missing[*]} (run: apt-get install ${missing[*]})" >&2
  fi
fi

TSDB_OPTS="${TSDB_OPTS:--c fsync=off -c max_connections=200}" deploy/timescaledb.sh start >/dev/null
