# One image for every role: api, worker, migrate. The role is the first argument.
#
#   docker build --tag leadward .
#   docker run --rm leadward --help

# The console, which the binary embeds.
FROM node:22-bookworm-slim AS console
WORKDIR /src/console
COPY console/package.json console/package-lock.json console/.npmrc ./
RUN npm ci
COPY console/ ./
RUN npm run build

# The binary. The compiler's version is that of rust-toolchain.toml; the image brings it, so none is downloaded.
FROM rust:1.95.0-bookworm AS build
ENV RUSTUP_TOOLCHAIN=1.95.0
WORKDIR /src
COPY . .
COPY --from=console /src/console/dist console/dist
# The caches live outside the image, so the binary is moved out of one in the same step.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked --bin leadward \
    && install -D target/release/leadward /out/leadward

FROM debian:bookworm-slim
# curl asks the health check; the certificates are for SMTP and Redis over TLS.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates curl \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --system --gid 10001 leadward \
    && useradd --system --uid 10001 --gid 10001 --home-dir /var/lib/leadward --create-home leadward
COPY --from=build /out/leadward /usr/local/bin/leadward
# By number, so that an orchestrator can see that it is not root.
USER 10001:10001
WORKDIR /var/lib/leadward
ENV DATA_DIR=/var/lib/leadward \
    LISTEN_ADDR=0.0.0.0:8080
VOLUME /var/lib/leadward
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["curl", "--fail", "--silent", "--show-error", "--output", "/dev/null", "http://127.0.0.1:8080/readyz"]
# The binary answers SIGTERM by stopping to claim work and finishing what it has handed off.
STOPSIGNAL SIGTERM
ENTRYPOINT ["leadward"]
CMD ["serve"]
