#!/bin/sh
# Builds one Go program and shows that something is happening: the embedded
# Temporal server and the linters compile well over a thousand packages each the
# first time, which takes minutes.
#
# Usage: build.sh OUTPUT PACKAGE [MAXIMUM]     in the folder of PACKAGE's module
# MAXIMUM is roughly how many packages a build from nothing compiles.
#
# The build flags are chosen once: another flag would compile everything again.
set -eu

output=$1 package=$2 maximum=${3:-}
name=$(basename "$output")
log=$(mktemp "${TMPDIR:-/tmp}/build.XXXXXX")
build=
cleanup() {
	if [ -n "$build" ]; then kill "$build" 2>/dev/null || true; fi
	rm -f "$log"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# -v prints each package as it is compiled; those in the cache are not printed.
${GO:-go} build -v -buildvcs=false -ldflags='-s -w' -o "$output" "$package" 2>"$log" &
build=$!

progress() {
	compiled=$(grep -cv '^go: ' "$log" || true)
	fetched=$(grep -c '^go: downloading' "$log" || true)
	printf '%s: %d s, %d packages compiled%s, %d modules fetched' \
		"$name" "$seconds" "$compiled" "${maximum:+ of at most $maximum}" "$fetched"
}

seconds=0
while kill -0 "$build" 2>/dev/null; do
	sleep 1
	seconds=$((seconds + 1))
	if [ -t 1 ]; then
		printf '\r\033[K%s' "$(progress)"
	elif [ $((seconds % 15)) -eq 0 ]; then
		progress
		echo
	fi
done

status=0
wait "$build" || status=$?
build=
if [ -t 1 ]; then printf '\r\033[K'; fi
if [ "$status" -ne 0 ]; then
	# What was compiled before the failure is of no interest.
	grep -Ev '^(go: downloading .*|[A-Za-z0-9_./-]+)$' "$log" >&2 || cat "$log" >&2
	echo "$name: not built (exit code $status)" >&2
	exit "$status"
fi
progress
echo ': done'
