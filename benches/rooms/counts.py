"""Counts the instructions of the pure rooms, and compares them with the committed counts beside this file.

`--accept` takes the new counts for good. Fails when a room needs over 5 % more than it did.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
COMMITTED = HERE / "counts.json"
MOST_GROWTH = 0.05
# The hash maps' keys are random: of ten messages a few hundred instructions are chance.
CHANCE = 1_000

COMMAND = ["cargo", "bench", "--locked", "--profile", "counts", "-p", "rooms", "--bench", "counts", "--"]


def count() -> dict[str, dict[str, int]]:
    """Instructions by room and by messages."""
    # Which of its routines glibc takes is up to the processor; without this one the counts would be too.
    tunables = "glibc.cpu.hwcaps=-AVX2_Usable,-AVX2,-AVX512F,-AVX512VL,-ERMS,-FSRM,-AVX_Fast_Unaligned_Load"
    environment = os.environ | {"GUNGRAUN_RUNNER": str(ROOT / "target/tools/bin/gungraun-runner")}
    command = [*COMMAND, "--output-format=json", f"--envs=GLIBC_TUNABLES={tunables}"]
    run = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    if run.returncode != 0:
        sys.exit(f"make counts: the counting failed with exit code {run.returncode}, see above")
    counts: dict[str, dict[str, int]] = {}
    for line in run.stdout.splitlines():
        if not line.startswith("{"):
            continue
        summary = json.loads(line)
        messages = re.search(r"\((\d+)\)", summary["description"])[1]
        instructions = summary["profiles"][0]["data"]["total"]["metrics"]["Ir"]["values"]["new"]
        counts.setdefault(summary["function_name"], {})[messages] = instructions
    return counts


def main() -> int:
    counts = count()
    committed = json.loads(COMMITTED.read_text()) if COMMITTED.exists() else {}
    print(f"\n{'instructions':<16}{'messages':>10}{'committed':>14}{'now':>14}{'a message':>11}{'change':>9}")
    grown = 0
    for room, by_messages in counts.items():
        for messages, now in by_messages.items():
            before = committed.get(room, {}).get(messages)
            change = now / before - 1 if before else None
            too_much = before is None or now - before > max(before * MOST_GROWTH, CHANCE)
            grown += too_much
            print(
                f"{room:<16}{int(messages):>10,}{before or 0:>14,}{now:>14,}{now // int(messages):>11,}"
                f"{'' if change is None else f'{change:+.1%}':>9}{'  GROWN' if too_much else ''}"
            )
    if "--accept" in sys.argv:
        COMMITTED.write_text(json.dumps(counts, indent=2) + "\n")
        print(f"\nAccepted: {COMMITTED.relative_to(ROOT)}")
        return 0
    if grown:
        print(f"\n{grown} counts grew by over {MOST_GROWTH:.0%}. Meant to be? make counts ACCEPT=1", file=sys.stderr)
    return 1 if grown else 0


if __name__ == "__main__":
    sys.exit(main())
