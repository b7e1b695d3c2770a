"""An invitation verifies or is refused; a peer is pinned only with what a person heard."""

import base64
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deconflict.errors import (
    BadSignatureError,
    ConfigurationError,
    DeconflictError,
    InvalidDocumentError,
    InvalidInputError,
    NotCanonicalError,
    NotFoundError,
    VerificationError,
    WeakKeyError,
    WrongSenderError,
)
from deconflict.line.canonical import canonical_bytes
from deconflict.line.keys import SigningKey, line_id
from deconflict.node.invitation import CONTEXT_INVITATION, MAX_INVITATION_BYTES, Invitation
from deconflict.node.peers import PeerBook
from deconflict.node.pki import create_root

NOW_MS = 1_795_000_000_000
KEY = SigningKey.from_seed(bytes(range(32)))
ROOT_PEM = create_root(now_utc_ms=NOW_MS, random_bytes=os.urandom).certificate_pem.decode()


def invite(
    party: str = "red",
    key: SigningKey = KEY,
    *,
    spki: str = "a" * 64,
    now_utc_ms: int = NOW_MS,
    root: str = ROOT_PEM,
) -> Invitation:
    return Invitation.create(
        party=party,
        desks=("watch", "second"),
        signing_key=key,
        tls_root_pem=root,
        tls_spki_sha256=spki,
        urls=("https://red.example:8443",),
        now_utc_ms=now_utc_ms,
    )


def altered(change: Callable[[dict[str, Any]], None], *, sign: bool = True) -> bytes:
    """An invitation with something changed, signed again by its key unless told otherwise."""
    document: dict[str, Any] = json.loads(invite().export())
    signature = document.pop("signature")
    change(document)
    if sign:
        made = KEY.sign(CONTEXT_INVITATION, canonical_bytes(document))
        signature = base64.b64encode(made).decode()
    document.setdefault("signature", signature)
    return canonical_bytes(document)


@pytest.fixture
def book(tmp_path: Path) -> PeerBook:
    own = SigningKey.from_seed(b"b" * 32).verify_key
    return PeerBook(tmp_path, "blue", own, "b" * 64)


def test_an_invitation_is_read_back_as_written() -> None:
    made = invite()
    assert Invitation.parse(made.export()) == made
    assert made.party == "red"
    assert made.desks == ("watch", "second")
    assert made.created_utc_ms == NOW_MS


def test_one_newline_at_the_end_is_free_and_nothing_else() -> None:
    data = invite().export()
    assert Invitation.parse(data.removesuffix(b"\n")) == Invitation.parse(data)
    for other in (data + b"\n", b" " + data, data.removesuffix(b"\n") + b" "):
        with pytest.raises(DeconflictError):
            Invitation.parse(other)


def test_any_changed_byte_is_refused() -> None:
    data = invite().export().removesuffix(b"\n")
    for place in range(len(data)):
        changed = bytearray(data)
        changed[place] ^= 1
        with pytest.raises(DeconflictError):
            Invitation.parse(bytes(changed))


def test_an_altered_field_breaks_the_signature() -> None:
    with pytest.raises(BadSignatureError):
        Invitation.parse(altered(lambda d: d.update(party="green"), sign=False))


def test_a_signature_made_for_another_purpose_is_refused() -> None:
    document = json.loads(invite().export())
    del document["signature"]
    made = KEY.sign(b"deconflict/1 envelope\n", canonical_bytes(document))
    document["signature"] = base64.b64encode(made).decode()
    with pytest.raises(BadSignatureError):
        Invitation.parse(canonical_bytes(document))


def test_a_small_order_key_is_refused() -> None:
    neutral = base64.b64encode(bytes([1] + [0] * 31)).decode()
    with pytest.raises(WeakKeyError):
        Invitation.parse(altered(lambda d: d.update(verify_key=neutral)))


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.pop("party"),
        lambda d: d.update(colour="blue"),
        lambda d: d.update(v=2),
        lambda d: d.update(v="1"),
        lambda d: d.update(format="deconflict-key"),
        lambda d: d.update(party="Red"),
        lambda d: d.update(desks=[]),
        lambda d: d.update(desks=["watch"] * 9),
        lambda d: d.update(desks=["a b"]),
        lambda d: d.update(urls=[]),
        lambda d: d.update(urls=["https://red.example"] * 5),
        lambda d: d.update(urls=["http://red.example"]),
        lambda d: d.update(urls=["https://red.example/%0d%0a"]),
        lambda d: d.update(tls_spki_sha256="A" * 64),
        lambda d: d.update(tls_spki_sha256="a" * 63),
        lambda d: d.update(created_utc="yesterday"),
        lambda d: d.update(created_utc="2026-11-18T12:00:00+01:00"),
        lambda d: d.update(signature="*"),
    ],
)
def test_a_field_of_another_form_is_refused(change: Callable[[dict[str, Any]], None]) -> None:
    with pytest.raises(InvalidDocumentError):
        Invitation.parse(altered(change))


@pytest.mark.parametrize("root", ["", "no certificate", ROOT_PEM + ROOT_PEM, "\n" + ROOT_PEM])
def test_what_is_no_tls_root_is_refused(root: str) -> None:
    with pytest.raises(VerificationError, match="TLS root"):
        Invitation.parse(altered(lambda d: d.update(tls_root=root)))


def test_a_key_twice_is_refused() -> None:
    data = invite().export().replace(b'{"created', b'{"party":"green","created', 1)
    with pytest.raises(InvalidDocumentError, match="twice"):
        Invitation.parse(data)


def test_another_spelling_is_refused() -> None:
    document = json.loads(invite().export())
    with pytest.raises(NotCanonicalError):
        Invitation.parse(json.dumps(document).encode())
    # 43 digits of base64 hold 258 bits: four spellings decode to the same 256.
    spelled = re.sub(
        rb'"verify_key":"(.{42})(.)="',
        lambda m: b'"verify_key":"%s%c="' % (m[1], m[2][0] + 1),
        invite().export(),
    )
    assert spelled != invite().export()
    with pytest.raises(VerificationError):
        Invitation.parse(spelled)


@pytest.mark.parametrize(
    "data", [b"", b"null", b"[]", b"{}", b"\xff", b"[" * 5_000, b" " * (MAX_INVITATION_BYTES + 1)]
)
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises((InvalidDocumentError, NotCanonicalError)):
        Invitation.parse(data)


def test_the_fingerprint_that_was_heard_pins_the_peer(book: PeerBook) -> None:
    pinned = book.pin(invite(), KEY.verify_key.fingerprint())
    assert book.list() == (pinned,)
    assert book.get("red") == pinned
    assert book.party_by_spki("a" * 64) == "red"
    assert pinned.url == "https://red.example:8443"


def test_both_parties_derive_the_same_line(book: PeerBook) -> None:
    pinned = book.pin(invite(), KEY.key_id)
    own = SigningKey.from_seed(b"b" * 32)
    assert pinned.line_id == line_id("red", KEY.key_id, "blue", own.key_id)


@pytest.mark.parametrize(
    "heard",
    [
        "",
        KEY.verify_key.fingerprint()[:-1],
        KEY.verify_key.fingerprint()[:11],
        KEY.key_id[:32],
        SigningKey.from_seed(b"c" * 32).verify_key.fingerprint(),
    ],
)
def test_another_fingerprint_pins_nobody(heard: str, book: PeerBook, tmp_path: Path) -> None:
    with pytest.raises((WrongSenderError, InvalidInputError), match="fingerprint"):
        book.pin(invite(), heard)
    assert list(tmp_path.iterdir()) == []


def test_a_fingerprint_may_be_typed_with_hyphens(book: PeerBook) -> None:
    book.pin(invite(), KEY.verify_key.fingerprint().replace(" ", "-"))


def test_our_own_invitation_is_refused(book: PeerBook) -> None:
    own = SigningKey.from_seed(b"b" * 32)
    for invitation in (
        invite("blue"),
        invite("red", own),
        invite("red", spki="b" * 64),
    ):
        with pytest.raises(WrongSenderError, match="our own"):
            book.pin(invitation, invitation.verify_key.key_id)


def test_a_key_pinned_for_one_party_is_refused_for_another(book: PeerBook) -> None:
    book.pin(invite(), KEY.key_id)
    other = SigningKey.from_seed(b"c" * 32)
    for invitation in (invite("green", spki="c" * 64), invite("green", other)):
        with pytest.raises(WrongSenderError, match="already pinned for red"):
            book.pin(invitation, invitation.verify_key.key_id)
    assert [peer.party for peer in book.list()] == ["red"]


def test_a_party_pinned_with_one_key_is_refused_with_another(book: PeerBook) -> None:
    book.pin(invite(), KEY.key_id)
    other = SigningKey.from_seed(b"c" * 32)
    with pytest.raises(WrongSenderError, match="already pinned, with another key"):
        book.pin(invite(key=other), other.key_id)
    book.remove("red")
    book.pin(invite(key=other), other.key_id)


def test_a_newer_invitation_replaces_and_an_older_one_does_not(book: PeerBook) -> None:
    book.pin(invite(), KEY.key_id)
    book.pin(invite(spki="d" * 64, now_utc_ms=NOW_MS + 1), KEY.key_id)
    assert book.party_by_spki("a" * 64) is None
    assert book.party_by_spki("d" * 64) == "red"
    with pytest.raises(VerificationError, match="older"):
        book.pin(invite(), KEY.key_id)


def test_a_removed_peer_is_gone(book: PeerBook, tmp_path: Path) -> None:
    book.pin(invite(), KEY.key_id)
    book.remove("red")
    assert book.list() == ()
    assert book.party_by_spki("a" * 64) is None
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(NotFoundError):
        book.remove("red")
    with pytest.raises(NotFoundError):
        book.remove("../red")


def test_a_peer_pinned_elsewhere_counts_after_reload(book: PeerBook, tmp_path: Path) -> None:
    own = SigningKey.from_seed(b"b" * 32).verify_key
    PeerBook(tmp_path, "blue", own, "b" * 64).pin(invite(), KEY.key_id)
    assert book.list() == ()
    book.reload()
    assert [peer.party for peer in book.list()] == ["red"]


def test_a_changed_file_of_a_pinned_peer_is_refused_and_the_book_stays(
    book: PeerBook, tmp_path: Path
) -> None:
    book.pin(invite(), KEY.key_id)
    file = tmp_path / "red.json"
    good = file.read_bytes()
    file.write_bytes(good.replace(b"red.example", b"bad.example"))
    with pytest.raises(ConfigurationError, match=r"red\.json"):
        book.reload()
    assert [peer.party for peer in book.list()] == ["red"]
    file.write_bytes(good)
    file.rename(tmp_path / "green.json")
    with pytest.raises(ConfigurationError, match="another party"):
        book.reload()
