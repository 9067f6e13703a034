# docker build -t pgassay . && docker run --rm -v "$PWD:/work:ro" pgassay check
# docker build --target server -t pgassay:server . gives the image with PostgreSQL servers, for --prove, --run and queries.
FROM rust:1-alpine AS build
RUN apk add --no-cache build-base
WORKDIR /source
COPY . .
RUN cargo build --release --locked --bin pgassay

FROM alpine:3 AS common
# git: what is new against another commit. The mounted repository belongs to another user, which git would refuse.
RUN apk add --no-cache git \
    && git config --system --add safe.directory '*' \
    && adduser -D -H -u 10001 pgassay
COPY --from=build /source/target/release/pgassay /usr/local/bin/pgassay
USER 10001
WORKDIR /work
ENTRYPOINT ["pgassay"]

# PostgreSQL as Alpine packages it, with contrib's extensions.
FROM common AS server
USER root
RUN apk add --no-cache postgresql17 postgresql17-contrib postgresql16 postgresql16-contrib
USER 10001

FROM common AS plain
