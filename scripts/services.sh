#!/usr/bin/env bash
# Runs a command with the services that its tests need: a private PostgreSQL in
# a temporary directory, on a free port of the loopback interface, with fsync on.
# It is stopped and removed when the command has ended, however it ended.
#
#   scripts/services.sh [--standby] go test ./internal/store/postgres/...
#
# The command sees
#   TOLMACH_TEST_POSTGRES      a URL of it, for a user who may make databases
#   TOLMACH_TEST_POSTGRES_CTL  pg_ctl for it: "$TOLMACH_TEST_POSTGRES_CTL" restart -m immediate
# and with --standby, of a second one that follows the first, whose commits wait for it,
#   TOLMACH_TEST_STANDBY, TOLMACH_TEST_STANDBY_CTL
set -euo pipefail
standby=
[ "${1:-}" != --standby ] || { standby=yes; shift; }
[ $# -gt 0 ] || { echo "usage: scripts/services.sh [--standby] COMMAND [ARGUMENT...]" >&2; exit 2; }

binaries() { # the directory of the newest PostgreSQL here
  for bin in $(printf '%s\n' /usr/lib/postgresql/*/bin | sort -rV) $(command -v initdb | sed 's|/initdb$||'); do
    [ ! -x "$bin/initdb" ] || { echo "$bin"; return; }
  done
}

install() {
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "services.sh: PostgreSQL is missing; install it first (Debian: apt-get install postgresql)" >&2
    exit 1
  fi
  echo "services.sh: installing PostgreSQL" >&2
  mkdir -p /etc/postgresql-common # no system cluster beside ours
  [ -e /etc/postgresql-common/createcluster.conf ] || echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq -o Dpkg::Options::=--force-confold postgresql; } >&2
}

[ -n "$(binaries)" ] || install
bin=$(binaries)
as=() # PostgreSQL does not run as root
[ "$(id -u)" != 0 ] || as=(runuser -u postgres --)

dir=$(mktemp -d /tmp/tolmach-pg.XXXXXX)
child=
stop() {
  status=$?
  trap - EXIT INT TERM HUP
  [ -z "$child" ] || kill "$child" 2>/dev/null || true
  for ctl in "$dir"/*/ctl; do
    [ ! -e "$ctl" ] || "$ctl" stop -m immediate >/dev/null 2>&1 || true
  done
  rm -rf "$dir"
  exit "$status"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# launch NAME starts the cluster in $dir/NAME/data on a free port and sets port.
launch() {
  home=$dir/$1
  printf '#!/bin/sh\nexec %s "%s/pg_ctl" -s -w -D "%s/data" -l "%s/log" "$@"\n' "${as[*]}" "$bin" "$home" "$home" >"$home/ctl"
  chmod 755 "$home/ctl"
  for _ in 1 2 3 4 5 6 7 8; do # until a port is free
    port=$((20000 + RANDOM % 12000))
    sed -i '/^port =/d' "$home/data/postgresql.conf"
    echo "port = $port" >>"$home/data/postgresql.conf"
    if "$home/ctl" start >/dev/null 2>&1; then return; fi
  done
  cat "$home/log" >&2
  exit 1
}

password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
printf '%s' "$password" >"$dir/password"
mkdir "$dir/primary" "$dir/standby"
[ ${#as[@]} = 0 ] || chown -R postgres "$dir"
"${as[@]}" "$bin/initdb" -D "$dir/primary/data" -U tolmach --pwfile="$dir/password" -A scram-sha-256 -E UTF8 --locale=C.UTF-8 \
  --wal-segsize=4 --no-sync >"$dir/initdb.log" 2>&1 || { cat "$dir/initdb.log" >&2; exit 1; }
cat >>"$dir/primary/data/postgresql.conf" <<CONF
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 300
shared_buffers = 64MB
max_wal_size = 128MB
CONF
launch primary
export TOLMACH_TEST_POSTGRES="postgres://tolmach:$password@127.0.0.1:$port/postgres"
export TOLMACH_TEST_POSTGRES_CTL="$dir/primary/ctl"

if [ -n "$standby" ]; then
  "${as[@]}" "$bin/pg_basebackup" -D "$dir/standby/data" -R -c fast --no-sync -d "$TOLMACH_TEST_POSTGRES"
  launch standby
  export TOLMACH_TEST_STANDBY="postgres://tolmach:$password@127.0.0.1:$port/postgres"
  export TOLMACH_TEST_STANDBY_CTL="$dir/standby/ctl"
  echo "synchronous_standby_names = '*'" >>"$dir/primary/data/postgresql.conf"
  "$dir/primary/ctl" reload
fi

"$@" <&0 &
child=$!
wait "$child" && status=0 || status=$?
child=
exit "$status"
