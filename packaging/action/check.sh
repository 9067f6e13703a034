#!/usr/bin/env bash
# Runs pgassay check for the action: arguments from the inputs, the step summary, and the exit code as an output.
set -euo pipefail

arguments=(--format "$FORMAT")
if [ -z "$SINCE" ] && [ -n "${GITHUB_BASE_REF:-}" ]; then
    SINCE=origin/$GITHUB_BASE_REF
    # A shallow checkout has neither the base nor the commit that the branch started from. One with fetch-depth: 0 has both, and is not
    # asked for more: with persist-credentials: false nothing could be fetched.
    base="+refs/heads/$GITHUB_BASE_REF:refs/remotes/origin/$GITHUB_BASE_REF" fetched=true
    if [ "$(git rev-parse --is-shallow-repository)" = true ]; then
        git fetch --quiet --unshallow origin "$base" || fetched=false
    elif ! git rev-parse --quiet --verify "$SINCE^{commit}" >/dev/null; then
        git fetch --quiet origin "$base" || fetched=false
    fi
    if [ "$fetched" = false ]; then
        echo "::error::$SINCE could not be fetched: check out with fetch-depth: 0" >&2
        exit 2
    fi
fi
add() { if [ -n "$2" ]; then arguments+=("$1" "$2"); fi; }
add --since "$SINCE"
add --pg-version "$PG_VERSION"
add --snapshot "$SNAPSHOT"
add --output "${SARIF:+sarif=$SARIF}"
results=$RUNNER_TEMP/pgassay-results
mkdir -p "$results"
arguments+=(--output "markdown=$results/comment.md" --output "json=$results/report.json")
while IFS= read -r argument; do
    if [ -n "$argument" ]; then arguments+=("$argument"); fi
done <<< "$ARGUMENTS"
arguments+=(--)
while IFS= read -r path; do
    if [ -n "$path" ]; then arguments+=("$path"); fi
done <<< "$PATHS"

code=0
pgassay check "${arguments[@]}" || code=$?
echo "exit-code=$code" >> "$GITHUB_OUTPUT"
if [ -f "$results/comment.md" ]; then
    cat "$results/comment.md" >> "${GITHUB_STEP_SUMMARY:-/dev/null}"
    if [ "${COMMENT:-false}" = true ]; then
        python3 "$SOURCE/packaging/action/comment.py" "$results/comment.md" "$results/report.json" \
            || echo "::warning::the pull request could not be commented on"
    fi
fi
exit "$code"
