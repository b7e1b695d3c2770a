"""Both sides count alike and see the same differences, in whatever order they read (R29, R31)."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from deconflict.airspace.instant import format_utc
from deconflict.messages.bodies import Account, BreachNote, Incident
from deconflict.messages.incident_bodies import BreachWord, IncidentWord
from deconflict.messages.kinds import Kind
from deconflict.messages.wire_form import Place
from deconflict.node import incidents
from deconflict.node.incident_views import incident_view, shelf_of
from deconflict.node.tally import Counted, Reach, compare, count, tally_of
from effort import examples
from node_pair import LATAKIA, START_MS, NodePair, node_pair

PARTIES = ("blue", "red")
PERIOD = (START_MS - 5, START_MS + 5)
words: st.SearchStrategy[IncidentWord | BreachWord] = st.one_of(
    st.sampled_from(IncidentWord), st.sampled_from(BreachWord)
)
fields = st.dictionaries(
    st.sampled_from(("time", "closest_m", "left_its_level")),
    st.sampled_from((1, 2, True, "blue", "2015-09-30T06:12:00Z", "2015-09-30T07:12:00Z")),
    min_size=1,
)
accounts = st.lists(
    st.builds(incidents.Account, st.just("pass"), st.sampled_from(PARTIES), fields), max_size=6
)


@examples(200)
@given(st.data(), accounts)
def test_differing_fields_do_not_depend_on_who_reads_or_in_which_order(
    data: st.DataObject, told: list[incidents.Account]
) -> None:
    mixed = data.draw(st.permutations(told))
    assert incidents.differing_fields(told) == incidents.differing_fields(mixed)
    assert incidents.times_apart_ms(told) == incidents.times_apart_ms(mixed)
    found = incidents.differing_fields(told)
    for name in {name for account in told for name in account.fields}:
        values = [repr(account.fields[name]) for account in told if name in account.fields]
        assert (name in found) == (len(set(values)) > 1)


@st.composite
def records(draw: st.DrawFn) -> list[Counted]:
    """What two parties noted, some of it citing what stood before, own or not."""
    made: list[Counted] = []
    seqs = dict.fromkeys(PARTIES, 0)
    for number in range(draw(st.integers(0, 12))):
        party = draw(st.sampled_from(PARTIES))
        seqs[party] += draw(st.integers(1, 2))
        word = draw(words)
        cited = draw(st.sampled_from(made)).hash if made and draw(st.booleans()) else None
        made.append(
            Counted(
                party=party,
                hash=f"{number:064x}",
                ref=cited,
                epoch=f"e{seqs[party] // 6}",
                seq=seqs[party] % 6 + 1,
                drill=draw(st.booleans()),
                at_ms=START_MS + draw(st.integers(-8, 8)),
                word=word,
                incident_id="1c" * 16 if isinstance(word, IncidentWord) else None,
            )
        )
    return made


reaches = st.builds(
    lambda blue, red: Reach(
        dict.fromkeys(PARTIES, ("e0", "e1", "e2", "e3", "e4")), {"blue": blue, "red": red}
    ),
    st.none() | st.tuples(st.sampled_from(("e0", "e1", "e4")), st.integers(1, 6)),
    st.none() | st.tuples(st.sampled_from(("e0", "e1", "e4")), st.integers(1, 6)),
)


@examples(300)
@given(st.data(), records(), reaches, st.booleans())
def test_a_count_is_the_same_in_any_order_and_agrees_with_its_own_tally(
    data: st.DataObject, record: list[Counted], reach: Reach, drill: bool
) -> None:
    period = {"start_ms": PERIOD[0], "end_ms": PERIOD[1]}
    counted = count(record, drill=drill, reach=reach, **period)
    mixed = data.draw(st.permutations(record))
    assert count(mixed, drill=drill, reach=reach, **period) == counted
    tally = tally_of(counted, **period)
    assert compare(tally, mixed, drill=drill, reach=reach) == ()


@examples(200)
@given(records(), reaches, st.booleans())
def test_a_count_is_what_the_slow_obvious_way_gives(
    record: list[Counted], reach: Reach, drill: bool
) -> None:
    def reached(item: Counted) -> bool:
        last = reach.last[item.party]
        return last is not None and (int(item.epoch[1:]), item.seq) <= (int(last[0][1:]), last[1])

    def sort(item: Counted) -> bool:
        return isinstance(item.word, IncidentWord)

    expected = set()
    for item in record:
        taken_back = any(
            other.ref == item.hash
            and (other.party, other.drill, sort(other)) == (item.party, item.drill, sort(item))
            for other in record
            if reached(other)
        )
        if (
            reached(item)
            and not taken_back
            and item.drill is drill
            and PERIOD[0] <= item.at_ms < PERIOD[1]
            and item.word is not BreachWord.WITHDRAWN
        ):
            expected.add(item.hash)
    found = count(record, start_ms=PERIOD[0], end_ms=PERIOD[1], drill=drill, reach=reach)
    assert set(found) == expected


@examples(100)
@given(records(), reaches, st.sets(st.integers(0, 11)), st.sampled_from(BreachWord))
def test_every_entry_that_is_left_out_or_added_is_named_once(
    record: list[Counted], reach: Reach, left_out: set[int], word: BreachWord
) -> None:
    counted = count(record, start_ms=PERIOD[0], end_ms=PERIOD[1], drill=False, reach=reach)
    kept = {name: item for name, item in counted.items() if int(name, 16) not in left_out}
    foreign = Counted("red", "ef" * 32, None, "e0", 1, False, START_MS, BreachWord.OTHER, None)
    tally = tally_of({**kept, foreign.hash: foreign}, start_ms=PERIOD[0], end_ms=PERIOD[1])
    found = compare(tally, record, drill=False, reach=reach)
    assert {each.message for each in found if each.in_tally} == {foreign.hash}
    assert {each.message for each in found if not each.in_tally} == set(counted) - set(kept)


steps = st.lists(
    st.tuples(
        st.sampled_from(PARTIES),
        st.sampled_from(("open", "account", "note", "correct", "withdraw", "tally", "wait")),
        words,
        fields,
    ),
    max_size=14,
)


@examples(30)
@given(steps, st.sampled_from(PARTIES))
def test_two_nodes_hold_the_same_incidents_and_no_tally_differs(
    script: list[tuple[str, str, IncidentWord | BreachWord, dict[str, Any]]], restarts: str
) -> None:
    with node_pair() as pair:
        opened: list[str] = []
        notes: dict[str, list[str]] = {party: [] for party in PARTIES}
        for party, step, word, said in script:
            _take(pair, party, step, word, said, opened, notes)
        pair.run_for(3)
        pair.world.restart(restarts)
        pair.run_for(3)
        lines = [pair.line(party) for party in PARTIES]
        counts = [line.count(*PERIOD, drill=False) for line in lines]
        assert counts[0] == counts[1]
        for line in lines:
            assert "TALLIES_DIFFER" not in pair.rules(line.book.own)
            assert [line.book.incidents.differences(t) for t in line.book.incidents.tallies()] == [
                () for _ in line.book.incidents.tallies()
            ]
        for incident in opened:
            views = []
            for line in lines:
                held = line.book.incidents.get(incident)
                assert held is not None
                view = incident_view(shelf_of(line), held, (), "en")
                told = sorted((a.by, sorted(map(repr, a.fields.items()))) for a in view.accounts)
                views.append((view.text, view.differing, told, view.accounts_said))
            assert views[0] == views[1]


def _take(
    pair: NodePair,
    party: str,
    step: str,
    word: IncidentWord | BreachWord,
    said: dict[str, Any],
    opened: list[str],
    notes: dict[str, list[str]],
) -> None:
    breach = word if isinstance(word, BreachWord) else BreachWord.OTHER
    if breach is BreachWord.WITHDRAWN:
        breach = BreachWord.OTHER
    mine = notes[party]
    note = BreachNote(breach=breach, at_utc=format_utc(START_MS), named="river")
    match step:
        case "open" if isinstance(word, IncidentWord):
            opened.append(f"{len(opened):032x}")
            body = Incident(
                incident_id=opened[-1],
                at_utc=format_utc(START_MS),
                position=Place.of(LATAKIA),
                what=word,
            )
            pair.say(party, Kind.INCIDENT, body)
            pair.run_for(1)
        case "account" if opened:
            pair.say(party, Kind.ACCOUNT, Account(incident_id=opened[-1], fields=said))
        case "note":
            mine.append(pair.say(party, Kind.BREACH_NOTE, note))
        case "correct" if mine:
            mine.append(pair.say(party, Kind.BREACH_NOTE, note, ref=mine[-1]))
        case "withdraw" if mine:
            gone = BreachNote(breach=BreachWord.WITHDRAWN, at_utc=format_utc(START_MS), named="-")
            pair.say(party, Kind.BREACH_NOTE, gone, ref=mine.pop())
        case "tally":
            pair.say(party, Kind.TALLY, pair.line(party).count(*PERIOD, drill=False))
        case "wait":
            pair.run_for(0.3)
