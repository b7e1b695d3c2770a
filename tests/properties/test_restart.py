"""What a node knows after a restart is what it knew before, however long its record is."""

from dataclasses import replace
from typing import Any
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from deconflict.airspace.altitude import AltitudeReference
from deconflict.airspace.position import Position
from deconflict.airspace.trajectory import Trajectory, Waypoint
from deconflict.messages.bodies import Cancel, Declared, Loaded, Readback, Seen
from deconflict.messages.declaration import Declaration, Purpose
from deconflict.messages.in_force import landmarks_of
from deconflict.messages.kinds import Kind
from deconflict.messages.readback import readback_of
from deconflict.node import fold, picture
from effort import examples
from node_pair import MINUTE_MS, NodePair, node_pair

PARTIES = ("blue", "red")
STEPS = ("declare", "update", "cancel", "read back", "read back wrongly", "see", "load", "wait")
steps = st.lists(
    st.tuples(st.sampled_from(PARTIES), st.sampled_from(STEPS), st.integers(0, 7)),
    min_size=1,
    max_size=40,
)


def flight(number: int, revision: int, start_ms: int) -> Declaration:
    """A flight of 20 minutes near Latakia."""
    waypoints = tuple(
        Waypoint(
            start_ms + leg * 10 * MINUTE_MS,
            Position.from_degrees(35.4 + number / 50, 35.9 + leg / 10),
            50_000_000,
        )
        for leg in range(3)
    )
    return Declaration(
        f"{number:032x}",
        Purpose.FLIGHT,
        Trajectory(AltitudeReference.AMSL, waypoints),
        revision=revision,
    )


def known(pair: NodePair, party: str) -> dict[str, Any]:
    """What a node knows of its line, as far as anybody can ask for it."""
    book = pair.line(party).book
    active = {declared.key: declared for declared in book.picture}
    keys = sorted({*active, *book.past})
    return {
        "active": {key: replace(declared, declared_ms=0) for key, declared in active.items()},
        "past": dict(book.past),
        "messages": {key: book.messages_of(key) for key in keys},
        "readbacks": {
            key: (found.message_hash, found.differences)
            for key in active
            if (found := book.readbacks.get(key))
        },
        "loaded": book.loaded & active.keys(),
        "threads": sorted(book.threads, key=lambda thread: thread.hash),
        "reached": {
            message: (book.progress(message), book.handled(message))
            for key in keys
            for message in book.messages_of(key)
        },
        "conflicts": {conflict.conflict_id for conflict in book.picture.conflicts()},
    }


def take_step(pair: NodePair, party: str, step: str, number: int) -> None:
    """Say what the step means, where it means anything now."""
    own, peer = pair.line(party).book, pair.line(pair.peer_of(party)).book
    mine, theirs = (own.picture.get(f"{who}/{number:032x}") for who in (party, pair.peer_of(party)))
    utc = pair.now_utc
    now_ms = pair.world.now.utc_ms
    match step:
        case "declare" if mine is None and peer.picture.get(f"{party}/{number:032x}") is None:
            pair.declare(party, flight(number, 1, now_ms + MINUTE_MS))
        case "update" if mine is not None:
            body = Declared.of(flight(number, mine.declaration.revision + 1, now_ms + MINUTE_MS))
            pair.say(party, Kind.UPDATE, body, ref=mine.message_hash)
        case "cancel" if mine is not None:
            body = Cancel(declaration_id=f"{number:032x}")
            pair.say(party, Kind.CANCEL, body, ref=mine.message_hash)
        case "read back" | "read back wrongly" if theirs is not None and own.terms is not None:
            said = theirs.declaration
            if step == "read back wrongly":
                said = flight(number + 9, 1, now_ms)
            values = readback_of(said, landmarks_of(own.terms))
            pair.say(party, Kind.READBACK, Readback(values=values), ref=theirs.message_hash)
        case "see" if theirs is not None:
            seen = Seen(desk="watch", at_utc=utc)
            pair.say(party, Kind.SEEN, seen, ref=theirs.message_hash)
        case "load" if theirs is not None:
            loaded = Loaded(declaration_id=f"{number:032x}", at_utc=utc)
            pair.say(party, Kind.LOADED, loaded, ref=theirs.message_hash)
        case "wait":
            pair.run_for(60 * (1 + 3 * number))
    pair.run_for(1)


@examples(25)
@given(steps)
def test_a_restart_leaves_what_is_known_as_it_was(taken: list[tuple[str, str, int]]) -> None:
    # Few are kept and often looked at, so that a short record does what a long one does.
    with (
        patch.object(picture, "_OVER_KEPT", 2),
        patch.object(fold, "_FORGET_EVERY", 4),
        patch.object(fold, "_LONG_OVER_MS", 5 * MINUTE_MS),
        node_pair() as pair,
    ):
        for party, step, number in taken:
            take_step(pair, party, step, number)
        pair.run_for(2)
        for party in PARTIES:
            before = known(pair, party)
            pair.world.restart(party)
            pair.run_for(2)
            assert known(pair, party) == before


def test_readbacks_of_what_is_over_for_long_are_let_go() -> None:
    with patch.object(picture, "_OVER_KEPT", 2), node_pair() as pair:
        for number in range(6):
            start_ms = pair.world.now.utc_ms + MINUTE_MS
            (message,) = pair.declare("blue", flight(number, 1, start_ms))
            pair.run_for(2)
            pair.read_back("red", flight(number, 1, start_ms), message)
            pair.run_for(1800)
        for party in PARTIES:
            book = pair.line(party).book
            assert len(book.past) == 6
            assert len(book.readbacks) <= 2
            assert len(book.threads) == 0
