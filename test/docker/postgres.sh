#!/bin/sh
# As the official image does, as far as the voting example needs it: a fresh cluster, one database, everybody trusted.
set -eu
data=/var/lib/data
if [ ! -e "$data/PG_VERSION" ]; then
  initdb --pgdata "$data" --username postgres --auth trust --locale C --encoding UTF8 --no-sync >/dev/null
  echo 'host all all all trust' >>"$data/pg_hba.conf"
  if [ -n "${POSTGRES_DB:-}" ]; then
    echo "CREATE DATABASE $POSTGRES_DB;" | postgres --single -j -D "$data" postgres >/dev/null
  fi
fi
exec postgres -D "$data" -c listen_addresses='*' -c unix_socket_directories=/var/run/postgresql -c shared_buffers=16MB
