#!/bin/sh
# The instance's settings come with the image, its folder is on a volume that outlives images: renewed at every start, in one step.
set -eu
mkdir -p "$DAGSTER_HOME"
cp /opt/roicg/dagster.yaml "$DAGSTER_HOME/.dagster.yaml.$(hostname)"
mv "$DAGSTER_HOME/.dagster.yaml.$(hostname)" "$DAGSTER_HOME/dagster.yaml"
exec "$@"
