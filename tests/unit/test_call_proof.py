"""What a stranger proves of calls and readouts from a bundle and two public keys (R28, R30)."""

from typing import Any

from test_node_calls import held, readout, record
from test_node_talks import force, say

from deconflict.messages.kinds import Kind
from deconflict.messages.talks import ReadoutText, ReadoutWithheld
from deconflict.node.bundle import export_bundle
from deconflict.node.bundle_proof import verify_bundle
from deconflict.node.call_proof import VerifiedCall
from node_pair import NodePair, node_pair


def proven(pair: NodePair, party: str = "blue") -> tuple[VerifiedCall, ...]:
    station = pair.station(party)
    keys = {name: pair.station(name).core.key.verify_key for name in ("blue", "red")}
    bundle = export_bundle(
        station.store,
        pair.line_id,
        signer=station.core.key,
        peer_key=keys[pair.peer_of(party)],
        exported_utc_ms=pair.world.now.utc_ms,
    )
    return verify_bundle(bundle, keys).calls


def states(calls: tuple[VerifiedCall, ...]) -> list[tuple[str, tuple[str, ...]]]:
    return [(one.state, one.signed_by) for call in calls for one in call.readouts]


def propose(pair: NodePair, call: str, body: ReadoutText | None = None) -> str:
    return say(pair, "blue", Kind.READOUT_PROPOSE, body or readout(call), call)


def test_both_bundles_prove_that_both_signed_one_text_and_where_the_records_differ() -> None:
    with node_pair() as pair:
        call = held(pair)
        say(pair, "blue", Kind.CALL_RECORD, record(20), call)
        say(pair, "red", Kind.CALL_RECORD, record(25), call)
        proposed = propose(pair, call)
        say(pair, "red", Kind.READOUT_AGREE, readout(call), proposed)
        assert [one.call_id for one in proven(pair)] == [call]
        for party in ("blue", "red"):
            (found,) = proven(pair, party)
            assert found.differing == ("end_utc",)
            assert {one.party: one.end_utc for one in found.records} == {
                "blue": record(20).end_utc,
                "red": record(25).end_utc,
            }
            (signed,) = found.readouts
            assert (signed.state, signed.signed_by) == ("AGREED", ("blue", "red"))
            assert signed.texts == {"en": ("Both sides spoke of the event.",)}


def test_a_text_that_one_side_alone_signed_is_never_proven_as_agreed() -> None:
    with node_pair() as pair:
        call = held(pair)
        proposed = propose(pair, call)
        force(pair, "red")
        force(pair, "blue")
        say(pair, "red", Kind.READOUT_AGREE, readout(call, "Another text."), proposed)
        assert states(proven(pair)) == [("PROPOSED", ("blue",))]
        # The red side agrees with what nobody proposed, and with a call's record.
        say(pair, "red", Kind.READOUT_OWN, readout(call, "Our view."), call)
        say(pair, "blue", Kind.READOUT_WITHHELD, ReadoutWithheld(call=call), call)
        assert sorted(states(proven(pair))) == [
            ("OWN", ("red",)),
            ("PROPOSED", ("blue",)),
            ("WITHHELD", ("blue",)),
        ]


def test_agreeing_with_an_own_proposal_proves_nothing_of_the_other_side() -> None:
    from deconflict.node import saying

    with node_pair() as pair:
        call = held(pair)
        proposed = propose(pair, call)
        force(pair, "blue")
        checked: Any = saying.check_reference
        try:
            saying.check_reference = lambda *_, **__: None  # type: ignore[assignment]
            say(pair, "blue", Kind.READOUT_AGREE, readout(call), proposed)
        finally:
            saying.check_reference = checked
        assert states(proven(pair, "red")) == [("PROPOSED", ("blue",))]


def test_a_record_without_calls_proves_none() -> None:
    with node_pair() as pair:
        assert proven(pair) == ()
