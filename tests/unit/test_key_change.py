"""What brings another key of a party in force, and all that a thief or a replay does not."""

import base64
import itertools

import msgspec
import pytest

from deconflict.errors import (
    BadSignatureError,
    DeconflictError,
    ForkedChainError,
    InvalidDocumentError,
    NotCanonicalError,
    UnknownKeyError,
    WeakKeyError,
    WrongSenderError,
)
from deconflict.line.envelope import Envelope, SealedEnvelope, envelope_bytes, seal_envelope
from deconflict.line.epoch import EpochOpening, EpochReason
from deconflict.line.incoming import EvidenceReason, Outcome
from deconflict.line.key_change import (
    CONTEXT_KEY_CHANGE,
    CONTEXT_POSSESSION,
    ChangeReason,
    KeyChange,
    KeyStatement,
    RootSignature,
    open_change,
    read_change,
    read_unproven,
)
from deconflict.line.key_ring import OwnKeys
from deconflict.line.keys import SigningKey
from deconflict.line.machine import LineMachine
from deconflict.line.resync import Agreed
from deconflict.line.root import Root
from deconflict.line.statement import ChainPoint, statement_bytes
from key_samples import (
    CUSTODIANS,
    ROOT,
    SECOND,
    THIEF,
    THIRD,
    asked,
    blue_identity,
    changed,
    red_identity,
    signed,
)
from line_talk import BLUE, RULES, End, at

REVOKED = ChangeReason.REVOKED


class Talker(End):
    """An end whose log has epochs."""

    def stored(self, epoch: str, seq: int) -> SealedEnvelope | None:
        found = (
            one for one in self.logged if (one.envelope.epoch, one.envelope.seq) == (epoch, seq)
        )
        return next((one.sealed for one in found), None)


def opened(change: KeyChange, root: Root | None = ROOT) -> KeyStatement:
    return open_change(change, party="blue", first=BLUE.key_id, root=root).statement


def talk(root: Root | None = ROOT) -> tuple[End, End]:
    """Blue, which has no other key yet, and red, which pinned it with its root."""
    numbers = itertools.count(1)
    made = []
    for own, identity in (("blue", blue_identity(OwnKeys(BLUE))), ("red", red_identity(root))):
        machine = LineMachine(
            identity=identity,
            rules=RULES,
            random_bytes=lambda count: bytes([next(numbers)]) * count,
            now=at(0),
        )
        made.append(Talker(own, machine))
    return made[0], made[1]


def opening(
    blue: End, change: KeyChange, signer: SigningKey, *, follows: ChainPoint | None = None
) -> SealedEnvelope:
    """Return an EPOCH entry behind all that blue said, whoever makes it."""
    agreed = Agreed(follows or blue.machine.own_head, (), None)
    blue.machine.identity.own_keys.add(*_key_of(change))
    blue.machine.resync.change_key()
    entry, *_ = blue.machine.reopen(agreed, (), at(0), desks=("watch", "watch"))
    return seal_envelope(entry.data, signer)


def forged(blue: End, change: KeyChange, signer: SigningKey) -> SealedEnvelope:
    """Return the same of a change that blue itself would not take."""
    body = EpochOpening(blue.machine.own_head, EpochReason.KEY_CHANGED, change)
    first = blue.said[0].envelope
    envelope = msgspec.structs.replace(
        first,
        epoch="e" * 32,
        seq=1,
        prev="0" * 64,
        kind="EPOCH",
        heard=None,
        body=msgspec.to_builtins(body),
    )
    return seal_envelope(envelope_bytes(envelope), signer)


def said_under(
    key: SigningKey, like: SealedEnvelope, after: SealedEnvelope | None = None, **fields: object
) -> SealedEnvelope:
    """Return an entry in the epoch of ``like``, behind ``after``."""
    envelope = msgspec.json.decode(like.data, type=Envelope)
    if after is not None:
        last = msgspec.json.decode(after.data, type=Envelope)
        fields = {"seq": last.seq + 1, "prev": after.hash, "epoch": last.epoch, **fields}
    said = msgspec.structs.replace(envelope, kind="NOTIFY", body={"text": "later"}, **fields)
    return seal_envelope(envelope_bytes(said), key)


def _key_of(change: KeyChange) -> tuple[SigningKey, KeyChange]:
    public = read_unproven(change).public
    key = next(one for one in (SECOND, THIRD, BLUE) if one.verify_key.to_base64() == public)
    return key, change


# ---- the statement ----------------------------------------------------------------------------


def test_two_of_three_custodians_are_enough_and_the_file_says_the_same_again() -> None:
    for pair in itertools.permutations(CUSTODIANS, 2):
        change = signed(asked(), *pair)
        assert opened(change).number == 1
        assert read_change(change.export()) == change
    assert opened(signed(asked(), *CUSTODIANS)).number == 1


def test_a_root_below_its_threshold_brings_nothing() -> None:
    for few in ((), CUSTODIANS[:1]):
        change = signed(asked(), *few) if few else asked()
        with pytest.raises(BadSignatureError, match="too few"):
            opened(change)


def test_one_custodian_who_signs_twice_is_one() -> None:
    once = signed(asked(), CUSTODIANS[0])
    again = signed(once, CUSTODIANS[0])
    assert again == once
    twice = msgspec.structs.replace(once, root=once.root * 2)
    with pytest.raises(BadSignatureError, match="each once"):
        opened(twice)


def test_a_key_that_is_not_of_the_root_signs_nothing() -> None:
    with pytest.raises(UnknownKeyError, match="none of the root"):
        signed(asked(), THIEF)
    own = Root([THIEF.verify_key], 1)
    coup = signed(asked(root=own), THIEF, root=own)
    with pytest.raises(UnknownKeyError, match="not of this root"):
        opened(coup)


def test_a_root_with_a_lower_threshold_is_another_root() -> None:
    lower = Root([key.verify_key for key in CUSTODIANS], 1)
    assert lower.root_id != ROOT.root_id
    with pytest.raises(UnknownKeyError, match="another root"):
        opened(signed(asked(root=lower), *CUSTODIANS[:2], root=lower))


def test_without_a_pinned_root_nobody_vouches() -> None:
    with pytest.raises(UnknownKeyError, match="no root of blue is pinned"):
        opened(changed(), None)


@pytest.mark.parametrize("field", ["party", "first"])
def test_a_statement_for_another_party_or_its_other_line_is_refused(field: str) -> None:
    other = {"party": "red", "first": THIEF.key_id}
    change = signed(asked(**{field: other[field]}))
    with pytest.raises(WrongSenderError, match="another party's"):
        opened(change)


def test_whoever_has_no_secret_half_brings_no_key() -> None:
    stolen = read_unproven(changed()).public  # a public key of somebody else
    statement = msgspec.structs.replace(read_unproven(asked(key=THIRD)), public=stolen)
    change = _resigned(statement, possession_by=THIRD)
    with pytest.raises(BadSignatureError):
        opened(change)


def test_a_key_of_small_order_comes_in_force_nowhere() -> None:
    identity = b"\x01" + bytes(31)
    statement = msgspec.structs.replace(read_unproven(asked()), public=_base64(identity))
    with pytest.raises(WeakKeyError):
        opened(_resigned(statement, possession_by=SECOND))


def test_an_algorithm_that_is_not_known_is_refused_by_its_name() -> None:
    statement = msgspec.structs.replace(read_unproven(asked()), algorithm="Ed25519+ML-DSA-44")
    with pytest.raises(UnknownKeyError, match="does not know") as caught:
        opened(_resigned(statement, possession_by=SECOND))
    assert "ML-DSA-44" in caught.value.given


def test_a_changed_byte_of_a_statement_is_seen() -> None:
    change = changed()
    for altered in (change.statement[:-8] + "AAAA" + change.statement[-4:], change.statement + "A"):
        with pytest.raises(DeconflictError):
            opened(msgspec.structs.replace(change, statement=altered))


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"{}", InvalidDocumentError),
        (b'{"a": 1}', NotCanonicalError),
        (b"\xff", InvalidDocumentError),
        (b"[" * 5_000, InvalidDocumentError),
        (b'"' + b"a" * 9_000 + b'"', InvalidDocumentError),
    ],
)
def test_what_is_no_change_is_refused_as_a_document(data: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        read_change(data)


@pytest.mark.parametrize(("keys", "threshold"), [(0, 0), (1, 0), (1, 2), (3, 4)])
def test_a_root_needs_keys_and_a_threshold_they_reach(keys: int, threshold: int) -> None:
    with pytest.raises(InvalidDocumentError, match="no root"):
        Root([key.verify_key for key in CUSTODIANS[:keys]], threshold)
    with pytest.raises(InvalidDocumentError):
        Root([CUSTODIANS[0].verify_key] * 2, 1)


def test_a_root_is_read_in_its_one_order_alone() -> None:
    plain = ROOT.to_plain()
    assert Root.from_plain(plain) == ROOT
    with pytest.raises(InvalidDocumentError, match="one order"):
        Root.from_plain({**plain, "keys": list(reversed(plain["keys"]))})


# ---- the entry --------------------------------------------------------------------------------


def test_a_change_signed_by_old_new_and_root_comes_in_force() -> None:
    blue, red = talk()
    red.take(blue.say())
    entry = opening(blue, changed(), BLUE)
    heard = red.hear(entry)
    assert heard.outcome is Outcome.LOGGABLE
    red.machine.logged(heard.entries, at(1))
    assert list(red.machine.identity.peer_keys) == [SECOND.key_id]
    assert set(red.machine.identity.peer_ring.ever) == {BLUE.key_id, SECOND.key_id}
    assert red.hear(said_under(SECOND, entry, entry)).outcome is Outcome.LOGGABLE


def test_after_the_change_an_entry_under_the_old_key_is_refused_and_kept() -> None:
    blue, red = talk()
    first, late = blue.say(), blue.say()
    red.take(first)
    entry = opening(blue, changed(), BLUE, follows=_point(first))
    red.take(entry)
    for sealed in (late, said_under(BLUE, entry, entry)):
        heard = red.hear(sealed)
        assert heard.outcome is Outcome.ORPHAN
        assert [kept.sealed for kept in heard.evidence] == [sealed]
        assert heard.evidence[0].reason is EvidenceReason.OLD_KEY
    assert red.hear(first).outcome is Outcome.DUPLICATE  # what was logged stays what it was


def test_a_thief_of_the_node_key_never_takes_the_chain_over() -> None:
    blue, red = talk()
    red.take(blue.say())
    own = Root([THIEF.verify_key], 1)
    attempts = [
        signed(asked(key=THIEF, root=own), THIEF, root=own),  # a root of its own
        asked(key=THIEF),  # no root at all
        signed(asked(key=THIEF), CUSTODIANS[0]),  # one custodian of two
    ]
    for change in attempts:
        heard = red.hear(forged(blue, change, BLUE))
        assert heard.outcome is Outcome.KEY_REFUSED
        assert heard.evidence[0].reason is EvidenceReason.FALSE_KEY
        assert list(red.machine.identity.peer_keys) == [BLUE.key_id]
        with pytest.raises(UnknownKeyError):
            red.hear(forged(blue, change, THIEF))


def test_a_rotation_needs_the_old_key_and_a_revocation_does_without() -> None:
    blue, red = talk()
    red.take(blue.say())
    with pytest.raises(UnknownKeyError):
        red.hear(forged(blue, changed(), SECOND))
    heard = red.hear(forged(blue, changed(reason=REVOKED), SECOND))
    assert heard.outcome is Outcome.LOGGABLE
    assert red.machine.identity.peer_ring.is_revoked(BLUE.key_id)


def test_a_revoked_key_signs_no_fork_against_its_owner() -> None:
    blue, red = talk()
    first = blue.say()
    red.take(first)
    other = said_under(BLUE, first)
    with pytest.raises(ForkedChainError):
        red.hear(other)
    red.take(forged(blue, changed(reason=REVOKED), SECOND))
    heard = red.hear(other)
    assert heard.outcome is Outcome.ORPHAN
    assert heard.evidence[0].reason is EvidenceReason.OLD_KEY


def test_a_replayed_old_statement_brings_no_key_back() -> None:
    blue, red = talk()
    red.take(blue.say())
    entry = opening(blue, changed(), BLUE)
    red.take(entry)
    head = _point(entry)
    for change in (changed(), changed(1, THIRD), changed(2, BLUE)):
        body = EpochOpening(head, EpochReason.KEY_CHANGED, change)
        again = said_under(SECOND, entry, epoch="f" * 32, seq=1, prev="0" * 64)
        envelope = msgspec.structs.replace(
            msgspec.json.decode(again.data, type=Envelope),
            kind="EPOCH",
            body=msgspec.to_builtins(body),
        )
        heard = red.hear(seal_envelope(envelope_bytes(envelope), SECOND))
        assert heard.outcome is Outcome.KEY_REFUSED


def test_a_key_of_the_root_is_no_key_of_a_node() -> None:
    blue, red = talk()
    red.take(blue.say())
    change = changed(key=CUSTODIANS[0])
    assert red.hear(forged(blue, change, BLUE)).outcome is Outcome.KEY_REFUSED


def test_a_change_behind_another_entry_than_the_last_one_is_refused_and_asked_again() -> None:
    blue, red = talk()
    first, second = blue.say(), blue.say()
    red.take(first)
    red.take(second)
    heard = red.hear(opening(blue, changed(), BLUE, follows=_point(first)))
    assert heard.outcome is Outcome.EPOCH_REFUSED
    assert list(red.machine.identity.peer_keys) == [BLUE.key_id]


def test_two_changes_in_a_row_are_one_where_the_first_never_came() -> None:
    blue, red = talk()
    red.take(blue.say())
    blue.machine.identity.own_keys.add(SECOND, changed())
    entry = opening(blue, changed(2, THIRD), BLUE)  # signed by the key in force at red
    red.take(entry)
    assert list(red.machine.identity.peer_keys) == [THIRD.key_id]
    assert red.machine.identity.peer_ring.present.number == 2


def test_a_change_may_be_the_first_thing_that_is_said() -> None:
    blue, red = talk()
    red.take(opening(blue, changed(), BLUE))
    assert list(red.machine.identity.peer_keys) == [SECOND.key_id]


def test_an_entry_before_any_epoch_of_the_key_is_the_first_key_s() -> None:
    blue, red = talk()
    first = blue.say()
    with pytest.raises(UnknownKeyError):
        red.hear(seal_envelope(first.data, SECOND))


def test_a_node_that_pinned_no_root_refuses_the_key_and_the_next_epoch_brings_none() -> None:
    blue, red = talk(root=None)
    red.take(blue.say())
    entry = opening(blue, changed(), BLUE)
    assert red.hear(entry).outcome is Outcome.KEY_REFUSED
    blue.machine.resync.refused(at(0), key=True)
    assert blue.machine.resync.after_author().key_refused
    agreed = Agreed(_point_of(blue), (), None)
    again, *_ = blue.machine.reopen(agreed, (), at(1), desks=("watch", "watch"), changes_key=False)
    heard = red.hear(seal_envelope(again.data, BLUE))
    assert heard.outcome is Outcome.LOGGABLE


def test_receipts_of_a_changed_key_are_heard_under_the_new_one_alone() -> None:
    blue, red = talk()
    red.take(blue.say())
    receipt = blue.take(red.say())
    red.take(forged(blue, changed(), BLUE))
    with pytest.raises(UnknownKeyError):
        red.machine.hear_receipt(receipt, at(1))


def _point(sealed: SealedEnvelope) -> ChainPoint:
    envelope = msgspec.json.decode(sealed.data, type=Envelope)
    return ChainPoint(envelope.epoch, envelope.seq, sealed.hash)


def _point_of(party: End) -> ChainPoint | None:
    return party.machine.own_head


def _resigned(statement: KeyStatement, possession_by: SigningKey) -> KeyChange:
    data = statement_bytes(statement)
    custodians = sorted(CUSTODIANS[:2], key=lambda key: key.key_id)
    return KeyChange(
        format="deconflict-key-change",
        v=1,
        statement=_base64(data),
        possession=_base64(possession_by.sign(CONTEXT_POSSESSION, data)),
        root=tuple(
            RootSignature("Ed25519", key.key_id, _base64(key.sign(CONTEXT_KEY_CHANGE, data)))
            for key in custodians
        ),
    )


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
