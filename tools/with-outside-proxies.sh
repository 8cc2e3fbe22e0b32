#!/bin/sh
# Runs a command with real proxies to put in front: tools/with-outside-proxies.sh npm test -- conformance/outside-proxies
#
# Installs Debian's nginx and HAProxy when they are not there and it can (root, apt); else the suites
# that need them are skipped by name.
set -eu

missing=
[ -x /usr/sbin/nginx ] || missing=nginx
[ -x /usr/sbin/haproxy ] || missing="$missing haproxy"

if [ -n "$missing" ] && [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
  # The suites start them: none is to run by itself.
  policy=/usr/sbin/policy-rc.d
  own=
  if [ ! -e "$policy" ]; then
    own=1
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
  fi
  # shellcheck disable=SC2086
  apt-get update -qq &&
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null ||
    echo "with-outside-proxies: not installed: $missing" >&2
  [ -z "$own" ] || rm -f "$policy"
fi

"$@"
