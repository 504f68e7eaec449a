#!/bin/sh
# SPDX-License-Identifier: MIT
# run_fuzz.sh TARGET SHARES CORPUS [SEEDS...] - runs one libFuzzer target for its share of GS_FUZZ_SECONDS (60), one of SHARES.
# What it learns is kept in CORPUS, a build folder; the folders SEEDS are only read, where they exist. The input of a crash is
# left in CORPUS-crashes.
set -eu
target=$1 shares=$2 corpus=$3
shift 3
seconds=$((${GS_FUZZ_SECONDS:-60} / shares))
[ "$seconds" -gt 0 ] || seconds=1
mkdir -p "$corpus" "$corpus-crashes"
for seeds in "$@"; do
    shift
    [ ! -d "$seeds" ] || set -- "$@" "$seeds"
done
case ${ASAN_OPTIONS:-} in *detect_leaks=0*) set -- -detect_leaks=0 "$@" ;; esac # libFuzzer checks by itself
exec "$target" -max_total_time="$seconds" -timeout=30 -rss_limit_mb=8192 -print_final_stats=1 -verbosity=0 \
    -artifact_prefix="$corpus-crashes/" "$corpus" "$@"
