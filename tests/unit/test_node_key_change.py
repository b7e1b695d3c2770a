"""A node's change of key in every state of its lines: nothing is lost, nobody is convicted."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import apsw
import msgspec
import pytest

from deconflict.errors import NotFoundError, StoreDamagedError, UnknownKeyError
from deconflict.line.checkpoint import (
    cosign_checkpoint,
    cosignature_time_s,
    read_checkpoint,
    seal_checkpoint,
)
from deconflict.line.envelope import envelope_bytes, read_envelope, seal_envelope
from deconflict.line.key_change import ChangeReason, asked_change, signed_by_root
from deconflict.line.keys import CONTEXT_ENVELOPE, SigningKey, VerifyKey
from deconflict.line.note import read_note
from deconflict.line.resync import MuteReason, Silence
from deconflict.line.root import Root
from deconflict.messages.kinds import Kind
from deconflict.node import bundle_lines, bundle_proof
from deconflict.node.bundle import _sealed_lines, export_bundle
from deconflict.node.bundle_lines import (
    CheckpointItem,
    EntryItem,
    ReceiptItem,
    base64_text,
    decoded,
)
from deconflict.node.bundle_proof import verify_bundle
from deconflict.node.bundle_verified import VerifiedBundle
from deconflict.node.disclosure import disclose, verify_disclosure
from deconflict.node.equivocation import equivocation_of
from deconflict.node.opening import sign_what_waits
from deconflict.node.proof_lines import Disclosure, encode_proof_file, read_proof_file
from deconflict.node.rows import sealed_again
from deconflict.store.sqlite import SqliteStore
from deconflict.store.verify import verify_store
from node_pair import NodePair, declaration, node_pair, query

SOON_S = 8.0  # more than every repetition
MUTE = Silence(mute=True, deaf=True, reason=MuteReason.RECORD_BEHIND)
ROOT_KEYS = {
    party: SigningKey.from_seed(bytes([number]) * 32)
    for party, number in (("blue", 50), ("red", 51))
}
ROOTS = {party: Root([key.verify_key], 1) for party, key in ROOT_KEYS.items()}


@contextmanager
def rooted(roots: dict[str, Root] = ROOTS) -> Iterator[NodePair]:
    """Two nodes that pinned each other's roots, or one or none of them."""
    with node_pair() as pair:
        pair.world.roots.update(roots)
        for party in ("blue", "red"):
            pair.world.restart(party)
        pair.run_for(SOON_S)
        yield pair


def next_key(party: str, number: int) -> SigningKey:
    return SigningKey.from_seed(bytes([100 + number, party == "red"]) * 16)


def change(pair: NodePair, party: str, number: int = 1, *, revoked: bool = False) -> None:
    """As `deconflict node key install` does: the node has the key, no line has it yet."""
    core = pair.station(party).core
    key = next_key(party, number)
    asked = asked_change(
        party=party,
        first=core.key.key_id,
        root=ROOTS[party],
        number=number,
        key=key,
        reason=ChangeReason.REVOKED if revoked else ChangeReason.ROTATED,
        created_utc="2015-09-30T06:00:00.000Z",
    )
    core.keys.add(key, signed_by_root(asked, ROOTS[party], ROOT_KEYS[party]))


def first_keys(pair: NodePair) -> dict[str, VerifyKey]:
    return {party: pair.station(party).core.key.verify_key for party in ("blue", "red")}


def numbers(pair: NodePair, author: str) -> tuple[int, int]:
    """Return the number of a party's key in force, as itself and as its peer see it."""
    own = pair.line(author).machine.identity.own_ring.present.number
    return own, pair.line(pair.peer_of(author)).machine.identity.peer_ring.present.number


def proven(pair: NodePair) -> list[VerifiedBundle]:
    """Both records verify from the first keys and the roots alone, as records and as bundles."""
    keys = first_keys(pair)
    found = []
    for party in ("blue", "red"):
        store, line = pair.station(party).store, pair.line(party)
        verify_store(store, {one: {key.key_id: key} for one, key in keys.items()}, roots=ROOTS)
        bundle = b"".join(
            export_bundle(
                store,
                pair.line_id,
                signer=line.own_key,
                peer_key=keys[pair.peer_of(party)],
                exported_utc_ms=pair.world.now.utc_ms,
                own_keys=pair.station(party).core.keys,
            )
        )
        found.append(verify_bundle([bundle], keys, roots=ROOTS))
        for size in (1_000, 20_000):  # many lines at once, in pieces small and large
            assert verified_quickly(bundle, keys, size) == found[-1]
    return found


def verified_quickly(bundle: bytes, keys: dict[str, VerifyKey], size: int) -> VerifiedBundle:
    chunks = [bundle[at : at + size] for at in range(0, len(bundle), size)]
    with patch.object(bundle_lines, "PIECE_BYTES", 1):
        return verify_bundle(chunks, keys, roots=ROOTS)


def require_whole(pair: NodePair, **in_force: int) -> list[VerifiedBundle]:
    for party, number in in_force.items():
        assert numbers(pair, party) == (number, number)
    for party in ("blue", "red"):
        machine = pair.line(party).machine
        assert machine.resync.whole
        assert machine.own_head == machine.own_receipted
        assert not {
            "FORKED_CHAIN",
            "RECEIPT_CONTRADICTS",
            "OWN_RECORD_IN_DOUBT",
            "LINE_MUTE",
            "RESYNC_STUCK",
            "KEY_NOT_VOUCHED",
        } & set(pair.rules(party))
    return proven(pair)


def held(pair: NodePair, holder: str, author: str) -> set[str]:
    picture = pair.line(holder).book.picture
    return {one.declaration.declaration_id for one in picture if one.party == author}


def test_both_sides_change_at_once_and_go_on_talking() -> None:
    with rooted() as pair:
        pair.declare("blue", declaration(1))
        pair.declare("red", declaration(2))
        change(pair, "blue")
        change(pair, "red")
        pair.run_for(SOON_S)
        pair.declare("blue", declaration(3))
        pair.declare("red", declaration(4))
        pair.run_for(SOON_S)
        for bundle in require_whole(pair, blue=1, red=1):
            assert [chain.key_changes for chain in bundle.chains] == [1, 1]
            assert [chain.key_id for chain in bundle.chains] == [
                key.key_id for key in first_keys(pair).values()
            ]
            assert bundle.agreed_terms
        assert held(pair, "red", "blue") == {
            declaration(number).declaration_id for number in (1, 3)
        }
        assert "PEER_KEY_CHANGED" in pair.rules("red")


def test_what_a_later_key_signed_is_taken_many_lines_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with rooted() as pair:
        for number in (1, 2):
            change(pair, "blue", number)
            change(pair, "red", number, revoked=True)
            pair.run_for(SOON_S)
            for party in ("blue", "red", "blue", "red"):
                pair.say(party, Kind.QUERY, query())
                pair.run_for(1)
            pair.run_for(SOON_S)
        (bundle, _) = require_whole(pair, blue=2, red=2)
        keys = first_keys(pair)
        exported = b"".join(
            export_bundle(
                pair.blue.store,
                pair.line_id,
                signer=pair.line("blue").own_key,
                peer_key=keys["red"],
                exported_utc_ms=pair.world.now.utc_ms,
                own_keys=pair.blue.core.keys,
            )
        )
        read: list[object] = []
        monkeypatch.setattr(
            bundle_proof, "decoded", lambda line: (item := decoded(line), read.append(item))[0]
        )
        verify_bundle([exported], keys, roots=ROOTS)
        singly = [one for one in read if isinstance(one, EntryItem)]
        read.clear()
        assert verified_quickly(exported, keys, len(exported) // 4) == bundle
        quickly = [one for one in read if isinstance(one, EntryItem)]
        assert len(quickly) < len(singly)
        # Of each epoch the entry that begins it, and no other.
        assert [read_envelope(one.exact).seq for one in quickly] == [1] * 6
        assert [chain.epochs for chain in bundle.chains] == [3, 3]
        assert not any(isinstance(one, ReceiptItem | CheckpointItem) for one in read)


def test_a_record_with_a_changed_key_proves_nothing_without_the_root() -> None:
    with rooted() as pair:
        change(pair, "blue")
        pair.run_for(SOON_S)
        keys = first_keys(pair)
        bundle = b"".join(
            export_bundle(
                pair.red.store,
                pair.line_id,
                signer=pair.line("red").own_key,
                peer_key=keys["blue"],
                exported_utc_ms=pair.world.now.utc_ms,
            )
        )
        with pytest.raises(UnknownKeyError, match="no root of blue is pinned"):
            verify_bundle([bundle], keys)
        with pytest.raises(UnknownKeyError):
            verify_bundle([bundle], keys, roots={"blue": ROOTS["red"]})
        by_party = {party: {key.key_id: key} for party, key in keys.items()}
        with pytest.raises(StoreDamagedError, match="no root of blue"):
            verify_store(pair.red.store, by_party)


@pytest.mark.parametrize("piece_bytes", [1, bundle_lines.PIECE_BYTES], ids=["quickly", "singly"])
def test_a_record_in_which_the_old_key_signs_after_its_change_proves_nothing(
    piece_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundle_lines, "PIECE_BYTES", piece_bytes)
    with rooted() as pair:
        change(pair, "blue")
        pair.run_for(SOON_S)
        pair.declare("blue", declaration(1))
        pair.run_for(SOON_S)
        keys, red = first_keys(pair), pair.line("red").own_key
        exported = b"".join(
            export_bundle(
                pair.red.store,
                pair.line_id,
                signer=red,
                peer_key=keys["blue"],
                exported_utc_ms=pair.world.now.utc_ms,
            )
        )
        items = [decoded(line) for line in exported.splitlines(keepends=True)][:-1]
        entries = [one for one in items if isinstance(one, EntryItem) and one.party == "blue"]
        old = pair.blue.core.key
        again = msgspec.structs.replace(
            entries[-1],
            key_id=old.key_id,
            signature=base64_text(old.sign(CONTEXT_ENVELOPE, entries[-1].exact)),
        )
        kept = [one for one in items if not isinstance(one, CheckpointItem)]
        forged = [again if one is entries[-1] else one for one in kept]
        verify_bundle(_sealed_lines(kept, red), keys, roots=ROOTS)
        with pytest.raises(UnknownKeyError, match="not in force there"):
            verify_bundle(_sealed_lines(forged, red), keys, roots=ROOTS)


@pytest.mark.parametrize("size", [1_000, 1_000_000], ids=["quickly", "singly"])
def test_a_checkpoint_of_a_later_epoch_counts_under_the_key_in_force_there_alone(
    size: int,
) -> None:
    with rooted() as pair:
        change(pair, "blue")
        pair.run_for(SOON_S)
        pair.declare("blue", declaration(1))
        pair.run_for(SOON_S)
        keys, red = first_keys(pair), pair.line("red").own_key
        exported = export_bundle(
            pair.red.store,
            pair.line_id,
            signer=red,
            peer_key=keys["blue"],
            exported_utc_ms=pair.world.now.utc_ms,
        )
        items = [decoded(line) for line in exported][:-1]
        epoch = pair.line("blue").machine.own_head.epoch
        for key, is_whole in ((next_key("blue", 1), True), (pair.blue.core.key, False)):
            signed = [
                one
                if not isinstance(one, CheckpointItem) or epoch.encode() not in one.exact
                else msgspec.structs.replace(one, note=base64_text(signed_by(key, one.exact, red)))
                for one in items
            ]
            assert is_whole == (signed == items)
            bundle = b"".join(_sealed_lines(signed, red))
            if is_whole:
                verified_quickly(bundle, keys, size)
            else:
                with pytest.raises(UnknownKeyError):
                    verified_quickly(bundle, keys, size)


def signed_by(key: SigningKey, note: bytes, witness: SigningKey) -> bytes:
    """The same checkpoint, signed by this key and at the same time by the witness."""
    read = read_note(note)
    time_s = cosignature_time_s(read, "red", {witness.key_id: witness.verify_key})
    sealed = seal_checkpoint(read_checkpoint(read.text), key)
    return cosign_checkpoint(sealed, "red", witness, time_s=time_s).to_bytes()


def test_a_message_alone_is_proven_under_a_later_key_by_the_root() -> None:
    with rooted() as pair:
        change(pair, "blue")
        change(pair, "red")
        pair.run_for(SOON_S)
        (said,) = pair.declare("blue", declaration(1))
        pair.run_for(3 * SOON_S)
        line, keys = pair.line("red"), first_keys(pair)
        proof = disclose(
            pair.red.store,
            pair.line_id,
            said,
            signer=line.own_key,
            peer_key=keys["blue"],
            own_key=keys["red"],
            changes=line.key_changes,
        )
        read = read_proof_file(encode_proof_file(proof))
        assert isinstance(read, Disclosure)
        assert verify_disclosure(read, keys, ROOTS).hash == said
        with pytest.raises(UnknownKeyError, match="no root of"):
            verify_disclosure(read, keys)
        with pytest.raises(UnknownKeyError, match="signed by neither"):
            verify_disclosure(msgspec.structs.replace(read, changes=()), keys, ROOTS)


def test_what_a_revoked_key_signed_afterwards_is_no_fork_of_its_owner() -> None:
    with rooted() as pair:
        pair.declare("blue", declaration(1))
        pair.run_for(SOON_S)
        stolen = pair.blue.core.key
        first = next(iter(pair.red.store.entries(pair.line_id, "blue")))
        change(pair, "blue", revoked=True)
        pair.run_for(SOON_S)
        envelope = read_envelope(first.data)
        other = msgspec.structs.replace(envelope, clock_err_ms=envelope.clock_err_ms + 1)
        forged = seal_envelope(envelope_bytes(other), stolen)
        heard = pair.red.core.hear("blue", pair.line_id, [forged], pair.world.now)
        pair.world.commit(pair.red, heard.work)
        (kept,) = pair.red.store.evidence(pair.line_id)
        assert kept.reason == "OLD_KEY"
        ring = pair.line("red").machine.identity.peer_ring
        key = first_keys(pair)["blue"]
        with pytest.raises(NotFoundError):
            equivocation_of(pair.red.store, pair.line_id, "blue", key, ring)
        assert "FORKED_CHAIN" not in pair.rules("red")


def test_a_revocation_goes_by_any_bearer() -> None:
    with rooted() as pair:
        world = pair.world
        world.cut("blue", "red", world.now.utc_ms)
        change(pair, "blue", revoked=True)
        pair.run_for(SOON_S)
        head = pair.line("blue").machine.own_head
        assert head is not None
        rows = pair.blue.store.entries(pair.line_id, "blue", epoch=head.epoch)
        packets = [sealed_again(row, pair.blue.core.keys) for row in rows]
        heard = pair.red.core.hear("blue", pair.line_id, packets, world.now)
        assert heard.error is None
        world.commit(pair.red, heard.work)
        assert numbers(pair, "blue") == (1, 1)


def test_what_the_peer_never_held_is_said_again_under_the_new_key() -> None:
    with rooted() as pair:
        world = pair.world
        pair.declare("blue", declaration(1))
        pair.run_for(SOON_S)
        world.cut("blue", "red", world.now.utc_ms, world.now.utc_ms + 30_000)
        pair.declare("blue", declaration(2))
        pair.run_for(1)
        change(pair, "blue", revoked=True)
        pair.run_for(5)
        assert numbers(pair, "blue") == (1, 0)  # down: a revocation waits for nobody
        pair.declare("blue", declaration(3))
        pair.run_for(60)
        (bundle, _) = require_whole(pair, blue=1)
        assert held(pair, "red", "blue") == {
            declaration(number).declaration_id for number in (1, 2, 3)
        }
        assert bundle.chains[0].left_behind == 1
        assert "PEER_KEY_REVOKED" in pair.rules("red")


def test_a_change_of_time_waits_until_the_line_is_up() -> None:
    with rooted() as pair:
        world = pair.world
        world.cut("blue", "red", world.now.utc_ms, world.now.utc_ms + 30_000)
        pair.declare("blue", declaration(1))
        pair.run_for(5)
        change(pair, "blue")
        pair.run_for(10)
        assert numbers(pair, "blue") == (0, 0)
        pair.declare("blue", declaration(2))  # meanwhile all can be said
        pair.run_for(60)
        require_whole(pair, blue=1)


@pytest.mark.parametrize("revoked", [False, True])
def test_two_changes_before_the_first_was_receipted_are_signed_by_the_key_in_force(
    revoked: bool,
) -> None:
    with rooted() as pair:
        world = pair.world
        pair.declare("blue", declaration(1))
        pair.run_for(SOON_S)
        world.cut("blue", "red", world.now.utc_ms, world.now.utc_ms + 30_000)
        change(pair, "blue")
        pair.run_for(2)
        assert numbers(pair, "blue") == (1, 0)  # nothing was unreceipted, so it went ahead
        change(pair, "blue", 2, revoked=revoked)
        pair.run_for(5)
        pair.declare("blue", declaration(2))
        pair.run_for(60)
        require_whole(pair, blue=2)
        assert held(pair, "red", "blue") == {
            declaration(number).declaration_id for number in (1, 2)
        }


@pytest.mark.parametrize("party", ["blue", "red"])
@pytest.mark.parametrize("after_ms", range(0, 400, 50))
def test_a_start_in_any_step_goes_on_from_what_is_durable(party: str, after_ms: int) -> None:
    with rooted() as pair:
        pair.declare("blue", declaration(1))
        pair.declare("red", declaration(2))
        change(pair, "blue")
        change(pair, "red", revoked=True)
        pair.run_for(after_ms / 1_000)
        station = pair.station(party)
        sign_what_waits(station.store, party, station.core.keys)
        pair.world.restart(party)
        pair.run_for(SOON_S)
        pair.declare("blue", declaration(3))
        pair.run_for(SOON_S)
        require_whole(pair, blue=1, red=1)


def test_a_record_put_back_from_before_the_change_comes_to_the_new_key() -> None:
    with rooted() as pair:
        copy = apsw.Connection(":memory:")
        with copy.backup("main", pair.blue.store._connection, "main") as backup:
            backup.step()
        change(pair, "blue")
        pair.run_for(SOON_S)
        pair.declare("blue", declaration(1))
        pair.run_for(SOON_S)
        pair.world.restart("blue", store=SqliteStore(copy, ":memory:"), silence=MUTE)
        pair.run_for(2 * SOON_S)
        pair.declare("blue", declaration(2))
        pair.run_for(SOON_S)
        require_whole(pair, blue=1)
        assert held(pair, "red", "blue") == {
            declaration(number).declaration_id for number in (1, 2)
        }


def test_a_peer_that_pinned_no_root_keeps_the_old_key_and_both_are_told() -> None:
    with rooted({"blue": ROOTS["blue"]}) as pair:
        pair.line("red").keys = type(pair.line("red").keys)(
            pair.red.core.keys, pair.blue.core.key.verify_key
        )
        del pair.world.roots["blue"]
        pair.world.restart("red")
        pair.run_for(SOON_S)
        change(pair, "blue")
        pair.run_for(SOON_S)
        pair.declare("blue", declaration(1))
        pair.run_for(SOON_S)
        assert numbers(pair, "blue") == (0, 0)
        assert held(pair, "red", "blue") == {declaration(1).declaration_id}
        assert "KEY_NOT_TAKEN" in pair.rules("blue")
        assert "PEER_ROOT_NOT_PINNED" in pair.rules("red")
        assert "KEY_NOT_VOUCHED" not in pair.rules("red")


def test_a_revocation_is_in_force_at_the_peer_within_seconds() -> None:
    with rooted() as pair:
        for number in range(1, 40):
            pair.declare("blue", declaration(number))
        pair.run_for(1)
        change(pair, "blue", revoked=True)
        begun_ms = pair.world.now.utc_ms
        while numbers(pair, "blue") != (1, 1):
            pair.run_for(0.1)
            assert pair.world.now.utc_ms - begun_ms < 60_000
        assert pair.world.now.utc_ms - begun_ms <= 3_000
        pair.run_for(SOON_S)
        require_whole(pair, blue=1)


def test_of_the_peers_keys_one_alone_is_told_to_be_in_force() -> None:
    with rooted() as pair:
        change(pair, "blue")
        pair.run_for(SOON_S)
        assert "PEER_KEY_CHANGED" in pair.rules("red")
        change(pair, "blue", 2, revoked=True)
        pair.run_for(SOON_S)
        assert "PEER_KEY_CHANGED" not in pair.rules("red")
        assert "its key number 2" in pair.alert("red", "PEER_KEY_REVOKED").text
        change(pair, "blue", 3)
        pair.run_for(SOON_S)
        assert "its key number 3" in pair.alert("red", "PEER_KEY_CHANGED").text
        assert "PEER_KEY_REVOKED" in pair.rules("red")  # which messages it stands by is open still


def test_a_busy_line_asks_for_one_exchange_and_loses_nothing() -> None:
    with rooted() as pair:
        change(pair, "blue")
        for number in range(1, 60):
            pair.declare("blue", declaration(number))
            pair.run_for(0.1)
        pair.run_for(SOON_S)
        require_whole(pair, blue=1)
        assert len(held(pair, "red", "blue")) == 59


def test_line_that_is_down_is_told_as_down_after_a_change_of_key_as_well() -> None:
    with rooted() as pair:
        pair.world.cut("blue", "red", pair.world.now.utc_ms)
        pair.run_for(SOON_S)
        assert "LINE_DOWN" in pair.rules("blue")
        told = [alert.raised_utc for alert in pair.blue.core.alerts if alert.rule == "LINE_DOWN"]
        change(pair, "blue", revoked=True)
        pair.run_for(SOON_S)
        assert numbers(pair, "blue") == (1, 0)
        assert told == [
            alert.raised_utc for alert in pair.blue.core.alerts if alert.rule == "LINE_DOWN"
        ]
