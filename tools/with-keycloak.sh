#!/bin/sh
# Runs a command with a Keycloak of its own: tools/with-keycloak.sh npm test -- conformance/keycloak
#
# Fetches the distribution from Maven Central once, into a cache folder (SCOPEGATE_KEYCLOAK_CACHE),
# unpacks it into a new temporary folder, starts it on a free loopback port with the realms of
# conformance/keycloak/, in memory, and ends and removes it after the command, whose exit code it
# returns. The command finds SCOPEGATE_KEYCLOAK_URL and SCOPEGATE_KEYCLOAK_ADMIN_PASSWORD.
# SCOPEGATE_KEYCLOAK_VERSION chooses another version. Installs Debian's Java and Maven when they are
# missing (needs root).
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
version=${SCOPEGATE_KEYCLOAK_VERSION:-26.4.5}
cache=${SCOPEGATE_KEYCLOAK_CACHE:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/scopegate}
archive=$cache/keycloak-quarkus-dist-$version.tar.gz

# need COMMAND PACKAGE: installs what is missing.
need() {
  command -v "$1" >/dev/null && return
  if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "with-keycloak: $1 is not there; install it with: apt-get install $2" >&2
    exit 69
  fi
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$2" >/dev/null
}

need java openjdk-17-jre-headless
if [ ! -f "$archive" ]; then
  need mvn maven
  mkdir -p "$cache"
  fetched=$(mktemp -d "$cache/fetch-XXXXXX")
  mvn -q dependency:copy "-Dartifact=org.keycloak:keycloak-quarkus-dist:$version:tar.gz" \
    "-DoutputDirectory=$fetched" >"$fetched/log" 2>&1 || {
    tail -20 "$fetched/log" >&2
    rm -rf "$fetched"
    echo "with-keycloak: Keycloak $version could not be fetched from Maven Central" >&2
    exit 69
  }
  mv "$fetched/keycloak-quarkus-dist-$version.tar.gz" "$archive"
  rm -rf "$fetched"
fi

dir=$(mktemp -d "${TMPDIR:-/tmp}/scopegate-keycloak-XXXXXX")
pid=
stop() {
  if [ -n "$pid" ]; then
    kill "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  fi
  rm -rf "$dir"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

tar -xzf "$archive" -C "$dir" --strip-components=1
mkdir -p "$dir/data/import"
cp "$root"/conformance/keycloak/*.json "$dir/data/import/"

SCOPEGATE_KEYCLOAK_ADMIN_PASSWORD=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
export SCOPEGATE_KEYCLOAK_ADMIN_PASSWORD
KC_BOOTSTRAP_ADMIN_USERNAME=admin KC_BOOTSTRAP_ADMIN_PASSWORD=$SCOPEGATE_KEYCLOAK_ADMIN_PASSWORD \
  JAVA_OPTS_KC_HEAP='-Xms128m -Xmx512m' \
  "$dir/bin/kc.sh" start-dev --import-realm --db=dev-mem --cache=local \
  --http-host=127.0.0.1 --http-port=0 >"$dir/log" 2>&1 &
pid=$!

# It says which port it got, and that it is ready, in one line.
url=
waited=0
while [ -z "$url" ]; do
  if ! kill -0 "$pid" 2>/dev/null || [ "$waited" -ge 900 ]; then
    tail -40 "$dir/log" >&2
    echo "with-keycloak: Keycloak $version did not start" >&2
    exit 70
  fi
  sleep 1
  waited=$((waited + 1))
  url=$(sed -n 's/.*Listening on: \(http:[^ ]*[0-9]\).*/\1/p' "$dir/log" | head -1)
done

SCOPEGATE_KEYCLOAK_URL=$url
export SCOPEGATE_KEYCLOAK_URL
"$@"
