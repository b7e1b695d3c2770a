"""Who comes too close to whom: exact, in continuous time on WGS84, never missing a conflict.

Every approximation has a proved bound that is added to the minima (``docs/reference/
separation.md``), so a check may warn too often and never too seldom. Decisions only: no clock, no
disk, no parties' secrets.
"""

from deconflict.separation.checking import check
from deconflict.separation.conflicts import Conflicts
from deconflict.separation.extent import Extent
from deconflict.separation.finding import Finding, FindingKind, Verdict
from deconflict.separation.flights import Flights
from deconflict.separation.live import LiveIndex, Looked
from deconflict.separation.minima import AltitudeConversions, Minima, MinimaTable
from deconflict.separation.said_minima import SaidMinima, parse_minima, said_minima
from deconflict.separation.screening import screen
from deconflict.separation.shifts import Shifts, shifts_of
from deconflict.separation.volumes import Volumes

__all__ = [
    "AltitudeConversions",
    "Conflicts",
    "Extent",
    "Finding",
    "FindingKind",
    "Flights",
    "LiveIndex",
    "Looked",
    "Minima",
    "MinimaTable",
    "SaidMinima",
    "Shifts",
    "Verdict",
    "Volumes",
    "check",
    "parse_minima",
    "said_minima",
    "screen",
    "shifts_of",
]
