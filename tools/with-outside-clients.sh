#!/bin/sh
# Runs a command with a real browser and the large outside clients: tools/with-outside-clients.sh npm test -- conformance/outside
#
# Installs Debian's Chromium when there is none (needs root), and what conformance/outside/package.json
# and conformance/frameworks/package.json name; SCOPEGATE_CHROMIUM tells the suites where the browser is.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
browser=${SCOPEGATE_CHROMIUM:-/usr/bin/chromium}

if [ ! -x "$browser" ]; then
  if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "with-outside-clients: $browser is not there; install chromium, or name one in SCOPEGATE_CHROMIUM" >&2
    exit 69
  fi
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null
fi

# Optional and peer dependencies there are for React Native, several hundred packages of it.
if [ ! -d "$root/conformance/outside/node_modules/fhirclient" ]; then
  (cd "$root/conformance/outside" &&
    npm ci --ignore-scripts --omit=optional --omit=peer --legacy-peer-deps --no-audit --no-fund >/dev/null) || {
    echo "with-outside-clients: conformance/outside could not be installed" >&2
    exit 70
  }
fi

if [ ! -d "$root/conformance/frameworks/node_modules/express" ]; then
  (cd "$root/conformance/frameworks" && npm ci --ignore-scripts --no-audit --no-fund >/dev/null) || {
    echo "with-outside-clients: conformance/frameworks could not be installed" >&2
    exit 70
  }
fi

SCOPEGATE_CHROMIUM=$browser
export SCOPEGATE_CHROMIUM
"$@"
