"""SITE NOT LOADED stands from when a site comes until the unit that acts holds it (R39)."""

import pytest

from deconflict.errors import LineStateError
from deconflict.messages.bodies import Cancel, Declared, Loaded
from deconflict.messages.declaration import Declaration, Purpose
from deconflict.messages.kinds import Kind
from deconflict.node.tell.declarations import DeclarationTeller
from node_pair import FAR, HOUR_MS, START_MS, NodePair, circle, declaration, node_pair

RULE = "SITE_NOT_LOADED"
SITE = declaration(7, Purpose.PROTECTED_SITE, circle(at=FAR, radius_m=500))
MOVED = declaration(7, Purpose.PROTECTED_SITE, circle(at=FAR, radius_m=800), revision=2)


def load(pair: NodePair, site: Declaration, message: str) -> None:
    loaded = Loaded(declaration_id=site.declaration_id, at_utc=pair.now_utc)
    pair.say("red", Kind.LOADED, loaded, ref=message)
    pair.run_for(1)


def test_a_site_is_told_as_not_loaded_until_the_unit_is_said_to_hold_it() -> None:
    with node_pair() as pair:
        (message,) = pair.declare("blue", SITE)
        pair.run_for(1)
        assert RULE in pair.rules("red")
        assert RULE not in pair.rules("blue")
        load(pair, SITE, message)
        assert RULE not in pair.rules("red")
        pair.world.restart("red")
        pair.run_for(1)
        assert RULE not in pair.rules("red")


def test_of_two_sites_the_other_stays_told() -> None:
    other = declaration(8, Purpose.PROTECTED_SITE, circle(at=FAR, radius_m=300))
    with node_pair() as pair:
        messages = pair.declare("blue", SITE, other)
        pair.run_for(1)
        load(pair, SITE, messages[0])
        assert pair.alert("red", RULE).subject == other.declaration_id


@pytest.mark.parametrize("withdrawn", [True, False], ids=["withdrawn", "expired"])
def test_a_site_goes_when_its_owner_withdraws_it_and_by_itself_at_its_end(withdrawn: bool) -> None:
    """It leaves the other side's picture, and asks nothing more of its units (R41)."""
    with node_pair() as pair:
        (message,) = pair.declare("blue", SITE)
        pair.run_for(1)
        assert len(pair.line("red").book.picture) == 1
        if withdrawn:
            gone = Cancel(declaration_id=SITE.declaration_id)
            pair.say("blue", Kind.CANCEL, gone, ref=message)
            pair.run_for(2)
        else:
            pair.world.look_at(START_MS + 2 * HOUR_MS + 1_000)
            pair.world.run_until(START_MS + 2 * HOUR_MS + 5_000)
        for party in ("blue", "red"):
            assert len(pair.line(party).book.picture) == 0
        assert RULE not in pair.rules("red")


def test_a_new_revision_of_a_loaded_site_is_not_loaded() -> None:
    with node_pair() as pair:
        (message,) = pair.declare("blue", SITE)
        pair.run_for(1)
        load(pair, SITE, message)
        newer = pair.say("blue", Kind.UPDATE, Declared.of(MOVED), ref=message)
        pair.run_for(1)
        assert RULE in pair.rules("red")
        with pytest.raises(LineStateError):  # the unit holds what was there before
            load(pair, SITE, message)
        assert RULE in pair.rules("red")
        load(pair, MOVED, newer)
        assert RULE not in pair.rules("red")


def test_a_start_closes_what_stayed_told_of_a_site_that_is_loaded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An edition that never closed it has left such alerts on disks."""
    with node_pair() as pair:
        (message,) = pair.declare("blue", SITE)
        pair.run_for(1)
        with monkeypatch.context() as earlier:
            earlier.setattr(DeclarationTeller, "loaded", lambda *_: None)
            load(pair, SITE, message)
        assert RULE in pair.rules("red")
        pair.world.restart("red")
        pair.run_for(1)
        assert RULE not in pair.rules("red")
