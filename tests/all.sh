#!/usr/bin/env bash
# Runs the make targets it is given, one after the other, each under a heading; all of them, even when one fails. Ends with what
# each took, and fails if one failed.
set -u
cd "$(dirname "$0")/.." || exit 1

passed=0
failed=0
summary=""
for stage in "$@"; do
  printf '\n======== %s ========\n' "$stage"
  began=$SECONDS
  if make "$stage"; then
    verdict=ok
    passed=$((passed + 1))
  else
    verdict=FAILED
    failed=$((failed + 1))
  fi
  summary+=$(printf '  %-10s %-6s %4d s' "$stage" "$verdict" $((SECONDS - began)))$'\n'
done

printf '\n======== summary ========\n%s  %-10s %-6s %4d s\nstages: %d passed, %d failed\n' "$summary" total '' "$SECONDS" "$passed" "$failed"
[ "$failed" -eq 0 ]
