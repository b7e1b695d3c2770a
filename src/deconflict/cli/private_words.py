"""How the commands about private checks call their states."""

from typing import Final

__all__ = ["OUTCOMES", "STATES"]

STATES: Final = {
    "PROPOSED": "proposed, not answered",
    "ACCEPTED": "accepted",
    "DECLINED": "declined",
    "ENDED": "ended",
}
OUTCOMES: Final = {"HIT": "HIT", "NO_HIT": "NO HIT", "NOT_CHECKED": "NOT CHECKED"}
