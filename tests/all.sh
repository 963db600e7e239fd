#!/usr/bin/env bash
# Runs the make targets it is given, one after the other, each under a heading; all of them, even when one fails. Those joined by
# + run side by side, each into a log of its own that is shown when it has ended. Ends with what each took, and fails if one failed.
set -u
cd "$(dirname "$0")/.." || exit 1

passed=0
failed=0
summary=""

# settle NAME CODE SECONDS
settle() {
  local verdict=ok
  if [ "$2" -eq 0 ]; then
    passed=$((passed + 1))
  else
    verdict=FAILED
    failed=$((failed + 1))
  fi
  summary+=$(printf '  %-10s %-6s %4d s' "$1" "$verdict" "$3")$'\n'
}

for stages in "$@"; do
  began=$SECONDS
  if [ "$stages" = "${stages/+/}" ]; then
    printf '\n======== %s ========\n' "$stages"
    make "$stages"
    settle "$stages" $? $((SECONDS - began))
    continue
  fi
  printf '\n======== %s ========\nside by side, shown one after the other\n' "${stages//+/, }"
  rm -rf target/all
  mkdir -p target/all
  pids=()
  names=()
  for stage in ${stages//+/ }; do
    (make "$stage" >"target/all/$stage.log" 2>&1; code=$?; echo "$SECONDS" >"target/all/$stage.ended"; exit $code) </dev/null &
    pids+=($!)
    names+=("$stage")
  done
  for place in "${!pids[@]}"; do
    stage=${names[$place]}
    wait "${pids[$place]}"
    code=$?
    printf '\n======== %s ========\n' "$stage"
    cat "target/all/$stage.log"
    settle "$stage" "$code" $(($(cat "target/all/$stage.ended" 2>/dev/null || echo "$SECONDS") - began))
  done
done

printf '\n======== summary ========\n%s  %-10s %-6s %4d s\nstages: %d passed, %d failed\n' "$summary" total '' "$SECONDS" "$passed" "$failed"
[ "$failed" -eq 0 ]
