"""However a picture came about, its conflicts are those of what is declared now."""

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deconflict.airspace import AltitudeReference
from deconflict.errors import InvalidGeometryError
from deconflict.messages.declaration import Declaration, Purpose, SoundDeclaration
from deconflict.node import side
from deconflict.node.picture import Declared, Picture
from deconflict.node.side import Rules
from deconflict.separation import AltitudeConversions, Finding, Minima, MinimaTable, check
from effort import examples
from oracle.builders import FIVE_NM, T0_MS, THOUSAND_FEET, minima, unusable
from oracle.strategies import centres, extents_near

QUICK = examples(60, alike=True)
SIZE_M = 20_000.0
FLIGHTS = frozenset({"FLIGHT"})
RULES = tuple(
    Rules(table, conversions)
    for table in (
        MinimaTable(Minima(0.0, 0), {FLIGHTS: Minima(FIVE_NM, THOUSAND_FEET)}),
        minima(20_000.0),
    )
    for conversions in (
        AltitudeConversions(),
        AltitudeConversions({(AltitudeReference.AMSL, AltitudeReference.W84): (-500, 700_000)}),
    )
)
instants = st.integers(-1, 5).map(lambda quarters: T0_MS + quarters * 900_000)


@st.composite
def declared(draw: st.DrawFn, centre: tuple[float, float]) -> Declared:
    """Any revision of a few declarations; one in six cannot be checked."""
    own = draw(st.booleans())
    if draw(st.integers(0, 5)):
        made = draw(extents_near(centre, SIZE_M, "any", purposes=tuple(Purpose), days=(0, 0, 1)))
    else:
        made = replace(unusable("any"), purpose=Purpose.FLIGHT)
    declaration = Declaration(
        f"{draw(st.integers(0, 3)):032x}", Purpose(made.purpose), made.geometry
    )
    party = "west" if own else "east"
    return Declared(SoundDeclaration(declaration), party, own, "", 0, T0_MS)


class Twin:
    """What is declared and over, and its conflicts, found anew each time for each pair alone."""

    def __init__(self) -> None:
        self.active: dict[str, list[Declared]] = {}
        self.over: dict[str, Declared] = {}

    def put(self, one: Declared) -> None:
        self.over.pop(one.key, None)
        self.active.setdefault(one.key, []).append(one)

    def remove(self, key: str) -> None:
        self.over.pop(key, None)
        self.active.pop(key, None)

    def pass_time(self, now_ms: int) -> None:
        back = [one for one in self.over.values() if one.end_ms >= now_ms]
        for one in back:
            self.put(one)
        for one in [revisions[-1] for revisions in self.active.values()]:
            if one.end_ms < now_ms:
                self.remove(one.key)
                self.over[one.key] = one

    def unchecked(self, rules: Rules) -> set[str]:
        return {key for key, held in self.active.items() if found_by(held[-1:], [], rules) is None}

    def screened(self, rules: Rules, *, own: bool) -> list[Declared]:
        usable = {
            key: [one for one in revisions if found_by([one], [], rules) is not None]
            for key, revisions in self.active.items()
        }
        return [held[-1] for held in usable.values() if held and held[-1].own == own]

    def conflicts(self, now_ms: int, rules: Rules) -> dict:
        found = {}
        unchecked = self.unchecked(rules)
        sides = self.screened(rules, own=True), self.screened(rules, own=False)
        for mine, theirs in product(*sides):
            # Told from either: whichever changed last.
            both = found_by([mine], [theirs], rules), found_by([theirs], [mine], rules)
            late = tuple(self.active[d.key][-1] for d in (mine, theirs) if d.key in unchecked)
            ends = [finding.end_ms for finding in both[0] or ()] + [one.end_ms for one in late]
            if both[0] and max(ends) >= now_ms:
                found[mine.key, theirs.key] = (mine, theirs, late, both)
        return found


def found_by(some, others, rules: Rules) -> tuple[Finding, ...] | None:
    """What a check finds, in order of time; None when it refuses."""
    try:
        found = check(
            [one.extent for one in some],
            others=[one.extent for one in others],
            minima=rules.minima,
            conversions=rules.conversions,
        )
    except InvalidGeometryError:
        return None
    return tuple(sorted(found, key=lambda finding: (finding.start_ms, finding.end_ms)))


def agree(conflicts, expected) -> None:
    assert {(one.own.key, one.peer.key) for one in conflicts} == expected.keys()
    for one in conflicts:
        mine, theirs, late, both = expected[one.own.key, one.peer.key]
        assert (one.own, one.peer, one.unchecked) == (mine, theirs, late)
        assert one.findings in both


@pytest.fixture(scope="module", params=[0, 10**9], ids=["asked", "screened anew"], autouse=True)
def either_way(request):
    """Whatever changed is asked of the live index, or is always screened anew."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(side, "_ASKED_SHARE", request.param)
        yield


@QUICK
@given(st.data(), centres, instants, st.sampled_from(RULES))
def test_a_picture_that_changed_is_the_picture_of_what_is_declared(data, centre, now, rules):
    picture, twin = Picture("a line"), Twin()
    for _ in range(data.draw(st.integers(1, 5))):
        for one in data.draw(st.lists(declared(centre), max_size=4)):
            picture.put(one)
            twin.put(one)
        if data.draw(st.booleans()) and twin.active:
            key = data.draw(st.sampled_from(sorted(twin.active)))
            assert picture.remove(key) == twin.active[key][-1]
            twin.remove(key)
        if not data.draw(st.integers(0, 3)):
            rules = data.draw(st.sampled_from(RULES))
            picture.mark_all_changed()
        now = data.draw(instants)
        picture.take_back(now)
        picture.drop_ended(now)
        twin.pass_time(now)
        part = data.draw(st.sampled_from([None, 1, 2]))
        picture.recheck(now, *rules, at_most=part)
        while picture.changed:
            picture.recheck(now, *rules, at_most=part)
        assert {one.key: one for one in picture} == {k: held[-1] for k, held in twin.active.items()}
        assert {one.key for one in picture.unchecked()} == twin.unchecked(rules)
        agree(picture.conflicts(), twin.conflicts(now, rules))


@QUICK
@given(st.data(), centres, instants, st.sampled_from(RULES))
def test_a_draft_finds_what_declaring_it_would_and_leaves_nothing(data, centre, now, rules):
    picture, twin = Picture("a line"), Twin()
    for one in data.draw(st.lists(declared(centre), min_size=1, max_size=6)):
        picture.put(one)
        twin.put(one)
        if data.draw(st.booleans()):
            picture.recheck(now, *rules)
    before = picture.conflicts()
    drafts = [one for one in data.draw(st.lists(declared(centre), max_size=3)) if one.own]
    change = picture.try_out(drafts, now, *rules)
    assert picture.conflicts() == before
    for key in [key for key, held in twin.active.items() if held[-1].own]:
        twin.remove(key)
    for one in drafts:
        twin.put(one)
    assert {one.key for one in change.unchecked} == twin.unchecked(rules)
    agree(change.found, twin.conflicts(now, rules))
    assert not change.ended
