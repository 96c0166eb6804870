# roicg from a wheel (`make wheel` first). EXTRAS=pipelines,postgres is enough for Dagster's webserver and daemon; models adds torch.
# Where no package index answers: put all wheels into dist/ and give --build-arg PIP_OPTIONS="--no-index".
ARG PYTHON_IMAGE=python:3.12-slim-bookworm
FROM ${PYTHON_IMAGE}
ARG EXTRAS=models,pipelines,postgres
ARG PIP_OPTIONS=
COPY dist/ /tmp/dist/
COPY constraints.txt docker/dagster.yaml docker/workspace.yaml docker/entrypoint.sh /opt/roicg/
RUN python3 -m venv /opt/venv \
 && /opt/venv/bin/pip install --no-cache-dir --no-compile ${PIP_OPTIONS} --find-links /tmp/dist -c /opt/roicg/constraints.txt "$(ls /tmp/dist/roicg-*.whl)[${EXTRAS}]" \
 && rm -rf /tmp/dist \
 && groupadd --gid 1000 roicg && useradd --uid 1000 --gid 1000 --home-dir /var/lib/roicg --create-home roicg \
 && mkdir -m 0700 /var/lib/roicg/dagster && chown -R roicg:roicg /var/lib/roicg && chmod 0700 /var/lib/roicg && chmod 0755 /opt/roicg/entrypoint.sh
ENV PATH=/opt/venv/bin:/usr/local/bin:/usr/bin:/bin ROICG_HOME=/var/lib/roicg DAGSTER_HOME=/var/lib/roicg/dagster PYTHONUNBUFFERED=1
USER roicg
WORKDIR /var/lib/roicg
ENTRYPOINT ["/opt/roicg/entrypoint.sh"]
CMD ["roicg", "--help"]
