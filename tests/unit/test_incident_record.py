"""A stranger with the exported record and two public keys: incidents, evidence by hash, tallies."""

import base64
import hashlib
from collections.abc import Iterator

import pytest
from test_node_incidents import ID, PERIOD, account, breach, opened, say_tally

from deconflict.errors import BadSignatureError
from deconflict.line.canonical import canonical_bytes, parse_canonical
from deconflict.messages.bodies import Account, BreachNote, Evidence, Incident, Risk
from deconflict.messages.incident_bodies import BreachWord, RiskWord, Tally
from deconflict.messages.kinds import Kind
from deconflict.node.bundle import export_bundle
from deconflict.node.bundle_incidents import RecordedIncidents
from deconflict.node.bundle_proof import verify_bundle
from node_pair import NodePair, node_pair

PICTURE = b"\x89PNG a picture of a screen"


def exported(pair: NodePair, party: str) -> bytes:
    station = pair.station(party)
    lines: Iterator[bytes] = export_bundle(
        station.store,
        pair.line_id,
        signer=station.core.key,
        peer_key=pair.station(pair.peer_of(party)).core.key.verify_key,
        exported_utc_ms=pair.world.now.utc_ms,
    )
    return b"".join(lines)


def read(pair: NodePair, bundle: bytes) -> RecordedIncidents:
    recorded = RecordedIncidents()
    keys = {party: pair.station(party).core.key.verify_key for party in ("blue", "red")}
    verify_bundle([bundle], keys, recorded.look)
    return recorded


def story(pair: NodePair) -> None:
    said: list[tuple[str, Kind, Incident | Account | Evidence | Risk | BreachNote]] = [
        ("red", Kind.INCIDENT, opened()),
        ("blue", Kind.ACCOUNT, account(closest_m=805)),
        ("red", Kind.ACCOUNT, account(closest_m=500)),
        (
            "blue",
            Kind.EVIDENCE,
            Evidence(
                incident_id=ID,
                sha256=hashlib.sha256(PICTURE).hexdigest(),
                length_bytes=len(PICTURE),
                media_type="image/png",
            ),
        ),
        ("blue", Kind.RISK, Risk(incident_id=ID, risk=RiskWord.SAFETY_NOT_ASSURED)),
        ("red", Kind.BREACH_NOTE, breach(BreachWord.NO_NOTICE, incident_id=ID)),
        ("blue", Kind.BREACH_NOTE, breach()),
    ]
    for party, kind, body in said:
        pair.say(party, kind, body)
        pair.run_for(1)
    say_tally(pair, "red")
    say_tally(pair, "blue")
    pair.run_for(15)


@pytest.mark.parametrize("party", ["blue", "red"])
def test_both_sides_records_give_a_stranger_the_same_incidents_and_counts(party: str) -> None:
    with node_pair() as pair:
        story(pair)
        recorded = read(pair, exported(pair, party))
        summary = recorded.summary()
        assert (summary.incidents, summary.accounts, summary.files) == (1, 2, 1)
        assert (summary.breach_notes, summary.tallies) == (2, 2)
        assert summary.tallies_differing == ()
        held = recorded.book.get(ID)
        assert held is not None
        assert {each.by: each.fields for each in held.told()} == {
            "blue": {"closest_m": 805},
            "red": {"closest_m": 500},
        }
        assert held.risk_of("blue") is RiskWord.SAFETY_NOT_ASSURED
        assert held.risk_of("red") is RiskWord.UNDETERMINED


def test_a_file_is_the_one_that_was_named_or_it_is_not() -> None:
    with node_pair() as pair:
        story(pair)
        recorded = read(pair, exported(pair, "red"))
        (named,) = recorded.named(hashlib.sha256(PICTURE).hexdigest(), len(PICTURE))
        assert (named.by, named.incident_id, named.media_type) == ("blue", ID, "image/png")
        changed = PICTURE.replace(b"screen", b"Screen")
        assert recorded.named(hashlib.sha256(changed).hexdigest(), len(changed)) == ()
        assert recorded.named(named.sha256, named.length_bytes + 1) == ()


def test_a_tally_that_names_another_entry_than_the_record_is_found_by_a_stranger() -> None:
    with node_pair() as pair:
        story(pair)
        right = pair.line("red").count(*PERIOD, drill=False)
        wrong = Tally(
            start_utc=right.start_utc,
            end_utc=right.end_utc,
            incidents=right.incidents,
            breaches={BreachWord.NO_NOTICE: ("ef" * 32,)},
        )
        message = pair.say("red", Kind.TALLY, wrong)
        pair.run_for(15)
        for party in ("blue", "red"):
            assert read(pair, exported(pair, party)).summary().tallies_differing == (message,)


def test_an_account_that_was_altered_in_the_file_verifies_no_more() -> None:
    with node_pair() as pair:
        story(pair)
        altered = []
        for line in exported(pair, "blue").splitlines(keepends=True):
            item = parse_canonical(line.rstrip(b"\n"))
            said = base64.b64decode(item["data"]) if "data" in item else b""
            if b'"closest_m":805' in said:
                item["data"] = base64.b64encode(said.replace(b"805", b"806")).decode()
                line = canonical_bytes(item) + b"\n"
            altered.append(line)
        with pytest.raises(BadSignatureError):
            read(pair, b"".join(altered))


def test_a_record_without_incidents_has_none() -> None:
    with node_pair() as pair:
        pair.run_for(1)
        summary = read(pair, exported(pair, "blue")).summary()
        assert (summary.incidents, summary.accounts, summary.tallies) == (0, 0, 0)
