"""Check the whole model and print the tables kept in docs/reference/model.md (make model)."""

import sys
from concurrent.futures import ThreadPoolExecutor

from tests.model.checks import CHECKS
from tests.model.tlc import Check, Found, check, without_tlc


def row(asked: Check, found: Found) -> str:
    """Return a line of the table that belongs to this check."""
    if asked.violates is None:
        explored = f"{found.states:,} | {found.depth} | {found.seconds:.0f} s"
        return f"| {asked.fact} | `{asked.module}` | {explored} |"
    return f"| {asked.fact} | `{asked.module}` | `{found.violated}` | {asked.steps or 'any'} |"


def main() -> int:
    """Return 0 exactly when every check found what it must."""
    if reason := without_tlc():
        print(f"the model cannot be checked: {reason}", file=sys.stderr)
        return 1
    wrong = 0
    with ThreadPoolExecutor(2) as pool:
        for asked, found in zip(CHECKS, pool.map(check, CHECKS), strict=True):
            right = asked.violates is None
            as_it_must = found.violated == asked.violates and found.completed is right
            as_it_must &= found.states == asked.states if right else asked.steps in (0, found.steps)
            wrong += not as_it_must
            print(row(asked, found), "" if as_it_must else "  <-- NOT AS IT MUST BE", flush=True)
            if not as_it_must:
                print(found.output[-3000:], file=sys.stderr)
    return min(wrong, 1)


if __name__ == "__main__":
    sys.exit(main())
