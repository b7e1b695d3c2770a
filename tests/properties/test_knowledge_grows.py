"""Whatever two nodes say over a bad line: what a side is told to have known is true, and grows."""

import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from deconflict.messages.bodies import Ack, AnswerWord
from deconflict.messages.kinds import Kind
from deconflict.node.knowledge.chain import NEVER
from effort import examples
from node_pair import MINUTE_MS, START_MS, NodePair, cease, declaration, node_pair, query
from told_records import Files, Replayed

STEPS = st.lists(
    st.tuples(
        st.sampled_from(("blue", "red")),
        st.sampled_from(("declare", "ask", "cease", "acknowledge", "cut", "wait", "restart")),
        st.integers(0, 200),
    ),
    min_size=1,
    max_size=8,
)


def live(pair: NodePair, steps: list[tuple[str, str, int]]) -> None:
    """Let the two sides do these things, one after the other, each some seconds after the last."""
    asked: dict[str, str] = {}
    for number, (party, step, seconds) in enumerate(steps):
        now_ms = pair.world.now.utc_ms
        match step:
            case "declare":
                pair.declare(party, declaration(number + 1))
            case "ask":
                pair.say(party, Kind.QUERY, query())
            case "cease":
                asked[pair.peer_of(party)] = pair.say(party, Kind.CEASE, cease("1" * 32))
            case "acknowledge" if party in asked and knows(pair, party, asked[party]):
                body = Ack(answer=AnswerWord.ROGER)
                pair.say(party, Kind.ACK, body, ref=asked.pop(party))
            case "cut":
                pair.world.cut("blue", "red", now_ms, now_ms + seconds * 1_000)
            case "restart":
                pair.world.restart(party)
        pair.run_for(seconds)


def knows(pair: NodePair, party: str, message: str) -> bool:
    return any(row.hash == message for row in rows_of(pair, party, pair.peer_of(party)))


def rows_of(pair: NodePair, holder: str, author: str) -> list:
    return list(pair.station(holder).store.entries(pair.line_id, author))


def instants(read: Replayed) -> list[int]:
    """Every instant at which what is known can change, and one before and after all."""
    record = read.record
    found = {START_MS - MINUTE_MS, START_MS + 24 * 60 * MINUTE_MS}
    for party in record.parties:
        bounds = record.bounds[party]
        for times in (bounds.stamps.said_by, bounds.stamps.not_before, bounds.held_by):
            found |= {ms + step for ms in times if ms != NEVER for step in (-1, 0)}
    return sorted(found)


@examples(12)
@given(STEPS, st.integers(0, 3), st.sampled_from((("blue",), ("red",), ("blue", "red"))))
def test_it_is_never_more_than_was_so_and_it_grows(
    steps: list[tuple[str, str, int]], seed: int, exporters: tuple[str, ...]
) -> None:
    with node_pair(seed=seed) as pair, tempfile.TemporaryDirectory() as folder:
        live(pair, steps)
        came = {
            row.hash: row.logged_utc_ms
            for holder in ("blue", "red")
            for row in rows_of(pair, holder, pair.peer_of(holder))
        }
        read = Files.of(pair.world, Path(folder), "blue", "red").read(*exporters)
        record = read.record
        for party in record.parties:
            bounds, other = record.bounds[party], record.other(party)
            chain = bounds.chain
            said, held, may = 0, set[int](), 0
            for at_ms in instants(read):
                # What both clocks say right here is never told too early.
                now_held = set(bounds.held(at_ms))
                assert all(came[chain.hash(index)] <= at_ms for index in now_held)
                assert all(chain.created[index] <= at_ms for index in now_held)
                assert held <= now_held
                assert bounds.stamps.said(at_ms) >= max(said, len(now_held))
                assert bounds.stamps.perhaps_said(at_ms) >= max(may, bounds.stamps.said(at_ms))
                said, held, may = (
                    bounds.stamps.said(at_ms),
                    now_held,
                    bounds.stamps.perhaps_said(at_ms),
                )
            assert said == len(chain)
            if len(exporters) == 1:
                (verified,) = (one for one in read.proven[0].chains if one.party == party)
                side = read.side(other, instants(read)[-1])
                assert (said, side.held) == (
                    verified.length,
                    verified.length - verified.left_behind - verified.unreceipted,
                )


@examples(6)
@given(STEPS)
def test_both_records_together_prove_no_less_and_nothing_later_than_one(
    steps: list[tuple[str, str, int]],
) -> None:
    with node_pair() as pair, tempfile.TemporaryDirectory() as folder:
        live(pair, steps)
        files = Files.of(pair.world, Path(folder), "blue", "red")
        both = files.read("blue", "red").record
        for exporter in ("blue", "red"):
            alone = files.read(exporter).record
            for party in alone.parties:
                chain = alone.chain(party)
                for index in range(len(chain)):
                    place = both.chain(party).slot(chain.part_of(index).epoch, chain.seq(index))
                    assert place is not None
                    assert both.bounds[party].held_by[place] <= alone.bounds[party].held_by[index]
