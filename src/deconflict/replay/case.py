"""A case of the scenario set as values, read strictly: what is not known is refused, not ignored.

The format is that of ``scenarios/README.md``. Times become UTC milliseconds, positions and
volumes the values of ``airspace``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from deconflict.airspace.altitude import AltitudeBand, AltitudeReference
from deconflict.airspace.instant import TimeSpan, parse_utc
from deconflict.airspace.outline import Circle, Polygon
from deconflict.airspace.position import Position
from deconflict.airspace.volume import Volume
from deconflict.errors import InvalidDocumentError
from deconflict.formats.bounded_json import parse_json
from deconflict.units import MILLIMETRES_PER_NAUTICAL_MILE, TMM_PER_FOOT

__all__ = [
    "AccountItem",
    "ActivityItem",
    "Case",
    "Common",
    "DeclarationItem",
    "Expectation",
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
    "read_case",
    "read_common",
]

SCHEMA: Final = "deconflict-scenario/1"
# Carried by the line; the rest is context that a person or a watch may use.
CARRIED: Final = (
    "NOTIFY_ACTIVITY",
    "ACK",
    "CEASE_REQUEST",
    "CEASED",
    "SAFETY_OF_FLIGHT",
    "UNKNOWN_TRACK_QUERY",
    "SUSPEND",
    "RESUME",
)

Value = str | int | float | bool


class _Item(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A JSON object with no other fields than these."""


class PlaceItem(_Item, frozen=True):
    """A place in degrees."""

    lat: float
    lon: float

    @property
    def position(self) -> Position:
        """The place as a position."""
        return Position.from_degrees(self.lat, self.lon)


class VolumeItem(_Item, frozen=True):
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


class PartyItem(_Item, frozen=True):
    """A party; one that is not connected is concerned and has no line."""

    id: str
    name: str
    connected: bool = True


class AccountItem(_Item, frozen=True):
    """What one source says of one event."""

    by: str
    event: str
    fields: dict[str, Value]
    object_kind: str | None = None
    as_published: str | None = None
    filed: str | None = None


class SiteItem(_Item, frozen=True):
    """A protected site."""

    id: str
    by: str
    lat: float
    lon: float
    radius_m: float
    acks: tuple[str, ...] = ()
    loaded_by_executing_unit: bool = False


class LinkItem(_Item, frozen=True):
    """A line that is down for a time."""

    between: tuple[str, str]
    down_from: str
    down_until: str | None = None


class DeclarationItem(_Item, frozen=True):
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


class TrackPoint(_Item, frozen=True):
    """One point of a track."""

    t: str
    lat: float
    lon: float
    alt_ft: float


class TrackItem(_Item, frozen=True):
    """A track; ``party`` None: nobody's."""

    id: str
    party: str | None
    points: tuple[TrackPoint, ...]


class ActivityItem(_Item, frozen=True):
    """What was really done."""

    id: str
    party: str
    center: PlaceItem
    start: str
    end: str
    what: str | None = None
    radius_nm: float | None = None


class ObservationItem(_Item, frozen=True):
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


class MessageItem(_Item, frozen=True):
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


class MinimaItem(_Item, frozen=True):
    """Minima of one expectation."""

    horizontal_nm: float
    vertical_ft: float


class Expectation(_Item, frozen=True):
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


class _Zone(_Item, frozen=True):
    id: str
    owner: str
    volume: VolumeItem
    exclusive: tuple[str, ...] = ()
    acknowledged: bool = True


class _AgreedLine(_Item, frozen=True):
    id: str
    points: tuple[PlaceItem, ...]
    west: str
    east: str
    agreed: Literal["verbal", "written"]


class _CaseFile(_Item, frozen=True):
    schema: Literal["deconflict-scenario/1"]
    id: str
    title: str
    kind: Literal["reconstruction"]
    place: str
    parties: tuple[PartyItem, ...]
    facts: tuple[dict[str, Any], ...]
    disputed: tuple[dict[str, Any], ...]
    assumptions: tuple[str, ...]
    declarations: tuple[DeclarationItem, ...]
    tracks: tuple[TrackItem, ...]
    messages: tuple[MessageItem, ...]
    computed: dict[str, Any]
    expected: tuple[Expectation, ...]
    accounts: tuple[AccountItem, ...] = ()
    zones: tuple[_Zone, ...] = ()
    lines: tuple[_AgreedLine, ...] = ()
    protected_sites: tuple[SiteItem, ...] = ()
    links: tuple[LinkItem, ...] = ()
    activity: tuple[ActivityItem, ...] = ()
    observations: tuple[ObservationItem, ...] = ()
    not_expected: tuple[str, ...] = ()
    variants: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """One case, or one variant of it, ready to be played.

    Attributes:
        variant: id of the variant; None for a case without variants.
    """

    id: str
    variant: str | None
    title: str
    place: str
    parties: tuple[PartyItem, ...]
    declarations: tuple[DeclarationItem, ...]
    tracks: tuple[TrackItem, ...]
    messages: tuple[MessageItem, ...]
    expected: tuple[Expectation, ...]
    accounts: tuple[AccountItem, ...]
    protected_sites: tuple[SiteItem, ...]
    links: tuple[LinkItem, ...]
    activity: tuple[ActivityItem, ...]
    observations: tuple[ObservationItem, ...]
    not_expected: tuple[str, ...]

    @property
    def name(self) -> str:
        """The case, with its variant if it is one."""
        return self.id if self.variant is None else f"{self.id}/{self.variant}"

    @property
    def connected(self) -> tuple[str, ...]:
        """The parties that have a node."""
        return tuple(party.id for party in self.parties if party.connected)


class TestParameters(_Item, frozen=True):
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


class Common(msgspec.Struct, frozen=True, kw_only=True):
    """What all cases share: limits, and every rule with its meaning."""

    schema: Literal["deconflict-scenario/1"]
    test_parameters: TestParameters
    rules: Mapping[str, str]


def read_common(file: Path) -> Common:
    """Return the ``common.json`` beside a case.

    Raises:
        InvalidDocumentError: it is missing or does not say what it must.
    """
    path = file.parent / "common.json"
    if not path.is_file():
        raise InvalidDocumentError(
            "a case needs the limits and rules of its set",
            given=str(path),
            expected="common.json in the same folder",
            remedy="copy it there with the case",
        )
    common: Common = _convert(parse_json(path.read_bytes()), Common, path.name)
    return common


def read_case(file: Path, common: Common) -> tuple[Case, ...]:
    """Return a case: itself, or its variants when it has some.

    Raises:
        InvalidDocumentError: a key, rule, party or message type that the format does not know.
        InvalidInputError: a position, time or volume that cannot be.
    """
    name = file.name
    document = parse_json(file.read_bytes())
    whole = _convert(document, _CaseFile, name)
    if not isinstance(document, dict) or not whole.variants:
        cases = [_case(whole, None)]
    else:
        cases = [_variant(document, whole, changes, name) for changes in whole.variants]
    for case in cases:
        _check(case, common, name)
    return tuple(cases)


def _variant(
    document: dict[str, Any], whole: _CaseFile, changes: dict[str, Any], name: str
) -> Case:
    replaced = {**document, **changes}
    variant = replaced.pop("id")
    dropped = frozenset(replaced.pop("drop_tracks", ()))
    replaced |= {"id": whole.id, "variants": []}
    case = _convert(replaced, _CaseFile, f"{name}, variant {variant}")
    unknown = dropped - {track.id for track in case.tracks}
    if unknown:
        raise _malformed(name, f"variant {variant} drops {', '.join(sorted(unknown))}", "a track")
    expected = case.expected
    if "expected" in changes:
        expected = (*whole.expected, *expected)
    return _case(case, str(variant), dropped, expected)


def _case(
    file: _CaseFile,
    variant: str | None,
    dropped: frozenset[str] = frozenset(),
    expected: tuple[Expectation, ...] | None = None,
) -> Case:
    return Case(
        id=file.id,
        variant=variant,
        title=file.title,
        place=file.place,
        parties=file.parties,
        declarations=file.declarations,
        tracks=tuple(track for track in file.tracks if track.id not in dropped),
        messages=file.messages,
        expected=file.expected if expected is None else expected,
        accounts=file.accounts,
        protected_sites=file.protected_sites,
        links=file.links,
        activity=file.activity,
        observations=file.observations,
        not_expected=file.not_expected,
    )


def _check(case: Case, common: Common, name: str) -> None:
    parties = {party.id for party in case.parties}
    for declaration in case.declarations:
        _require(declaration.from_ in parties, name, f"{declaration.id} from {declaration.from_}")
        known = declaration.to == "ALL" or declaration.to in parties
        _require(known, name, f"{declaration.id} to {declaration.to}")
        parse_utc(declaration.sent or "2000-01-01T00:00:00Z")
    for message in case.messages:
        carried = message.type in CARRIED
        known = {message.from_, message.to} <= parties
        _require(known or not carried, name, f"{message.type} {message.from_} to {message.to}")
    for by, what in (
        *((site.by, site.id) for site in case.protected_sites),
        *((activity.party, activity.id) for activity in case.activity),
        *((party, "links") for link in case.links for party in link.between),
    ):
        _require(by in parties, name, f"{what} of {by}")
    if len(case.connected) < 2:
        raise _malformed(name, f"{len(case.connected)} connected parties", "two at least")
    for expectation in case.expected:
        if expectation.rule not in common.rules:
            raise _malformed(
                name, f"rule {expectation.rule}", "one of common.json: " + ", ".join(common.rules)
            )


def _require(holds: bool, name: str, what: str) -> None:
    if not holds:
        raise _malformed(name, what, "parties that the case lists")


def _malformed(name: str, given: str, expected: str) -> InvalidDocumentError:
    return InvalidDocumentError(
        f"{name} is no case that can be played",
        given=f"{given:.200}",
        expected=f"{expected:.300}",
        remedy="see scenarios/README.md",
    )


def _convert(document: object, form: type[Any], name: str) -> Any:
    try:
        return msgspec.convert(document, form, strict=True)
    except msgspec.ValidationError as error:
        raise _malformed(name, str(error), "the keys of scenarios/README.md") from error
