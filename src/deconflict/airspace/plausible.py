"""What no aircraft reaches: beyond it a place, a time or a unit is wrong, or it is no aircraft."""

from typing import Final

__all__ = ["FASTEST_MPS", "STEEPEST_TMM_PER_S"]

# The fastest ever flew 980 m/s, the steepest climb was some 340 m/s. What does more (a missile's
# test, a rocket) is told all the same, and its desk knows why.
FASTEST_MPS: Final = 1_000.0
STEEPEST_TMM_PER_S: Final = 4_000_000  # 400 m/s
