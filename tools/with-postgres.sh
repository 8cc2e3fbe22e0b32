#!/bin/sh
# Runs a command with a PostgreSQL 15 of its own: tools/with-postgres.sh npm test
#
# Installs Debian's PostgreSQL when there is none (needs root), starts a private cluster on a Unix
# socket in a new temporary folder, names it in SCOPEGATE_TEST_DATABASE_URL, and ends and removes it
# after the command, whose exit code it returns. SCOPEGATE_POSTGRES_MAJOR chooses another version.
set -eu

major=${SCOPEGATE_POSTGRES_MAJOR:-15}
bin=/usr/lib/postgresql/$major/bin

if [ ! -x "$bin/postgres" ]; then
  if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "with-postgres: $bin is not there; install it with: apt-get install postgresql-$major" >&2
    exit 69
  fi
  # No cluster of the package's own: it would only take port 5432.
  mkdir -p /etc/postgresql-common/createcluster.d
  echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.d/scopegate.conf
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "postgresql-$major" >/dev/null
fi

# PostgreSQL does not run as root; Debian's package brings a user for it.
if [ "$(id -u)" -eq 0 ]; then as="setpriv --reuid=postgres --regid=postgres --init-groups --"; else as=; fi

# In memory where there is plenty: creating the files of small databases is most of the work.
place=${TMPDIR:-/tmp}
free=$(df -Pk /dev/shm 2>/dev/null | awk 'NR == 2 { print $4 }')
if [ "${free:-0}" -ge 6291456 ] && [ -w /dev/shm ]; then place=/dev/shm; fi
dir=$(mktemp -d "$place/scopegate-pg$major-XXXXXX")
if [ -n "$as" ]; then chown postgres "$dir"; fi
stop() {
  $as "$bin/pg_ctl" -D "$dir/data" -m immediate -w stop >/dev/null 2>&1 || true
  rm -rf "$dir"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# The settings of a server by default, but for what only costs time in tests.
cd "$dir"
$as "$bin/initdb" -D "$dir/data" -U scopegate --auth=trust --encoding=UTF8 --locale=C.UTF-8 \
  --no-sync >"$dir/initdb.log" 2>&1 || { cat "$dir/initdb.log" >&2; exit 70; }
$as "$bin/pg_ctl" -D "$dir/data" -l "$dir/log" -w start -o \
  "-c listen_addresses= -c unix_socket_directories=$dir -c fsync=off -c synchronous_commit=off -c full_page_writes=off" \
  >/dev/null || { cat "$dir/log" >&2; exit 70; }
cd "$OLDPWD"

SCOPEGATE_TEST_DATABASE_URL="postgres://scopegate@$(printf %s "$dir" | sed 's|/|%2F|g')/postgres"
export SCOPEGATE_TEST_DATABASE_URL
"$@"
