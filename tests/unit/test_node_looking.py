"""What the sender of a draft is told before it is sent (R13, R38), whole or not."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from test_node_runtime import PLANNER, runtime_of

from deconflict.airspace.landmark import Landmark
from deconflict.airspace.position import Position
from deconflict.errors import NotPermittedError
from deconflict.messages.declaration import Purpose
from deconflict.messages.never_shared import NeverSharedKind, find_never_shared
from deconflict.node.actor import Actor, Role
from deconflict.node.looking import Looked, PartialDraft
from deconflict.node.service import Node
from deconflict.replay.world import DESKS
from node_pair import HOUR_MS, LATAKIA, START_MS, circle, declaration, node_pair

COAST = [
    Position(lat * 10**7, lon * 10**7) for lat, lon in ((34, 35), (34, 37), (37, 37), (37, 35))
]
AIRFIELD = Landmark("Hmeimim airfield", Position(354_012_000, 359_487_000))
TERMS: dict[str, Any] = {"outline": COAST, "landmarks": [AIRFIELD]}
FAR = Position(400_000_000, 100_000_000)
SWAPPED = Position(365_000_000, 345_000_000)  # outside; exchanged it is inside


def looked(*drafts: PartialDraft, actor: Actor = PLANNER, line: str | None = None) -> Looked:
    async def run() -> Looked:
        with node_pair(**TERMS) as pair:
            async with runtime_of(pair) as runtime:
                node = Node(pair.blue.core, runtime, pair.blue.store)
                found = await node.look(actor, drafts, line=line)
                assert len(pair.line("blue").book.picture) == 0
                return found

    return asyncio.run(run())


def rules(*drafts: PartialDraft) -> list[list[str]]:
    return [[remark.rule for remark in each] for each in looked(*drafts).remarks]


def whole(**more: Any) -> PartialDraft:
    volume = circle(**more)
    places: Sequence[Position] = (more.get("at", LATAKIA),)
    return PartialDraft(tuple(places), Purpose.FLIGHT, (volume,), volume.span.start_ms)


def test_a_draft_in_order_is_told_nothing_and_the_landmarks_come_along() -> None:
    found = looked(whole(), PartialDraft((LATAKIA,)))
    assert found.remarks == ((), ())
    assert [landmark.name for landmark in found.landmarks] == ["Hmeimim airfield"]


def test_short_notice_is_told_as_soon_as_purpose_and_start_are_known() -> None:
    soon = START_MS + 60_000
    assert rules(
        PartialDraft((LATAKIA,), start_ms=soon),
        PartialDraft((LATAKIA,), Purpose.FLIGHT, start_ms=soon),
        whole(start_ms=soon, end_ms=soon + HOUR_MS),
    ) == [[], ["LEAD_TIME_SHORT"], ["LEAD_TIME_SHORT"]]


def test_a_place_outside_the_theatre_is_told_of_a_bare_place_too() -> None:
    assert rules(PartialDraft((LATAKIA, FAR)), whole(at=FAR)) == [["OUTSIDE_THEATRE"]] * 2


def test_what_declaring_would_refuse_is_told_beside_the_rest() -> None:
    bare, declared = looked(PartialDraft((SWAPPED,)), whole(at=SWAPPED)).remarks
    assert "EXCHANGED" not in bare[0].text
    assert [remark.rule for remark in declared] == ["LOOKS_EXCHANGED", "OUTSIDE_THEATRE"]
    assert all(remark.peer == "red" for remark in declared)
    (over,) = looked(whole(start_ms=1, end_ms=2)).remarks
    assert [remark.rule for remark in over] == ["OVER"]


def test_a_label_that_says_too_much_is_told_whatever_the_line() -> None:
    ((remark,),) = looked(PartialDraft((LATAKIA,), label="VIPER 21")).remarks
    assert remark.rule == "LABEL_READS_LIKE_AIRCRAFT"
    assert remark.peer is None
    assert '"VIPER 21"' in remark.text
    assert remark.facts == {"words": "VIPER 21"}


def test_the_check_of_a_draft_warns_of_its_label_too() -> None:
    async def run() -> tuple[str, ...]:
        with node_pair(**TERMS) as pair:
            async with runtime_of(pair) as runtime:
                node = Node(pair.blue.core, runtime, pair.blue.store)
                one = declaration(1)
                named = type(one)(one.declaration_id, one.purpose, one.geometry, "tanker track")
                return (await node.check(PLANNER, [named])).warnings

    (warning,) = asyncio.run(run())
    assert warning.startswith("NEVER SHARED?")


def test_without_terms_there_is_nothing_to_warn_of() -> None:
    async def run() -> Looked:
        with node_pair(agreed=False) as pair:
            async with runtime_of(pair) as runtime:
                node = Node(pair.blue.core, runtime, pair.blue.store)
                return await node.look(PLANNER, [whole(at=FAR)])

    assert asyncio.run(run()) == Looked(((),), (), "en")


def test_who_may_not_check_may_not_look() -> None:
    keeper = Actor("keeper", frozenset({Role.ADMINISTRATOR}), DESKS[0])
    with pytest.raises(NotPermittedError):
        looked(whole(), actor=keeper)


def test_many_places_are_looked_at_beside_the_event_loop() -> None:
    ((remark,),) = looked(PartialDraft((*(LATAKIA,) * 200, FAR))).remarks
    assert remark.rule == "OUTSIDE_THEATRE"


@pytest.mark.parametrize(
    ("label", "kinds"),
    [
        ("area 7", []),
        ("transit north", []),
        ("Aid Convoy 3", []),
        ("рейс 12", []),
        ("Hmeimim Airfield", []),
        ("VIPER 21", ["AIRCRAFT"]),
        ("RCH123", ["AIRCRAFT"]),
        ("N123AB", ["AIRCRAFT"]),
        ("G-ABCD", ["AIRCRAFT"]),
        ("pair of Su-24", ["AIRCRAFT"]),
        ("Су-24", ["AIRCRAFT"]),
        ("bombing range", ["MEANS"]),
        ("штаб бригады", ["MEANS"]),
        ("Col Smith", ["PERSON", "PERSON"]),
        ("John Smith", ["PERSON"]),
    ],
)
def test_what_nobody_needs_to_share_is_found_and_area_names_are_not(
    label: str, kinds: list[str]
) -> None:
    found = find_never_shared(label, ["Hmeimim airfield"])
    assert [find.kind for find in found] == [NeverSharedKind[kind] for kind in kinds]
