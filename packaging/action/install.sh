#!/usr/bin/env bash
# Puts pgassay into $RUNNER_TEMP/pgassay/bin: the release's binary, checked against its checksum, else built from the action's own source.
#
# VERSION: a release such as 0.1.0; without it the version of the action's Cargo.toml. SOURCE: the action's folder.
# REPOSITORY: owner/name that the releases are in. SERVER: https://github.com, or the company's own.
set -euo pipefail

bin=$RUNNER_TEMP/pgassay/bin
mkdir -p "$bin"
version=${VERSION:-$(sed -n 's/^version = "\(.*\)"$/\1/p' "$SOURCE/Cargo.toml" | head -n 1)}

case "$(uname -s) $(uname -m)" in
    'Linux x86_64') target=x86_64-unknown-linux-musl ;;
    'Linux aarch64' | 'Linux arm64') target=aarch64-unknown-linux-musl ;;
    'Darwin x86_64') target=x86_64-apple-darwin ;;
    'Darwin arm64') target=aarch64-apple-darwin ;;
    MINGW* | MSYS*) target=x86_64-pc-windows-msvc ;;
    *) target='' ;;
esac

download() {
    [ -n "$target" ] && [ -n "${REPOSITORY:-}" ] || return 1
    archive=pgassay-$target.tar.gz
    address=${SERVER:-https://github.com}/$REPOSITORY/releases/download/v$version
    curl --fail --silent --show-error --location --retry 3 --output "$RUNNER_TEMP/$archive" "$address/$archive" || return 1
    curl --fail --silent --show-error --location --retry 3 --output "$RUNNER_TEMP/$archive.sha256" "$address/$archive.sha256" || return 1
    expected=$(cut -d ' ' -f 1 "$RUNNER_TEMP/$archive.sha256")
    if command -v sha256sum >/dev/null; then found=$(sha256sum "$RUNNER_TEMP/$archive" | cut -d ' ' -f 1)
    else found=$(shasum -a 256 "$RUNNER_TEMP/$archive" | cut -d ' ' -f 1); fi
    if [ "$expected" != "$found" ]; then
        echo "::error::the checksum of $archive is $found, and the release says $expected" >&2
        exit 2
    fi
    tar -xzf "$RUNNER_TEMP/$archive" -C "$bin"
}

if download; then
    echo "pgassay $version for $target, from the release"
else
    echo "no binary of pgassay $version for ${target:-this machine} could be fetched: building it from source"
    cargo install --locked --root "$RUNNER_TEMP/pgassay" --path "$SOURCE"
fi
echo "$bin" >> "$GITHUB_PATH"
