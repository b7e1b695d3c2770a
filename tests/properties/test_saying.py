"""Whatever a person can send is said, or refused in words; neither ends the node."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from test_messages_properties import VALUES, declarations

from deconflict.errors import InvalidInputError, LineStateError, NotFoundError
from deconflict.messages.bodies import parse_body
from deconflict.messages.declaration import declaration_to_wire
from deconflict.messages.kinds import Kind
from deconflict.messages.phrases import SAFETY_PHRASES, phrase, phrases
from deconflict.node.core import Say
from deconflict.node.incident_views import incident_view, shelf_of
from deconflict.replay.world import DESKS
from effort import examples
from messages_samples import bodies
from node_pair import NodePair, node_pair

SAMPLES = bodies()
ABOUT_INCIDENTS = ("INCIDENT", "ACCOUNT", "EVIDENCE", "RISK", "BREACH_NOTE")
texts = st.one_of(
    st.text(max_size=40),
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=520),
    st.sampled_from(["watch", "ALL", "DECLARATIONS", "2016-09-17T12:45:00.000Z", "ж" * 500]),
)
wholes = st.integers(-(2**64), 2**64) | st.integers(0, 4_000)
leaves = st.none() | st.booleans() | wholes | texts | st.floats()
wild = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3)
)
accounts = st.fixed_dictionaries(
    {
        "event": texts,
        "fields": st.dictionaries(
            st.from_regex(r"[a-z][a-z0-9_]{0,47}", fullmatch=True) | st.just("closest_m"),
            texts | wholes | st.booleans(),
            min_size=1,
            max_size=32,
        ),
        "object_kind": st.none() | st.just("combat_jet"),
        "as_published": st.none() | texts,
    }
)


@st.composite
def safety(draw: st.DrawFn) -> dict[str, Any]:
    number = draw(
        st.sampled_from([one.number for one in phrases() if one.number in SAFETY_PHRASES])
    )
    values = {
        name: draw(VALUES.get(kind, st.integers(0, 2**53 - 1)))
        for name, kind in phrase(number).values.items()
    }
    return {"phrase": number, "values": values}


@st.composite
def sends(draw: st.DrawFn) -> tuple[str, Any, dict[str, Any], int | None]:
    """A kind, a body that is right or nearly, what stands around it, which message it cites."""
    kind = draw(st.sampled_from(sorted(SAMPLES)) | st.sampled_from(ABOUT_INCIDENTS))
    body: Any = dict(SAMPLES[kind])
    match kind:
        case "ACCOUNT":
            body = draw(accounts)
            if draw(st.booleans()):
                del body["event"]
                body["incident_id"] = SAMPLES["INCIDENT"]["incident_id"]
        case "SAFETY":
            body = draw(safety())
        case "NOTIFY" | "UPDATE" | "CORRECTION":
            body["declaration"] = declaration_to_wire(draw(declarations))
    for name in draw(st.lists(st.sampled_from(sorted({*body, "not_binding"})), max_size=2)):
        body[name] = draw(texts | wild)
    around = {
        "desk": draw(st.just(DESKS[0]) | texts),
        "to_desk": draw(st.none() | texts),
        "drill": draw(st.booleans()),
        "release": draw(st.just("NONE") | texts),
        "lang": draw(st.just("ru") | texts),
        "expires_after_ms": draw(st.none() | wholes),
        "answer_within_ms": draw(st.none() | wholes),
    }
    some = draw(st.lists(st.sampled_from(sorted(around)), max_size=2, unique=True))
    more = {name: around[name] for name in some}
    return kind, body, {"desk": DESKS[0], **more}, draw(st.none() | st.integers(0, 5))


def send(pair: NodePair, party: str, sent: tuple[str, Any, dict[str, Any], int | None]) -> None:
    kind, body, around, cites = sent
    said = [
        event.data["hash"]
        for event in pair.blue.events + pair.red.events
        if event.kind == "message"
    ]
    ref = None if cites is None or not said else said[-1 - cites % len(said)]
    head = pair.line(party).machine.own_head
    try:
        say = Say(kind=Kind(kind), body=parse_body(kind, body), ref=ref, **around)
        pair.world.say(party, pair.peer_of(party), [say])
    except (InvalidInputError, LineStateError, NotFoundError):
        assert pair.line(party).machine.own_head == head
    else:
        assert pair.line(party).machine.own_head != head


@examples()
@given(st.lists(st.tuples(st.sampled_from(("blue", "red")), sends()), min_size=1, max_size=8))
def test_whatever_a_person_sends_is_said_or_refused_and_the_node_goes_on(
    script: list[tuple[str, tuple[str, Any, dict[str, Any], int | None]]],
) -> None:
    with node_pair() as pair:
        for party, sent in script:
            send(pair, party, sent)
            pair.run_for(1)
        for party in ("blue", "red"):
            pair.world.restart(party)
        pair.run_for(2)
        for party in ("blue", "red"):
            line = pair.line(party)
            for held in line.book.incidents:
                assert incident_view(shelf_of(line), held, (), "ru").text
