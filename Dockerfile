# docker build -t pgassay . && docker run --rm -v "$PWD:/work:ro" pgassay check
# docker build --target server -t pgassay:server . gives the image with PostgreSQL servers, for --prove, --run and queries.
FROM rust:1-alpine AS build
ARG TARGETARCH
RUN apk add --no-cache build-base
WORKDIR /source
COPY . .
RUN PGASSAY_BUILD_DATE=$(date -u +%F) cargo build --profile dist --locked --bin pgassay \
    && mkdir -p "/binary/$TARGETARCH" \
    && cp target/dist/pgassay "/binary/$TARGETARCH/"

# A release gives the binaries that it has built: --build-context binary=FOLDER, with amd64/pgassay and arm64/pgassay.
FROM scratch AS binary
COPY --from=build /binary /

FROM alpine:3 AS common
ARG TARGETARCH
# git: what is new against another commit. The mounted repository belongs to another user, which git would refuse.
RUN apk add --no-cache git \
    && git config --system --add safe.directory '*' \
    && adduser -D -H -u 10001 pgassay
COPY --from=binary /${TARGETARCH}/pgassay /usr/local/bin/pgassay
USER 10001
WORKDIR /work
ENTRYPOINT ["pgassay"]

# PostgreSQL as Alpine packages it, with contrib's extensions.
FROM common AS server
USER root
RUN apk add --no-cache postgresql17 postgresql17-contrib postgresql16 postgresql16-contrib
USER 10001

FROM common AS plain
