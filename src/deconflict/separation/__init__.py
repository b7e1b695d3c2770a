"""Who comes too close to whom: exact, in continuous time on WGS84, never missing a conflict.

Every approximation has a proved bound that is added to the minima (``docs/reference/
separation.md``), so a check may warn too often and never too seldom. Decisions only: no clock, no
disk, no parties' secrets.
"""

from deconflict.separation.checking import check
from deconflict.separation.extent import Extent
from deconflict.separation.finding import Finding, FindingKind, Verdict
from deconflict.separation.minima import AltitudeConversions, Minima, MinimaTable

__all__ = [
    "AltitudeConversions",
    "Extent",
    "Finding",
    "FindingKind",
    "Minima",
    "MinimaTable",
    "Verdict",
    "check",
]
