"""Several accounts of one event: which fields differ, which times, which places, which cannot be.

R24, R29. Nothing is repaired and none of the accounts is chosen: they are laid side by side.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from deconflict.airspace.geodesy import inverse
from deconflict.airspace.instant import format_utc, parse_utc
from deconflict.airspace.position import Position
from deconflict.errors import InvalidTimeError, LineStateError
from deconflict.line.envelope import Envelope
from deconflict.messages import bodies
from deconflict.messages.bodies import places_of
from deconflict.messages.incident_bodies import BreachWord

__all__ = [
    "ACCOUNTS_COMPARED",
    "EVENTS_COMPARED",
    "SOURCES_HELD",
    "Account",
    "Implausible",
    "differing_fields",
    "forget_oldest",
    "implausible_figures",
    "places_apart_m",
    "require_comparable",
    "require_happened",
    "tell",
    "times_apart_ms",
]

Value = str | int | bool

# All accounts are in the record. Laid side by side are the newest of each party: whoever repeats
# itself a thousand times must not make each alert a thousand times longer.
ACCOUNTS_COMPARED: Final = 16
SOURCES_HELD: Final = 64  # without a line, of one event
EVENTS_COMPARED: Final = 256  # without an incident, of each party; and of sources without a line

# Another system's clock, from which a time was read, may be ahead of ours so much.
_AHEAD_MS: Final = 60_000

# Ground speeds that such an object can have, metres per second. Source: proposals of the
# scenario set, 300 to 1,500 knots for a combat jet.
PLAUSIBLE_SPEED_MPS: Mapping[str, tuple[float, float]] = {"combat_jet": (154.3, 771.7)}


@dataclass(frozen=True, slots=True)
class Account:
    """What one source says of one event."""

    event: str
    by: str
    fields: Mapping[str, Value]
    object_kind: str | None = None
    as_published: str | None = None
    drill: bool = False
    message: str | None = None  # the message that gave it; a source without a line has none


@dataclass(frozen=True, slots=True)
class Implausible:
    """Two figures of one account that imply an impossible speed."""

    by: str
    length_field: str
    time_field: str
    speed_mps: float
    plausible_mps: tuple[float, float]


def require_happened(body: bodies.Body, now_ms: int) -> None:
    """Return unless what this tells or asks of is still to come.

    Raises:
        InvalidTimeError: it is; the date or the hour is a slip of the hand.
    """
    match body:
        case bodies.Incident() | bodies.Query():
            at_utc = body.at_utc
        case bodies.BreachNote() if body.breach is not BreachWord.WITHDRAWN:
            at_utc = body.at_utc
        case _:
            return
    if parse_utc(at_utc) > now_ms + _AHEAD_MS:
        raise InvalidTimeError(
            "what is told or asked of has not happened yet",
            given=at_utc,
            expected=f"{format_utc(now_ms)} or earlier",
            remedy="look at the date and the hour again: UTC, as 2015-09-30T06:12:00Z",
        )


def tell(
    told: list[Account], body: bodies.Account, by: str, envelope: Envelope, message_hash: str
) -> None:
    """Lay what a message tells of an event beside what is told of it already."""
    account = Account(
        event=body.event or "",
        by=by,
        fields=body.fields,
        object_kind=body.object_kind,
        as_published=body.as_published,
        drill=envelope.drill,
        message=message_hash,
    )
    # A correction stands in the place of what it cites; both stay in the record (R15).
    corrected = (by, envelope.ref)
    told[:] = [held for held in told if (held.by, held.message) != corrected]
    told.append(account)
    mine = [held for held in told if held.by == by]
    if len(mine) > ACCOUNTS_COMPARED:
        told.remove(mine[0])


def forget_oldest(accounts: dict[str, list[Account]], by: str) -> None:
    """Lay no more events of one party beside each other than are held. The record has all.

    Only the peer's can be too many: of our own no more are said.
    """
    if len(accounts) <= EVENTS_COMPARED:
        return
    events = _events_of(accounts, by)
    if len(events) > EVENTS_COMPARED:
        oldest = accounts[events[0]]
        oldest[:] = [held for held in oldest if held.by != by]
        if not oldest:
            del accounts[events[0]]


def require_comparable(
    accounts: Mapping[str, Sequence[Account]], by: str, body: bodies.Body
) -> None:
    """Return when an account of ours can be laid beside those of other events.

    Raises:
        LineStateError: we gave accounts of as many events without an incident as are held.
    """
    if not isinstance(body, bodies.Account) or body.event is None:
        return
    if len(accounts) < EVENTS_COMPARED:
        return
    events = _events_of(accounts, by)
    if body.event not in events and len(events) >= EVENTS_COMPARED:
        raise LineStateError(
            f"accounts of {len(events)} events that belong to no incident are held already",
            given=f"{body.event:.64}",
            expected=f"at most {EVENTS_COMPARED} such events on a line",
            remedy="open an incident, and give the account in it: deconflict incident open",
        )


def _events_of(accounts: Mapping[str, Sequence[Account]], by: str) -> list[str]:
    """Return the events of which a party gave accounts, the first given first."""
    return [event for event, told in accounts.items() if any(one.by == by for one in told)]


def differing_fields(accounts: Sequence[Account]) -> tuple[str, ...]:
    """Return the fields that at least two accounts of an event give differently, sorted."""
    names = {name for account in accounts for name in account.fields}
    return tuple(
        sorted(
            name
            for name in names
            if len({repr(a.fields[name]) for a in accounts if name in a.fields}) > 1
        )
    )


def times_apart_ms(accounts: Sequence[Account]) -> Mapping[str, int]:
    """Return, for each field that holds UTC instants, how far the accounts lie apart, ms.

    A field counts when at least two accounts give it as an RFC 3339 UTC instant.
    """
    instants: dict[str, list[int]] = {}
    for account in accounts:
        for name, value in account.fields.items():
            if isinstance(value, str):
                try:
                    instants.setdefault(name, []).append(parse_utc(value))
                except InvalidTimeError:
                    continue
    return {name: max(values) - min(values) for name, values in instants.items() if len(values) > 1}


def places_apart_m(accounts: Sequence[Account]) -> Mapping[str, float]:
    """Return, for each place that at least two accounts give, how far they lie apart, metres.

    A place is a pair of fields ``<name>_lat_e7`` and ``<name>_lon_e7``; of more than two, the
    farthest two count. Geodesic on WGS84.
    """
    places: dict[str, list[Position]] = {}
    for account in accounts:
        for name, position in places_of(account.fields).items():
            places.setdefault(name, []).append(position)
    return {
        name: max(inverse(one, other).distance_m for one in given for other in given)
        for name, given in places.items()
        if len(given) > 1
    }


def implausible_figures(account: Account) -> tuple[Implausible, ...]:
    """Return pairs ``<stem>_m`` and ``<stem>_s`` of an account that imply an impossible speed.

    Only objects of a kind with known speeds are judged; no kind, no finding.
    """
    if account.object_kind is None or account.object_kind not in PLAUSIBLE_SPEED_MPS:
        return ()
    low, high = PLAUSIBLE_SPEED_MPS[account.object_kind]
    found = []
    for name, length_m in account.fields.items():
        time_name = name.removesuffix("_m") + "_s"
        time_s = account.fields.get(time_name)
        if (
            not name.endswith("_m")
            or isinstance(length_m, bool | str)
            or not isinstance(time_s, int)
            or isinstance(time_s, bool)
            or time_s <= 0
        ):
            continue
        speed_mps = length_m / time_s
        if not low <= speed_mps <= high:
            found.append(Implausible(account.by, name, time_name, speed_mps, (low, high)))
    return tuple(found)
