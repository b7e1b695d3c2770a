"""What stands in a case, item by item, as values (``scenarios/README.md``)."""

from typing import Literal

import msgspec

from deconflict.airspace.altitude import AltitudeBand, AltitudeReference
from deconflict.airspace.instant import TimeSpan, parse_utc
from deconflict.airspace.outline import Circle, Polygon
from deconflict.airspace.position import Position
from deconflict.airspace.volume import Volume
from deconflict.errors import InvalidDocumentError
from deconflict.units import MILLIMETRES_PER_NAUTICAL_MILE, TMM_PER_FOOT

__all__ = [
    "AccountItem",
    "ActivityItem",
    "DeclarationItem",
    "Expectation",
    "Item",
    "LinkItem",
    "MessageItem",
    "ObservationItem",
    "PartyItem",
    "PlaceItem",
    "SiteItem",
    "TestParameters",
    "TrackItem",
    "TrackPoint",
    "VolumeItem",
]

Value = str | int | float | bool


class Item(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A JSON object with no other fields than these."""


class PlaceItem(Item, frozen=True):
    """A place in degrees."""

    lat: float
    lon: float

    @property
    def position(self) -> Position:
        """The place as a position."""
        return Position.from_degrees(self.lat, self.lon)


class VolumeItem(Item, frozen=True):
    """A circle or polygon, feet above mean sea level, with its time span."""

    shape: Literal["circle", "polygon"]
    floor_ft: int
    ceiling_ft: int
    start: str
    end: str
    center: PlaceItem | None = None
    radius_nm: float | None = None
    vertices: tuple[PlaceItem, ...] = ()

    @property
    def span(self) -> TimeSpan:
        """From start to end."""
        return TimeSpan(parse_utc(self.start), parse_utc(self.end))

    @property
    def volume(self) -> Volume:
        """The volume as a value."""
        outline: Circle | Polygon
        if self.shape == "polygon":
            outline = Polygon(tuple(vertex.position for vertex in self.vertices))
        elif self.center is None or self.radius_nm is None:
            raise InvalidDocumentError(
                "a circle lacks its centre or radius", expected="center and radius_nm"
            )
        else:
            outline = Circle(
                self.center.position, round(self.radius_nm * MILLIMETRES_PER_NAUTICAL_MILE)
            )
        floor_tmm = self.floor_ft * TMM_PER_FOOT
        # Closed volumes whose floor is the sea are meant from the surface up.
        lower_tmm = None if self.floor_ft == 0 else floor_tmm
        band = AltitudeBand(AltitudeReference.AMSL, lower_tmm, self.ceiling_ft * TMM_PER_FOOT)
        return Volume(outline, band, self.span)


class PartyItem(Item, frozen=True):
    """A party; one that is not connected is concerned and has no line."""

    id: str
    name: str
    connected: bool = True


class AccountItem(Item, frozen=True):
    """What one source says of one event."""

    by: str
    event: str
    fields: dict[str, Value]
    object_kind: str | None = None
    as_published: str | None = None
    filed: str | None = None


class SiteItem(Item, frozen=True):
    """A protected site."""

    id: str
    by: str
    lat: float
    lon: float
    radius_m: float
    acks: tuple[str, ...] = ()
    loaded_by_executing_unit: bool = False


class LinkItem(Item, frozen=True):
    """A line that is down for a time."""

    between: tuple[str, str]
    down_from: str
    down_until: str | None = None


class DeclarationItem(Item, frozen=True):
    """A declaration, or what was said instead of one."""

    id: str
    from_: str = msgspec.field(name="from")
    to: str
    sent: str | None = None
    purpose: str | None = None
    volume: VolumeItem | None = None
    text: str | None = None
    stated_start: str | None = None
    readback: str | msgspec.UnsetType | None = msgspec.UNSET
    delivered_to: tuple[str, ...] | None = None
    route: str | None = None
    route_level_ft: int | None = None
    cleared_by: str | None = None


class TrackPoint(Item, frozen=True):
    """One point of a track."""

    t: str
    lat: float
    lon: float
    alt_ft: float


class TrackItem(Item, frozen=True):
    """A track; ``party`` None: nobody's."""

    id: str
    party: str | None
    points: tuple[TrackPoint, ...]


class ActivityItem(Item, frozen=True):
    """What was really done."""

    id: str
    party: str
    center: PlaceItem
    start: str
    end: str
    what: str | None = None
    radius_nm: float | None = None


class ObservationItem(Item, frozen=True):
    """A plot of a sensor, or the first sight of a track."""

    t: str
    by: str
    observer: PlaceItem | None = None
    azimuth_deg: float | None = None
    range_m: float | None = None
    course_deg: float | None = None
    true_azimuth_deg: float | None = None
    true_course_deg: float | None = None
    track: str | None = None


class MessageItem(Item, frozen=True):
    """One message, on the line or around it."""

    t: str
    from_: str = msgspec.field(name="from")
    to: str
    type: Literal[
        "NOTIFY_ACTIVITY",
        "ACK",
        "CEASE_REQUEST",
        "CEASED",
        "SAFETY_OF_FLIGHT",
        "UNKNOWN_TRACK_QUERY",
        "SUSPEND",
        "RESUME",
        "RADIO_WARNING",
        "RETURN_TO_BASE",
        "PATROL_LEAVES",
        "ADVICE",
    ]
    ref: str | None = None
    delivered: bool = True
    effective: str | None = None
    value: Value | None = None
    count: int | None = None
    note: str | None = None
    as_happened: str | None = None
    basis: str | None = None


class MinimaItem(Item, frozen=True):
    """Minima of one expectation."""

    horizontal_nm: float
    vertical_ft: float


class Expectation(Item, frozen=True):
    """One row of what must, or must not, be raised."""

    rule: str
    by: str | None = None
    by_event: Literal["entry", "both_accounts_filed"] | None = None
    subject: str | None = None
    object: str | None = None
    pair: tuple[str, str] | None = None
    between: tuple[str, str] | None = None
    from_: str | None = msgspec.field(name="from", default=None)
    to: str | tuple[str, ...] | None = None
    to_user: str | None = None
    as_seen_by: str | None = None
    checked: str | None = None
    look_ahead_s: float | None = None
    minima: MinimaItem | None = None
    after_s: float | None = None
    minimum_s: float | None = None
    min_m: float | None = None
    max_m: float | None = None
    cpa_max_horizontal_nm: float | None = None
    lead_s: float | None = None
    duration_s: float | None = None
    min_warning_s: float | None = None
    distance_km_min: float | None = None
    at_min: tuple[float, ...] = ()
    field: str | tuple[str, ...] | None = None
    account_by: str | None = None
    state: str | None = None
    why: str | None = None

    @property
    def fields(self) -> tuple[str, ...]:
        """The account fields that must be listed."""
        return (self.field,) if isinstance(self.field, str) else self.field or ()

    @property
    def viewer(self) -> str | None:
        """The party whose node must raise it; None for any."""
        return self.as_seen_by or self.to_user or self.from_

    @property
    def ids(self) -> frozenset[str]:
        """Everything the alert must name."""
        named = (self.subject, self.object, *(self.pair or ()))
        return frozenset(name for name in named if name is not None)


class TestParameters(Item, frozen=True):
    """The limits of the scenario set: proposals, to be set by agreement of the parties."""

    min_lead_s: int
    readback_limit_s: int
    cease_ack_limit_s: int
    cease_escalate_s: int
    query_limit_s: int
    delivery_receipt_s: int
    separation_horizontal_nm: float
    separation_vertical_ft: float
    look_ahead_s: int
    prediction: str
    time_tolerance_s: int
    plausible_speed_kt: dict[str, tuple[float, float]]
    note: str | None = None
