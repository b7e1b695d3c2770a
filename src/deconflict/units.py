"""SI inside, other units at the doors: the constants and the few conversions everybody shares.

Altitudes are whole tenths of a millimetre (``tmm``), because one foot is exactly 3,048 of them:
feet and metres are then both exact, and level traffic exactly at a minimum is no conflict.
"""

from typing import Final

TMM_PER_FOOT: Final = 3_048  # exact, 1959 international foot
TMM_PER_METRE: Final = 10_000
METRES_PER_FOOT: Final = 0.3048  # exact, as above
FEET_PER_FLIGHT_LEVEL: Final = 100  # ICAO Annex 2, definition of flight level
METRES_PER_NAUTICAL_MILE: Final = 1_852.0  # exact, 1929
MILLIMETRES_PER_NAUTICAL_MILE: Final = 1_852_000
E7_PER_DEGREE: Final = 10_000_000  # positions are whole 1e-7 degrees, 11 mm at the equator


def tmm_from_feet(feet: int) -> int:
    """Return whole feet as tenths of a millimetre, exactly.

    >>> tmm_from_feet(1000)
    3048000
    """
    return feet * TMM_PER_FOOT


def feet_from_tmm(tmm: int) -> float:
    """Return tenths of a millimetre as feet.

    >>> feet_from_tmm(3_048_000)
    1000.0
    """
    return tmm / TMM_PER_FOOT


def metres_from_tmm(tmm: int) -> float:
    """Return tenths of a millimetre as metres.

    >>> metres_from_tmm(3_048_000)
    304.8
    """
    return tmm / TMM_PER_METRE
