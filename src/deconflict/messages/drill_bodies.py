"""What a side says of its exercise on a line: when it begins, and that it is over before."""

from deconflict.airspace.instant import parse_utc
from deconflict.messages.body import Body
from deconflict.messages.wire_form import UtcText

__all__ = ["DrillBegin", "DrillEnd"]


class DrillBegin(Body, frozen=True):
    """DRILL_BEGIN: until then, what its author writes is exercise unless it says otherwise."""

    until_utc: UtcText

    @property
    def until_ms(self) -> int:
        """When the exercise ends by itself."""
        return parse_utc(self.until_utc)


class DrillEnd(Body, frozen=True):
    """DRILL_END: the exercise is over, before the time that was announced."""

    at_utc: UtcText
