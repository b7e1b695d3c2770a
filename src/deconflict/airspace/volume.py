"""A 4D volume: where on the ground, which altitudes, when."""

from dataclasses import dataclass

from deconflict.airspace.altitude import AltitudeBand
from deconflict.airspace.instant import TimeSpan
from deconflict.airspace.outline import Outline

__all__ = ["Volume"]


@dataclass(frozen=True, slots=True)
class Volume:
    """Every place of the outline at every altitude of the band through the whole span.

    Closed: its rim, floor, ceiling, first and last instant belong to it, so touching is meeting.
    """

    outline: Outline
    band: AltitudeBand
    span: TimeSpan
