# syntax=docker/dockerfile:1
# The manager in a container: `docker build -t playlivechess-manager .`
# Without AWS, in a few minutes: `docker build --build-arg FEATURES=--no-default-features …`

FROM rust:1.95-bookworm AS build
ARG FEATURES=
WORKDIR /src
COPY . .
# The caches are the builder's, so the binary is copied out of them in the same step.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked --package playlivechess-manager ${FEATURES} \
    && cp target/release/playlivechess-manager /usr/local/bin/

FROM debian:bookworm-slim
# AWS is spoken to over TLS, with the certificates of the system.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates tzdata \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /etc/playlivechess-manager --create-home playlivechess-manager
COPY --from=build /usr/local/bin/playlivechess-manager /usr/bin/
USER 10001:10001
# manager.toml and .env are looked for here; each setting has a name in the environment, too.
WORKDIR /etc/playlivechess-manager
# Operators are listened for on loopback until MANAGER_OPERATIONS_LISTEN and a token say otherwise.
EXPOSE 8000 8001
HEALTHCHECK --interval=10s --timeout=6s --start-period=10s CMD ["playlivechess-manager", "health-check"]
# SIGTERM ends it in good order, which takes up to http.shutdown_limit.
STOPSIGNAL SIGTERM
ENTRYPOINT ["playlivechess-manager"]
