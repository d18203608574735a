# Two stages make what the third one carries: dependencies, then the program. Where the dependencies are the same, their
# layer (106 MB) need not be made or downloaded again, and that of the program is 7 MB. Wheels exist for amd64 and arm64;
# 32-bit arm compiles what is missing, and the compiler stays behind.
FROM python:3.13-slim-trixie AS dependencies
SHELL ["/bin/sh", "-eu", "-c"]
WORKDIR /build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore PYTHONHASHSEED=0

# hadolint ignore=DL3008
RUN if [ "$(dpkg --print-architecture)" = armhf ]; then \
        apt-get update; \
        apt-get install -y --no-install-recommends gcc libc6-dev libffi-dev; \
        rm -rf /var/lib/apt/lists/*; \
    fi

COPY requirements/build.txt requirements/encrypted.txt requirements/image.txt requirements/
# linux32: a 32-bit image on a 64-bit kernel is still a 32-bit machine to pip, and has no driver for PostgreSQL.
# Bytecode that knows no time of its source, and one time for all files: each build makes the same layer.
RUN if [ "$(dpkg --print-architecture)" = armhf ]; then as=linux32 needs=encrypted; else as='' needs=image; fi; \
    python -m venv tools; \
    python -m venv --without-pip /opt/iskra-server; \
    tools/bin/pip install --require-hashes -r requirements/build.txt; \
    $as tools/bin/pip --python /opt/iskra-server/bin/python install --no-compile --require-hashes \
        -r requirements/$needs.txt; \
    python -m compileall -q --invalidation-mode unchecked-hash /opt/iskra-server/lib; \
    find /opt/iskra-server -exec touch --no-dereference --date=2026-01-01 {} +


FROM dependencies AS program
COPY pyproject.toml hatch_build.py README.md LICENSE NOTICE ./
COPY src src
# what `iskra-server --version` names; release/image.py gives them
ARG ISKRA_COMMIT=
ARG ISKRA_COMMIT_DATE=
RUN tools/bin/pip wheel --no-deps --no-build-isolation --wheel-dir wheel .; \
    tools/bin/pip --python /opt/iskra-server/bin/python install --no-compile --no-deps --no-index --root /program \
        wheel/*.whl; \
    python -m compileall -q -s /program --invalidation-mode unchecked-hash /program/opt/iskra-server/lib
COPY deploy/healthcheck.py /program/opt/iskra-server/healthcheck.py


FROM python:3.13-slim-trixie

# serial ports belong to the group dialout
RUN useradd --uid 10001 --gid dialout --no-create-home --home-dir /data --shell /usr/sbin/nologin iskra \
    && install --directory --owner=iskra --group=dialout --mode=0750 /data
COPY --from=dependencies /opt/iskra-server /opt/iskra-server
COPY --from=program /program /
# this image has no bytecode of the standard library: compiling at each start takes as long as all else, and 5 MB of memory
RUN ["/opt/iskra-server/bin/python", "-c", "import iskra_server.cli.commands.serve, iskra_server.history.recording.archive"]

# time zones come with the package tzdata of requirements/image.txt; without TZ days begin in UTC
# multicast does not leave a bridge; with the host's network, IES_SERVER_ANNOUNCE=true makes sense again
ENV PATH=/opt/iskra-server/bin:$PATH IES_DATA_DIR=/data IES_SERVER_ANNOUNCE=false \
    STATE_DIRECTORY=/data PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001:20
WORKDIR /data
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=20s --timeout=5s --start-period=20s CMD ["python", "-IS", "/opt/iskra-server/healthcheck.py"]
ENTRYPOINT ["iskra-server"]
CMD ["serve"]

ARG VERSION=
ARG SOURCE=
ARG ISKRA_COMMIT=
ARG ISKRA_COMMIT_DATE=
LABEL org.opencontainers.image.title="ISKRA Electricity Server" \
      org.opencontainers.image.description="Reads an ISKRA electricity meter and serves the exact reading over HTTP" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$ISKRA_COMMIT" \
      org.opencontainers.image.created="$ISKRA_COMMIT_DATE" \
      org.opencontainers.image.source="$SOURCE"
