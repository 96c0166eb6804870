#!/bin/sh
# Entry point of the local stand-in for the official PostgreSQL image: POSTGRES_USER, POSTGRES_PASSWORD and POSTGRES_DB at the first start.
set -eu
data=/var/lib/postgresql/data
if [ ! -s $data/PG_VERSION ]; then
  umask 077
  printf '%s' "$POSTGRES_PASSWORD" > /tmp/password
  initdb -D $data -U "$POSTGRES_USER" --pwfile=/tmp/password --auth=scram-sha-256 -E UTF8 --locale=C.UTF-8
  rm /tmp/password
  echo "host all all all scram-sha-256" >> $data/pg_hba.conf
  pg_ctl -D $data -o "-c listen_addresses= -c unix_socket_directories=/tmp" -w start
  PGPASSWORD="$POSTGRES_PASSWORD" psql -h /tmp -U "$POSTGRES_USER" -d postgres -c "create database \"$POSTGRES_DB\""
  pg_ctl -D $data -m fast -w stop
fi
exec postgres -D $data -c 'listen_addresses=*' -c unix_socket_directories=/tmp
