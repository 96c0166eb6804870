#!/bin/sh
# Entry point of the local stand-in for the official Neo4j image: the same variables, as far as the lanes and compose.yaml use them.
#   NEO4J_AUTH=neo4j/PASSWORD sets the first password, none turns passwords off; NEO4J_server_memory_x__y=v is the setting server.memory.x_y=v.
set -eu
home=/var/lib/neo4j
export NEO4J_HOME=$home NEO4J_CONF=$home/conf
java=/opt/java/bin/java
open="--add-opens=java.base/java.nio=ALL-UNNAMED --add-opens=java.base/java.io=ALL-UNNAMED --add-opens=java.base/sun.nio.ch=ALL-UNNAMED"
heap_initial=${NEO4J_server_memory_heap_initial__size:-256m}
heap_max=${NEO4J_server_memory_heap_max__size:-1g}
set --
env | grep '^NEO4J_[a-z]' > /tmp/settings || true
while IFS= read -r line; do
  name=$(echo "${line%%=*}" | sed 's/^NEO4J_//; s/__/\x01/g; s/_/./g; s/\x01/_/g')
  case $name in
    server.memory.heap.*) ;;
    *) set -- "$@" -c "$name=${line#*=}" ;;
  esac
done < /tmp/settings
case "${NEO4J_AUTH:-}" in
  none) set -- "$@" -c dbms.security.auth_enabled=false ;;
  neo4j/*)
    if [ ! -e /data/databases/system ] && [ ! -e /data/dbms/auth.ini ]; then
      # shellcheck disable=SC2086
      $java -Xmx256m $open -cp "$home/lib/*" org.neo4j.cli.AdminTool dbms set-initial-password "${NEO4J_AUTH#neo4j/}"
    fi
    ;;
  "") ;;
  *) echo "Invalid value for NEO4J_AUTH" >&2; exit 1 ;;
esac
unset NEO4J_AUTH
# shellcheck disable=SC2086
exec $java -Xms$heap_initial -Xmx$heap_max $open -Djol.skipHotspotSAAttach=true -cp "$home/lib/*" "$(cat $home/main-class)" \
  --home-dir=$home --config-dir=$home/conf --console-mode "$@"
