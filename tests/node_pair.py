"""Two node cores on one line for tests: real keys, stores and machines, a clock the test moves."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from deconflict.airspace.altitude import AltitudeBand, AltitudeReference
from deconflict.airspace.instant import TimeSpan, format_utc, parse_utc
from deconflict.airspace.outline import Circle
from deconflict.airspace.position import Position
from deconflict.airspace.volume import Volume
from deconflict.messages.agreement import sign_terms
from deconflict.messages.bodies import Body, Cease, Declared, Query, Readback, TermsMessage
from deconflict.messages.declaration import Declaration, Purpose
from deconflict.messages.drill_bodies import DrillBegin
from deconflict.messages.in_force import landmarks_of
from deconflict.messages.kinds import Kind
from deconflict.messages.readback import readback_of
from deconflict.messages.terms import PartyTerms, Terms
from deconflict.messages.terms_defaults import default_terms
from deconflict.messages.wire_form import Level, Place
from deconflict.node.core import Say
from deconflict.node.line import Line
from deconflict.node.own_activity import Activity
from deconflict.node.views import AlertView
from deconflict.replay.world import DESKS, Station, World
from deconflict.units import TMM_PER_FOOT

START_MS = parse_utc("2015-09-30T06:00:00Z")
MINUTE_MS = 60_000
HOUR_MS = 3_600_000
LATAKIA = Position.from_degrees(35.4, 35.9)
FAR = Position.from_degrees(36.4, 35.9)


def circle(
    *,
    at: Position = LATAKIA,
    radius_m: float = 5_000,
    feet: tuple[int, int] = (0, 25_000),
    start_ms: int = START_MS + HOUR_MS,
    end_ms: int = START_MS + 2 * HOUR_MS,
) -> Volume:
    band = AltitudeBand(AltitudeReference.AMSL, feet[0] * TMM_PER_FOOT, feet[1] * TMM_PER_FOOT)
    return Volume(Circle(at, round(radius_m * 1000)), band, TimeSpan(start_ms, end_ms))


def declaration(
    number: int, purpose: Purpose = Purpose.FLIGHT, volume: Volume | None = None, revision: int = 1
) -> Declaration:
    return Declaration(f"{number:032x}", purpose, (volume or circle(),), revision=revision)


def cease(declaration_id: str | None = None, at: Position | None = None) -> Cease:
    return Cease(
        effective_utc=format_utc(START_MS),
        declaration_id=declaration_id,
        position=None if at is None else Place.of(at),
        reach_mm=None if at is None else 1_000_000,
    )


def query() -> Query:
    return Query(
        position=Place.of(LATAKIA),
        level=Level(AltitudeReference.AMSL, 20_000_000),
        course_ddeg=900,
        speed_mmps=200_000,
        at_utc=format_utc(START_MS),
    )


class NodePair:
    """Blue and red, joined by a line whose terms both signed."""

    def __init__(self, *, seed: int = 0, terms: dict[str, Any] | None = None) -> None:
        self.world = World(START_MS, seed=seed)
        self.blue = self.world.add_party("blue")
        self.red = self.world.add_party("red")
        self.line_id = self.world.connect("blue", "red")
        if terms is not None:
            self.agree(**terms)

    def terms(self, **more: Any) -> Terms:
        parties = [PartyTerms(party, *DESKS, ("en",), 1) for party in ("blue", "red")]
        return default_terms(line=self.line_id, parties=parties, theatre="Coast", **more)

    def agree(self, **more: Any) -> None:
        terms = self.terms(**more)
        body = TermsMessage(terms=terms, signature=sign_terms(terms, self.blue.core.key))
        proposed = self.say("blue", Kind.TERMS_PROPOSE, body)
        self.world.run_for(1)
        body = TermsMessage(terms=terms, signature=sign_terms(terms, self.red.core.key))
        self.say("red", Kind.TERMS_ACCEPT, body, ref=proposed)
        self.world.run_for(1)

    def peer_of(self, party: str) -> str:
        return "red" if party == "blue" else "blue"

    def station(self, party: str) -> Station:
        return self.world.stations[party]

    def line(self, party: str) -> Line:
        return self.station(party).line(self.peer_of(party))

    def say(
        self,
        party: str,
        kind: Kind,
        body: Body,
        *,
        ref: str | None = None,
        drill: bool | None = None,
    ) -> str:
        say = Say(kind=kind, body=body, desk=DESKS[0], ref=ref, drill=drill)
        return self.world.say(party, self.peer_of(party), [say])[0].hash

    def begin_drill(self, party: str, *, minutes: int = 60, announced: bool = False) -> None:
        """Let a party begin an exercise, telling the other or not."""
        station = self.station(party)
        until_ms = self.world.now.utc_ms + minutes * MINUTE_MS
        work = station.core.begin_drill(
            self.line_id, DESKS[0], until_ms, self.world.now, announced=announced
        )
        self.world.commit(station, work)
        if announced:
            self.say(
                party, Kind.DRILL_BEGIN, DrillBegin(until_utc=format_utc(until_ms)), drill=True
            )

    def end_drill(self, party: str) -> None:
        """Let a party end its exercise."""
        station = self.station(party)
        self.world.commit(station, station.core.end_drill(self.line_id, self.world.now))

    def declare(self, party: str, *declarations: Declaration) -> list[str]:
        says = [
            Say(kind=Kind.NOTIFY, body=Declared.of(declared), desk=DESKS[0])
            for declared in declarations
        ]
        return [posted.hash for posted in self.world.say(party, self.peer_of(party), says)]

    def read_back(self, reader: str, declared: Declaration, message: str) -> str:
        terms = self.line(reader).book.terms
        assert terms is not None
        values = readback_of(declared, landmarks_of(terms))
        return self.say(reader, Kind.READBACK, Readback(values=values), ref=message)

    def act(self, party: str, activity: Activity) -> None:
        station = self.station(party)
        work = station.core.record_activity(activity, self.world.now)
        self.world.commit(station, work)

    def run_for(self, seconds: float) -> None:
        self.world.run_for(seconds)

    def rules(self, party: str) -> Sequence[str]:
        return sorted(alert.rule for alert in self.station(party).core.alerts)

    def alert(self, party: str, rule: str) -> AlertView:
        (alert,) = (a for a in self.station(party).core.alerts if a.rule == rule)
        return alert

    def raised(self, party: str, rule: str) -> int:
        """How often an alert of this rule was raised, ended ones included."""
        events = self.station(party).events
        ids = {e.data["alert_id"] for e in events if e.kind == "alert" and e.data["rule"] == rule}
        return len(ids)

    @property
    def now_utc(self) -> str:
        return format_utc(self.world.now.utc_ms)


@contextmanager
def node_pair(*, seed: int = 0, agreed: bool = True, **terms: Any) -> Iterator[NodePair]:
    pair = NodePair(seed=seed, terms=terms if agreed else None)
    try:
        yield pair
    finally:
        pair.world.close()
