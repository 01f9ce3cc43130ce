"""Fails when a test was skipped that may not be: `python3 tools/skips.py SKIPS.json ALLOWED`.

SKIPS.json is what `pytest --skips=SKIPS.json` wrote, ALLOWED has lines `pattern of test ids | words of the reason`.
Standard library only.
"""

from __future__ import annotations

import json
import sys
from fnmatch import fnmatchcase
from pathlib import Path


def main(account: Path, allowed: Path) -> str | None:
    """What is wrong, or None."""
    if not account.exists():
        return f"{account} was not written, so the test run did not come to its end."
    found = json.loads(account.read_text())
    if not found["ran"]:
        return "No test was run."
    rules = [rule(line) for line in allowed.read_text().splitlines() if line.strip() and not line.startswith("#")]
    wrong = [f"  {test}: {reason}" for test, reason in found["skipped"].items() if not permitted(test, reason, rules)]
    if wrong:
        return "\n".join([f"Skipped, and not listed in {allowed}:", *wrong])
    print(f"{found['ran']} tests ran, {len(found['skipped'])} were skipped, each as {allowed} allows.")
    return None


def rule(line: str) -> tuple[str, str]:
    """One line of the list as (pattern of test ids, words of the reason)."""
    pattern, bar, words = line.partition(" | ")
    if not bar or not words.strip():
        sys.exit(f"This line has no ` | ` with the reason's words after it: {line}")
    return pattern.strip(), words.strip()


def permitted(test: str, reason: str, rules: list[tuple[str, str]]) -> bool:
    """Whether a rule matches both. Brackets stand for themselves: test ids are full of them."""
    return any(fnmatchcase(test, pattern.replace("[", "[[]")) and words in reason for pattern, words in rules)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
