"""Counts the instructions of the pure modules, and compares them with the committed counts beside this file.

`--accept` commits the new counts to the file. Fails if a module needs over 5 % more than before.
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
# The hash maps' keys are random: with ten messages a few hundred instructions are noise.
NOISE = 1_000

PACKAGE = ["-p", "pure-modules", "--features", "counts", "--bench", "counts"]
COMMAND = ["cargo", "bench", "--locked", "--profile", "counts", *PACKAGE, "--"]


def count() -> dict[str, dict[str, int]]:
    """Returns instructions by module and by number of messages."""
    # Without these tunables glibc would choose its routines by processor, and the counts would depend on it.
    tunables = "glibc.cpu.hwcaps=-AVX2_Usable,-AVX2,-AVX512F,-AVX512VL,-ERMS,-FSRM,-AVX_Fast_Unaligned_Load"
    environment = os.environ | {"GUNGRAUN_RUNNER": str(ROOT / "target/tools/bin/gungraun-runner")}
    command = [*COMMAND, "--output-format=json", f"--envs=GLIBC_TUNABLES={tunables}"]
    run = subprocess.run(command, check=False, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    if run.returncode != 0:
        sys.exit(f"make counts: counting failed with exit code {run.returncode}; see above")
    counts: dict[str, dict[str, int]] = {}
    for line in run.stdout.splitlines():
        if not line.startswith("{"):
            continue
        summary = json.loads(line)
        described = re.search(r"\((\d+)\)", summary["description"])
        assert described, f"no number of messages in {summary['description']}"
        instructions = summary["profiles"][0]["data"]["total"]["metrics"]["Ir"]["values"]["new"]
        counts.setdefault(summary["function_name"], {})[described[1]] = instructions
    return counts


def main() -> int:
    counts = count()
    committed = json.loads(COMMITTED.read_text()) if COMMITTED.exists() else {}
    print(f"\n{'instructions':<16}{'messages':>10}{'committed':>14}{'now':>14}{'per message':>13}{'change':>9}")
    grown = 0
    for module, by_messages in counts.items():
        for messages, now in by_messages.items():
            before = committed.get(module, {}).get(messages)
            change = now / before - 1 if before else None
            too_much = before is None or now - before > max(before * MOST_GROWTH, NOISE)
            grown += too_much
            print(
                f"{module:<16}{int(messages):>10,}{before or 0:>14,}{now:>14,}{now // int(messages):>13,}"
                f"{'' if change is None else f'{change:+.1%}':>9}{'  GROWN' if too_much else ''}"
            )
    if "--accept" in sys.argv:
        COMMITTED.write_text(json.dumps(counts, indent=2) + "\n")
        print(f"\nAccepted: {COMMITTED.relative_to(ROOT)}")
        return 0
    if grown:
        print(
            f"\n{grown} counts grew by over {MOST_GROWTH:.0%}; if that is intended, run: make counts ACCEPT=1",
            file=sys.stderr,
        )
    return 1 if grown else 0


if __name__ == "__main__":
    sys.exit(main())
