"""A FLASH that people carry here is shown, also where the record cannot take it yet (R1, R6)."""

from typing import Any

from click import unstyle
from test_node_parcels import bring, check, cut, parcel
from test_node_restore import back_up, put_back

from deconflict.cli.take import _show
from deconflict.line.resync import MuteReason, Silence
from deconflict.messages.kinds import Kind
from deconflict.node.core import Heard
from node_pair import LATAKIA, MINUTE_MS, NodePair, cease, node_pair


def carry_here(pair: NodePair, to: str, packets: Any) -> Heard:
    """Bring packets as a person does: what cannot be logged yet is shown."""
    heard = bring(pair, to, packets)
    in_time = [sealed for sealed, late in heard.unlogged if not late]
    station = pair.station(to)
    pair.world.commit(station, station.core.show_brought(pair.line_id, in_time, pair.world.now))
    return heard


def test_a_cease_carried_alone_is_shown_though_what_it_follows_is_missing() -> None:
    with node_pair() as pair:
        cut(pair)
        check(pair)
        message = pair.say("blue", Kind.CEASE, cease(at=LATAKIA))
        pair.run_for(1)
        alone = parcel(pair, "blue", message=message)
        carry_here(pair, "red", alone.packets)
        alert = pair.alert("red", "BROUGHT_UNLOGGED")
        assert alert.urgency == "FLASH"
        assert alert.text.startswith("HEARD AND NOT LOGGED. blue signed this")
        assert "35." in alert.text  # where it is asked to cease
        assert "CEASE_RECEIVED" not in pair.rules("red")
        carry_here(pair, "red", parcel(pair, "blue").packets)
        assert "BROUGHT_UNLOGGED" not in pair.rules("red")
        assert "CEASE_RECEIVED" in pair.rules("red")


def test_a_cease_of_a_fresh_epoch_that_cannot_be_taken_is_shown_until_it_is_said_again() -> None:
    with node_pair() as pair:
        backup = back_up(pair, "blue")
        check(pair)
        pair.run_for(5)
        cut_ms = pair.world.now.utc_ms
        pair.world.cut("blue", "red", cut_ms, cut_ms + 5 * MINUTE_MS)
        put_back(backup, Silence(mute=True, reason=MuteReason.RECORD_BEHIND))
        pair.world.commit(pair.blue, pair.blue.core.reopen(pair.line_id, pair.world.now))
        pair.run_for(1)
        pair.say("blue", Kind.CEASE, cease(at=LATAKIA))
        pair.run_for(5)
        heard = carry_here(pair, "red", parcel(pair, "blue").packets)
        assert len(heard.unlogged) == 2  # the epoch, and what was said in it
        assert "BROUGHT_UNLOGGED" in pair.rules("red")
        pair.run_for(6 * 60)
        assert "BROUGHT_UNLOGGED" not in pair.rules("red")
        assert "CEASE_RECEIVED" in pair.rules("red")


def test_what_is_late_already_raises_nothing() -> None:
    with node_pair() as pair:
        cut(pair)
        check(pair)
        message = pair.say("blue", Kind.CEASE, cease(at=LATAKIA))
        pair.run_for(1)
        alone = parcel(pair, "blue", message=message)
        pair.run_for(11 * 60)
        heard = carry_here(pair, "red", alone.packets)
        assert [late for _, late in heard.unlogged] == [True]
        assert "BROUGHT_UNLOGGED" not in pair.rules("red")


def test_what_the_network_brings_out_of_order_raises_nothing() -> None:
    with node_pair() as pair:
        cut(pair)
        check(pair)
        message = pair.say("blue", Kind.CEASE, cease(at=LATAKIA))
        pair.run_for(1)
        bring(pair, "red", parcel(pair, "blue", message=message).packets)
        assert "BROUGHT_UNLOGGED" not in pair.rules("red")


def taken(**message: Any) -> dict[str, Any]:
    shown = {"hash": "4f" * 32, "seq": 4, "kind": "CEASE", "delayed": False, "text": "Cease there."}
    return {
        "from_party": "blue",
        "bearer": "file",
        "made_utc": "2015-09-30T06:12:00.000Z",
        "messages": [shown | message],
        "newly_receipted": 0,
        "missing_first_seq": None,
        "refused": None,
    }


def test_take_prints_what_it_says_and_that_it_is_not_logged(capsys: Any) -> None:
    _show(taken(outcome="WAITING"))
    printed = unstyle(capsys.readouterr().out)
    assert "1 message waiting for an earlier one: 4" in printed
    assert "    4  4f4f4f4f4f  NOT LOGGED, answer by voice  CEASE\n         Cease there." in printed
    _show(taken(outcome="OTHER_EPOCH", delayed=True))
    assert "4  4f4f4f4f4f  DELAYED, not actionable  CEASE" in unstyle(capsys.readouterr().out)


def test_take_names_what_is_new_so_that_it_can_be_answered(capsys: Any) -> None:
    _show(taken(outcome="NEW"))
    assert "    4  4f4f4f4f4f  CEASE\n" in unstyle(capsys.readouterr().out)
