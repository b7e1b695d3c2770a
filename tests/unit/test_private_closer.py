"""What closer looks leave of the hits of a run: what falls, what stands, and what is told."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deconflict.airspace.altitude import AltitudeReference
from deconflict.airspace.instant import format_utc
from deconflict.messages.kinds import Kind
from deconflict.messages.private_bodies import PrivateEndReason, Refines
from deconflict.node.private.closer import Fate, Look, stands_after
from deconflict.node.private.looks import Looks
from deconflict.node.private.sorties import Met
from deconflict.node.private.views import hit_views
from deconflict.sealed.grid import cell_id
from deconflict.sealed.session import Outcome
from node_pair import node_pair
from private_samples import FIRST_MS, CheckedPair, document, proposal
from private_talk import RunPair, sortie

_TERMS = document(bucket=4_096, points=16, cells_per_sortie_slot=4, runs_per_slot=9)


# ---- what stands, of looks alone -----------------------------------------------------------------


def met(slot: int, x: int = 0, *, parts: int = 1) -> Met:
    begin_ms = FIRST_MS + slot * 60_000 // parts
    return Met(
        sorties=("viper",),
        slot=slot,
        start_utc=format_utc(begin_ms),
        end_utc=format_utc(begin_ms + 60_000 // parts),
        lat_e7=0,
        lon_e7=0,
        side_mm=10_000_000 // parts,
        reference=AltitudeReference.AMSL,
        lower_tmm=0,
        upper_tmm=1,
        cell=cell_id((slot, x, 0, 0)).hex(),
    )


def look(
    *hits: Met, parts: int = 1, slots: tuple[int, ...] = (), whole: bool = True, **other: Any
) -> Look:
    outcome = Outcome.HIT if hits else Outcome.NO_HIT if whole else Outcome.NOT_CHECKED
    given: dict[str, Any] = {"over": True, "same_plan": True, **other}
    return Look(parts, slots, outcome, whole, met=hits, **given)


COARSE = look(met(1), met(2))


@pytest.mark.parametrize(
    ("closer", "outcome", "fates"),
    [
        ((), Outcome.HIT, (Fate.NOT_LOOKED, Fate.NOT_LOOKED)),
        ((look(parts=2, slots=(1, 2)),), Outcome.NO_HIT, (Fate.FALLEN, Fate.FALLEN)),
        ((look(parts=2, slots=(1,)),), Outcome.HIT, (Fate.FALLEN, Fate.NOT_LOOKED)),
        (
            (look(met(4, 1, parts=2), parts=2, slots=(1, 2)),),
            Outcome.HIT,
            (Fate.FALLEN, Fate.SEEN),
        ),
        # Broken off, under way, or at another plan: nothing falls.
        (
            (look(parts=2, slots=(1, 2), whole=False),),
            Outcome.HIT,
            (Fate.NOT_CHECKED, Fate.NOT_CHECKED),
        ),
        (
            (look(parts=2, slots=(1, 2), whole=False, over=False),),
            Outcome.HIT,
            (Fate.NOT_LOOKED, Fate.NOT_LOOKED),
        ),
        (
            (look(parts=2, slots=(1, 2), same_plan=False),),
            Outcome.HIT,
            (Fate.OTHER_PLAN, Fate.OTHER_PLAN),
        ),
        # A look that was broken off after a hit: that one is seen, the other is unknown.
        (
            (look(met(2, parts=2), parts=2, slots=(1, 2), whole=False),),
            Outcome.HIT,
            (Fate.SEEN, Fate.NOT_CHECKED),
        ),
        # What a broken off look did not clear, a later whole one does, in any order.
        (
            (look(parts=2, slots=(1, 2)), look(parts=2, slots=(1, 2), whole=False)),
            Outcome.NO_HIT,
            (Fate.FALLEN, Fate.FALLEN),
        ),
        # A hit of cells cut into 2 falls by a look at cells cut into 4, and the coarse one with it.
        (
            (look(met(2, parts=2), parts=2, slots=(1, 2)), look(parts=4, slots=(1,))),
            Outcome.NO_HIT,
            (Fate.FALLEN, Fate.FALLEN),
        ),
        # Cells cut into 3 do not lie in cells cut into 2: what these hit stands.
        (
            (look(met(2, parts=2), parts=2, slots=(1, 2)), look(parts=3, slots=(1, 2))),
            Outcome.HIT,
            (Fate.SEEN, Fate.FALLEN),
        ),
    ],
)
def test_a_hit_falls_by_a_whole_look_of_the_same_plan_alone(
    closer: tuple[Look, ...], outcome: Outcome, fates: tuple[Fate, ...]
) -> None:
    for looks in ((COARSE, *closer), (*closer, COARSE)):
        stands = stands_after(looks)
        assert stands.outcome is outcome
        assert tuple(stands.fate(1, each) for each in COARSE.met) == fates
        assert bool(stands.met) is (outcome is Outcome.HIT)


def test_a_coarse_check_that_was_broken_off_is_never_clear() -> None:
    coarse = look(met(1), whole=False)
    stands = stands_after([coarse, look(parts=2, slots=(1,))])
    assert (stands.outcome, stands.met) == (Outcome.NOT_CHECKED, ())


def test_a_finer_hit_outside_all_coarse_ones_stands_too() -> None:
    outside = met(6, 7, parts=2)
    stands = stands_after([COARSE, look(outside, parts=2, slots=(1, 2, 3))])
    assert (stands.outcome, stands.met) == (Outcome.HIT, (outside,))


def test_what_was_kept_before_cells_were_noted_stands() -> None:
    import msgspec

    old = msgspec.structs.replace(met(1), cell="")
    stands = stands_after([look(old), look(parts=2, slots=(1,))])
    assert (stands.outcome, stands.met) == (Outcome.HIT, (old,))
    assert stands.fate(1, old) is Fate.NOT_LOOKED
    # A finer look of which a cell is unknown clears nothing.
    stands = stands_after([look(met(1)), look(old, parts=2, slots=(1,))])
    assert stands.fate(1, met(1)) is Fate.OTHER_PLAN or stands.outcome is Outcome.HIT


# ---- between two nodes ---------------------------------------------------------------------------


@pytest.fixture
def checked() -> Iterator[CheckedPair]:
    with node_pair(private_check=_TERMS) as pair:
        yield CheckedPair(pair)


class Two:
    """Blue and red, who checked coarsely and look closer."""

    def __init__(self, checked: CheckedPair, folder: Path) -> None:
        self.checked = checked
        self.run = RunPair(checked, folder)
        self.coarse = ""

    def check(self) -> None:
        self.checked.propose(proposal(_TERMS, runs=1))
        self.coarse = self.checked.proposal
        self.checked.accept()
        self.run.run()

    def look(self, *slots: int, parts: int = 2, by: str = "blue", breaks: bool = False) -> None:
        refines = Refines(of=self.coarse, run=0, parts=parts, slots=slots or tuple(range(10)))
        self.checked.propose(proposal(_TERMS, runs=1, refines=refines), by=by)
        self.checked.accept(by={"blue": "red", "red": "blue"}[by])
        if breaks:
            self.checked.end("red", 0, PrivateEndReason.CANCELLED)
        self.run.run()

    def fates(self, party: str) -> set[Fate]:
        private = self.run.driven[party].core.private
        coarse = private.get(self.coarse, 0)
        assert coarse is not None
        stands = private.families.stands(coarse)
        return {stands.fate(1, each) for each in coarse.met}

    def hits(self, party: str) -> list[Any]:
        pair = self.checked.pair
        return [alert for alert in pair.station(party).core.alerts if alert.rule == "PRIVATE_HIT"]

    def told(self, party: str, what: str) -> list[Any]:
        return [
            event.data
            for event in self.checked.pair.station(party).core.stored_events(0, 10_000)
            if event.kind == what
        ]


@pytest.fixture
def apart(checked: CheckedPair, tmp_path: Path) -> Two:
    """16.5 km apart: within the minima and a cell of 10 km, and not within them and one of 5 km."""
    two = Two(checked, tmp_path)
    two.run.fly("blue", sortie("viper", 2.5, 2.5))
    two.run.fly("red", sortie("falcon", 19.0, 2.5))
    two.check()
    return two


@pytest.fixture
def close(checked: CheckedPair, tmp_path: Path) -> Two:
    two = Two(checked, tmp_path)
    two.run.fly("blue", sortie("viper", 2.5, 2.5))
    two.run.fly("red", sortie("falcon", 7.5, 2.5))
    two.check()
    return two


def test_the_alert_of_a_hit_that_fell_ends_and_says_why(apart: Two) -> None:
    assert apart.fates("blue") == apart.fates("red") == {Fate.NOT_LOOKED}
    assert len(apart.hits("blue")) == len(apart.hits("red")) == 1
    apart.look()
    for party in ("blue", "red"):
        assert apart.fates(party) == {Fate.FALLEN}
        assert apart.hits(party) == []
        last = [each for each in apart.told(party, "alert") if each["rule"] == "PRIVATE_HIT"][-1]
        assert not last["open"]
        assert "Closer looks found no meeting" in last["text"]
        noted = apart.told(party, "private")[-1]
        assert (noted["proposal"], noted["stands"]) == (apart.coarse, "NO_HIT")
        assert (noted["fallen"] > 0, noted["left"]) == (True, 0)
    # After a start the same: nothing is told anew, and nothing comes back.
    apart.checked.pair.world.restart("blue")
    apart.checked.pair.run_for(3)
    assert "PRIVATE_HIT" not in apart.checked.pair.rules("blue")
    core = apart.checked.pair.station("blue").core
    coarse = core.private.get(apart.coarse, 0)
    assert coarse is not None
    assert core.private.families.stands(coarse).outcome is Outcome.NO_HIT


def test_what_the_closer_look_saw_too_is_one_alert_in_finer_cells(close: Two) -> None:
    (before,) = close.hits("blue")
    close.look()
    (alert,) = close.hits("blue")
    assert alert.alert_id == before.alert_id
    assert alert.text != before.text  # said more exactly
    assert alert.facts["proposal"] == close.coarse
    assert close.fates("blue") <= {Fate.SEEN, Fate.FALLEN}
    assert Fate.SEEN in close.fates("blue")


def test_a_look_that_is_broken_off_clears_nothing(apart: Two) -> None:
    (before,) = apart.hits("blue")
    apart.look(breaks=True)
    assert apart.fates("blue") == {Fate.NOT_CHECKED}
    (after,) = apart.hits("blue")
    assert (after.alert_id, after.text) == (before.alert_id, before.text)
    assert "PRIVATE_NOT_CHECKED" in apart.checked.pair.rules("blue")
    # One that comes to its end does, and is an answer to what was not known.
    apart.look()
    assert apart.hits("blue") == []
    assert "PRIVATE_NOT_CHECKED" not in apart.checked.pair.rules("blue")


def test_a_look_at_some_slots_leaves_the_others_standing(apart: Two) -> None:
    (before,) = apart.hits("blue")
    apart.look(0, 1, 2)
    assert apart.fates("blue") == {Fate.FALLEN, Fate.NOT_LOOKED}
    (after,) = apart.hits("blue")
    assert after.alert_id == before.alert_id
    assert "3 of these cells have fallen, 7 stand" in after.text
    assert "from 2015-09-30 07:03" in after.text  # from the first slot that stands


def test_a_look_at_another_plan_of_ours_clears_nothing_of_ours(apart: Two) -> None:
    apart.run.fly("blue", sortie("viper", 2.5, 2.5), sortie("cobra", 150.0, 150.0, number=2))
    apart.look()
    assert apart.fates("blue") == {Fate.OTHER_PLAN}
    assert len(apart.hits("blue")) == 1
    assert apart.fates("red") == {Fate.FALLEN}  # whose own plan is the same


def test_what_is_shown_of_a_hit_says_what_became_of_it(apart: Two) -> None:
    private = apart.run.driven["blue"].core.private
    coarse = private.get(apart.coarse, 0)
    assert coarse is not None
    (whole,) = hit_views(coarse, private.families.stands(coarse), "en")
    assert (whole.fate, "STANDS" in whole.text) == ("NOT_LOOKED", False)  # nobody looked at all
    apart.look(0, 1, 2)
    fallen, stands = hit_views(coarse, private.families.stands(coarse), "en")
    assert (fallen.fate, stands.fate) == ("FALLEN", "NOT_LOOKED")
    assert fallen.text.endswith("FALLEN: the closer look found no meeting here.")
    assert stands.text.endswith("STANDS: not looked at more closely.")
    assert (fallen.end_utc, stands.start_utc) == (stands.start_utc, fallen.end_utc)


def looks_of(two: Two, party: str) -> Looks:
    checks = two.checked.pair.line(party).book.private_checks
    return Looks(checks, two.run.driven[party].core.private, two.coarse, 0)


def test_the_next_look_is_offered_at_what_stands_and_at_what_the_peer_named(close: Two) -> None:
    everything = tuple(range(10))
    offered = looks_of(close, "blue").offered(_TERMS)
    assert [(each.parts, each.slots) for each in offered] == [(2, everything), (4, everything)]
    close.look()
    (offered_next,) = looks_of(close, "blue").offered(_TERMS)
    assert (offered_next.parts, offered_next.slots) == (4, everything)
    assert [(each.own, each.outcome) for each in looks_of(close, "red").views()] == [(False, "HIT")]


def test_slots_of_a_look_that_the_peer_wants_are_looked_at_with_ours(apart: Two) -> None:
    """Blue knows ten slots of its own; red has asked for two, of which no look came of yet."""
    apart.look(0, 1, by="red", breaks=True)
    apart.look(*range(2, 10))
    (two, four) = looks_of(apart, "blue").offered(_TERMS)
    assert (two.parts, two.slots) == (2, (0, 1))
    assert four.slots == (0, 1)
    assert looks_of(apart, "blue").named_by_peer(2) == (0, 1)
    # Ours is on its way: it is not offered again, and a finer one is.
    refines = Refines(of=apart.coarse, run=0, parts=2, slots=(0, 1))
    apart.checked.propose(proposal(_TERMS, runs=1, refines=refines))
    assert [each.parts for each in looks_of(apart, "blue").offered(_TERMS)] == [4]


def test_a_look_that_is_an_exercise_clears_nothing_that_is_real(apart: Two) -> None:
    refines = Refines(of=apart.coarse, run=0, parts=2, slots=tuple(range(10)))
    pair = apart.checked.pair
    body = proposal(_TERMS, runs=1, refines=refines)
    apart.checked.proposal = pair.say("blue", Kind.PRIVATE_PROPOSE, body, drill=True)
    pair.run_for(1)
    apart.checked.accept()
    apart.run.run()
    assert apart.run.finding("blue").outcome is Outcome.NO_HIT
    assert apart.fates("blue") == {Fate.NOT_LOOKED}
    assert len(apart.hits("blue")) == 1
