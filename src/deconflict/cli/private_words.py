"""How the commands about private checks call their states."""

from collections.abc import Mapping
from typing import Any, Final

__all__ = ["OUTCOMES", "STATES", "outcome_of"]

STATES: Final = {
    "PROPOSED": "proposed, not answered",
    "ACCEPTED": "accepted",
    "DECLINED": "declined",
    "ENDED": "ended",
}
OUTCOMES: Final = {"HIT": "HIT", "NO_HIT": "NO HIT", "NOT_CHECKED": "NOT CHECKED"}


def outcome_of(run: Mapping[str, Any]) -> str:
    """Return what came of a run and of the closer looks at it.

    >>> outcome_of({"outcome": "HIT", "stands": "NO_HIT"})
    'HIT, FALLEN'
    """
    if run["outcome"] == run["stands"]:
        return OUTCOMES[run["outcome"]]
    if run["outcome"] == "HIT":
        fallen = "FALLEN" if run["stands"] == "NO_HIT" else "FALLEN, the rest NOT CHECKED"
        return f"HIT, {fallen}"
    return f"{OUTCOMES[run['outcome']]}, then {OUTCOMES[run['stands']]} in a closer look"
