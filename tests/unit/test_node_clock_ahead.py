"""A clock that runs ahead for a moment and is set back ends nothing that people wait for."""

from typing import Final

from deconflict.line.moment import Now
from deconflict.messages.bodies import Readback
from deconflict.messages.declaration import Declaration, Purpose
from deconflict.messages.in_force import landmarks_of
from deconflict.messages.kinds import Kind
from deconflict.messages.readback import readback_of
from node_pair import FAR, HOUR_MS, MINUTE_MS, NodePair, circle, declaration, node_pair

DAY_MS: Final = 24 * HOUR_MS
FLIGHT = declaration(8)
SITE = declaration(7, Purpose.PROTECTED_SITE, circle(at=FAR, radius_m=500))


def look_a_day_ahead(pair: NodePair) -> None:
    """Let both nodes look once by a clock that is wrong, as after a false GNSS time."""
    now = pair.world.now
    for party in ("blue", "red"):
        station = pair.station(party)
        ahead = Now(now.utc_ms + DAY_MS, now.monotonic_ms + 1_500)
        pair.world.commit(station, station.core.advance(ahead))
        over = pair.rules(party)
        assert "NOTIFY_RECEIVED" not in over
        assert "SITE_NOT_LOADED" not in over


def read_back_wrongly(pair: NodePair, declared: Declaration, message: str) -> None:
    terms = pair.line("red").book.terms
    assert terms is not None
    higher = declaration(8, volume=circle(feet=(5_000, 25_000)))
    values = readback_of(higher, landmarks_of(terms))
    assert values.declaration_id == declared.declaration_id
    pair.say("red", Kind.READBACK, Readback(values=values), ref=message)


def test_what_waits_for_a_readback_and_for_the_unit_waits_on() -> None:
    with node_pair() as pair:
        pair.declare("blue", SITE, FLIGHT)
        pair.run_for(2)
        told = {party: pair.rules(party) for party in ("blue", "red")}
        assert told["red"].count("NOTIFY_RECEIVED") == 2
        look_a_day_ahead(pair)
        pair.run_for(3)
        assert {party: pair.rules(party) for party in ("blue", "red")} == told
        pair.run_for(11 * MINUTE_MS / 1_000)
        assert pair.rules("blue").count("READBACK_MISSING") == 2
        states = [e.data["state"] for e in pair.red.events if e.kind == "declaration"]
        assert states == ["ENDED", "ENDED", "ACTIVE", "ACTIVE"]


def test_a_rung_reached_while_the_clock_was_wrong_is_told_when_it_is_right() -> None:
    with node_pair() as pair:
        pair.declare("blue", FLIGHT)
        pair.run_for(29 * MINUTE_MS / 1_000)
        now = pair.world.now
        for passed_ms in (0, 2 * MINUTE_MS):
            ahead = Now(now.utc_ms + DAY_MS + passed_ms, now.monotonic_ms + 1_500 + passed_ms)
            pair.world.commit(pair.red, pair.red.core.advance(ahead))
        assert "NOTIFY_RECEIVED" not in pair.rules("red")
        pair.world._utc_ms += 2 * MINUTE_MS  # nothing came due meanwhile that was not told above
        pair.run_for(3)
        alert = pair.alert("red", "NOTIFY_RECEIVED")
        assert (alert.level, alert.desk) == (1, "deputy")


def test_a_readback_that_differs_is_told_on() -> None:
    with node_pair() as pair:
        (message,) = pair.declare("blue", FLIGHT)
        pair.run_for(2)
        read_back_wrongly(pair, FLIGHT, message)
        pair.run_for(2)
        assert all("READBACK_WRONG" in pair.rules(party) for party in ("blue", "red"))
        look_a_day_ahead(pair)
        pair.run_for(3)
        assert all("READBACK_WRONG" in pair.rules(party) for party in ("blue", "red"))


def test_what_is_cancelled_while_the_clock_is_ahead_does_not_come_back() -> None:
    with node_pair() as pair:
        (message,) = pair.declare("blue", FLIGHT)
        pair.run_for(2)
        look_a_day_ahead(pair)
        book = pair.line("red").book
        book._cancel(f"blue/{FLIGHT.declaration_id}", pair.world.now.utc_ms)
        pair.run_for(3)
        assert book.threads.get(message) is None
        assert "NOTIFY_RECEIVED" not in pair.rules("red")
