"""The exported record: what it proves, and that nothing in it can be changed unseen."""

import base64
import hashlib
import json
from collections.abc import Callable, Iterator

import pytest
from msgspec.structs import replace

from deconflict.errors import (
    BadSignatureError,
    BrokenChainError,
    DeconflictError,
    ForkedChainError,
    InvalidDocumentError,
    NotCanonicalError,
    NotFoundError,
    UnknownKeyError,
    VerificationError,
    WrongLineError,
    WrongSenderError,
)
from deconflict.line.canonical import canonical_bytes
from deconflict.line.keys import SigningKey, VerifyKey
from deconflict.line.statement import ChainPoint
from deconflict.node.bundle import export_bundle
from deconflict.node.bundle_lines import CONTEXT_BUNDLE, MAX_BUNDLE_LINE_BYTES
from deconflict.node.bundle_proof import verify_bundle
from deconflict.node.bundle_verified import VerifiedBundle
from deconflict.store.base import Batch, EntryRow
from deconflict.store.sqlite import SqliteStore
from record_samples import (
    KEYS,
    LINE,
    LINE_ROW,
    SECRETS,
    START_MS,
    Chain,
    checkpoints_over,
    conversation,
    evidence_of,
    receipt_for,
    terms_signed_by,
)

REFUSALS = (VerificationError, InvalidDocumentError)


@pytest.fixture
def store() -> Iterator[SqliteStore]:
    with SqliteStore.open(":memory:") as opened:
        yield opened


def exported(store: SqliteStore) -> bytes:
    return b"".join(
        export_bundle(
            store, LINE, signer=SECRETS["blue"], peer_key=KEYS["red"], exported_utc_ms=START_MS
        )
    )


def bundle_of(said: Batch) -> bytes:
    with SqliteStore.open(":memory:") as store:
        store.commit(said)
        return exported(store)


def verified(bundle: bytes) -> VerifiedBundle:
    return verify_bundle([bundle], KEYS)


def resealed(bundle: bytes, change: Callable[[list[dict]], object]) -> bytes:
    """The bundle with its lines changed and a correct seal by its exporter: a lying exporter."""
    items = [json.loads(line) for line in bundle.splitlines()]
    seal = items.pop()
    change(items)
    body = b"".join(canonical_bytes(item) + b"\n" for item in items)
    digest = hashlib.sha256(body)
    seal["sha256"] = digest.hexdigest()
    signature = SECRETS["blue"].sign(CONTEXT_BUNDLE, digest.digest())
    seal["signature"] = base64.b64encode(signature).decode()
    return body + canonical_bytes(seal) + b"\n"


def entries_of(items: list[dict], party: str) -> list[dict]:
    return [item for item in items if item["type"] == "entry" and item["party"] == party]


def test_it_says_who_said_how_much_and_what_is_proven_to_have_arrived() -> None:
    said = conversation(6)
    report = verified(bundle_of(said))
    blue, red = report.chains
    fifth, last = said.entries[4], said.entries[5]
    assert (report.line_id, report.by, report.evidence) == (LINE, "blue", 1)
    assert report.exported_utc == "2015-09-30T00:00:00.000Z"
    assert (blue.party, blue.length, blue.unreceipted) == ("blue", 6, 1)
    assert blue.head == ChainPoint(last.epoch, 6, last.hash)
    assert blue.receipted == ChainPoint(fifth.epoch, 5, fifth.hash)
    assert (red.party, red.key_id, red.length) == ("red", KEYS["red"].key_id, 6)
    assert [(c.checkpoints, c.cosigned, c.cosigned_utc) for c in report.chains] == [
        (2, 5, "2015-09-30T00:00:05.000Z")
    ] * 2
    assert report.agreed_terms == (said.terms[0].terms_hash,)
    assert report.one_sided_terms == ()


def test_an_empty_record_verifies() -> None:
    report = verified(bundle_of(Batch(lines=[LINE_ROW])))
    assert [(chain.length, chain.head, chain.receipted) for chain in report.chains] == [
        (0, None, None)
    ] * 2


def test_drills_and_late_entries_are_counted() -> None:
    chain = Chain("blue")
    entries = [chain.say(), chain.say(drill=True), replace(chain.say(drill=True), delayed=True)]
    blue, _ = verified(bundle_of(Batch(lines=[LINE_ROW], entries=entries))).chains
    assert (blue.drills, blue.delayed) == (2, 1)


def test_a_citation_counts_as_a_receipt() -> None:
    blue, red = Chain("blue"), Chain("red", "d" * 32)
    first, second = blue.say(), blue.say()
    answer = red.say(heard=ChainPoint(first.epoch, 1, first.hash))
    said = Batch(lines=[LINE_ROW], entries=[first, second, answer])
    chain, _ = verified(bundle_of(said)).chains
    assert chain.receipted == ChainPoint(first.epoch, 1, first.hash)
    assert chain.unreceipted == 1


def test_terms_signed_by_one_are_not_agreed() -> None:
    report = verified(bundle_of(Batch(lines=[LINE_ROW], terms=[terms_signed_by("red")])))
    assert report.agreed_terms == ()
    assert report.one_sided_terms == (terms_signed_by("red").terms_hash,)


def two_epochs(behind: int) -> tuple[list[EntryRow], list[EntryRow]]:
    """Three entries, and a fresh epoch behind one of them."""
    old, fresh = list(Chain("blue").say_many(3)), Chain("blue", "a" * 32)
    return old, [fresh.open(old[behind - 1]), fresh.say()]


def test_several_epochs_count_as_one_chain() -> None:
    old, new = two_epochs(behind=3)
    said = Batch(lines=[LINE_ROW], entries=[*old, *new], receipts=[receipt_for(new[0])])
    blue, _ = verified(bundle_of(said)).chains
    assert (blue.length, blue.unreceipted, blue.epochs, blue.left_behind) == (5, 1, 2, 0)
    assert blue.head == ChainPoint("a" * 32, 2, new[1].hash)


def test_what_a_fresh_epoch_leaves_behind_is_counted_apart() -> None:
    old, new = two_epochs(behind=2)
    receipts = [receipt_for(old[1]), receipt_for(new[0])]
    said = Batch(lines=[LINE_ROW], entries=[*old, *new], receipts=receipts)
    blue, _ = verified(bundle_of(said)).chains
    assert (blue.length, blue.unreceipted, blue.left_behind) == (5, 1, 1)


def test_no_epoch_leaves_behind_what_the_other_side_held() -> None:
    old, new = two_epochs(behind=2)
    red = Chain("red", "d" * 32).say(heard=ChainPoint(old[2].epoch, 3, old[2].hash))
    for said in (
        Batch(lines=[LINE_ROW], entries=[*old, *new], receipts=[receipt_for(old[2])]),
        Batch(lines=[LINE_ROW], entries=[*old, *new], checkpoints=checkpoints_over(old, 3)),
    ):
        with pytest.raises(BrokenChainError, match="leaves behind"):
            verified(bundle_of(said))
    report = verified(bundle_of(Batch(lines=[LINE_ROW], entries=[*old, *new, red])))
    assert [(one.cited.seq, one.left_behind) for one in report.unfound] == [(3, True)]


def test_an_epoch_that_follows_nothing_of_the_record_is_found() -> None:
    old, elsewhere = list(Chain("blue").say_many(3)), Chain("blue", "b" * 32).say()
    for fresh in (
        Chain("blue", "a" * 32).open(elsewhere),
        Chain("blue", "a" * 32).say("no entry that opens an epoch"),
    ):
        with pytest.raises(BrokenChainError, match="another epoch"):
            verified(bundle_of(Batch(lines=[LINE_ROW], entries=[*old, fresh])))
    alone = Chain("blue", "a" * 32).open(old[0])
    with pytest.raises(BrokenChainError, match="lacks"):
        verified(bundle_of(Batch(lines=[LINE_ROW], entries=[alone])))


def test_an_own_entry_still_unsigned_is_signed_on_the_way_out() -> None:
    said = conversation(2)
    blank = replace(said.entries[1], signature=None)
    entries = [said.entries[0], blank, *said.entries[2:]]
    assert bundle_of(replace(said, entries=entries)) == bundle_of(said)


def test_what_comes_during_the_export_waits_for_the_next_one(store: SqliteStore) -> None:
    blue, red = Chain("blue"), Chain("red", "d" * 32)
    store.commit(Batch(lines=[LINE_ROW], entries=[blue.say(), red.say()]))
    lines = export_bundle(
        store, LINE, signer=SECRETS["blue"], peer_key=KEYS["red"], exported_utc_ms=START_MS
    )
    first_lines = [next(lines), next(lines)]  # manifest, blue's entry
    later = blue.say()
    heard = ChainPoint(later.epoch, later.seq, later.hash)
    store.commit(Batch(entries=[later, red.say(heard=heard)], receipts=[receipt_for(later)]))
    report = verify_bundle([*first_lines, *lines], KEYS)
    assert [chain.length for chain in report.chains] == [1, 1]


def test_an_unknown_line_is_not_exported(store: SqliteStore) -> None:
    with pytest.raises(NotFoundError):
        exported(store)


def test_it_may_come_in_any_pieces() -> None:
    bundle = bundle_of(conversation(3))
    for size in (1, 7, 1_000):
        pieces = [bundle[at : at + size] for at in range(0, len(bundle), size)]
        assert verify_bundle(pieces, KEYS) == verified(bundle)


def test_it_is_checked_against_the_keys_the_reader_trusts() -> None:
    bundle = bundle_of(conversation(1))
    stranger = SigningKey.from_seed(b"x" * 32).verify_key
    trusts: list[dict[str, VerifyKey]] = [{}, {"blue": KEYS["blue"]}, {**KEYS, "red": stranger}]
    for trusted in trusts:
        with pytest.raises(UnknownKeyError, match="not the one you trust"):
            verify_bundle([bundle], trusted)


def test_whoever_seals_it_anew_with_another_key_is_found() -> None:
    bundle = bundle_of(conversation(1))
    stranger = SigningKey.from_seed(b"x" * 32)
    *lines, seal = bundle.splitlines(keepends=True)
    item = json.loads(seal)
    item["key_id"] = stranger.key_id
    item["signature"] = base64.b64encode(
        stranger.sign(CONTEXT_BUNDLE, bytes.fromhex(item["sha256"]))
    ).decode()
    with pytest.raises(UnknownKeyError):
        verify_bundle([*lines, canonical_bytes(item) + b"\n"], KEYS)


def drop_blues_last(items: list[dict]) -> None:
    items.remove(entries_of(items, "blue")[-1])


def drop_blues_receipted(items: list[dict]) -> None:
    for item in entries_of(items, "blue")[-2:]:
        items.remove(item)


def drop_first(items: list[dict]) -> None:
    items.remove(entries_of(items, "blue")[0])


def say_twice(items: list[dict]) -> None:
    first = entries_of(items, "blue")[0]
    other = Chain("blue").say("another beginning")
    assert other.signature is not None
    items.insert(
        items.index(first) + 1,
        first
        | {
            "data": base64.b64encode(other.data).decode(),
            "signature": base64.b64encode(other.signature).decode(),
        },
    )


def swap_two(items: list[dict]) -> None:
    at = items.index(entries_of(items, "blue")[1])
    items[at], items[at + 1] = items[at + 1], items[at]


def swap_authors(items: list[dict]) -> None:
    entries_of(items, "blue")[0]["party"] = "red"


def another_signature(items: list[dict]) -> None:
    one, two = entries_of(items, "blue")[:2]
    one["signature"] = two["signature"]


def another_author(items: list[dict]) -> None:
    entries_of(items, "blue")[0]["party"] = "green"


def another_line(items: list[dict]) -> None:
    items[0]["line"] = "0" * 32


def a_third_exporter(items: list[dict]) -> None:
    items[0]["by"] = "green"


def a_receipt_as_an_entry(items: list[dict]) -> None:
    receipt = next(item for item in items if item["type"] == "receipt")
    entries_of(items, "blue")[0]["data"] = receipt["data"]


def terms_of_another_signer(items: list[dict]) -> None:
    terms = next(item for item in items if item["type"] == "terms")
    terms["party"] = "red"


def evidence_before_entries(items: list[dict]) -> None:
    items.insert(1, items.pop())


def a_second_manifest(items: list[dict]) -> None:
    items.insert(1, items[0])


def checkpoint_of(items: list[dict]) -> dict:
    return next(item for item in items if item["type"] == "checkpoint")


def altered_note(items: list[dict], before: str, after: str) -> None:
    item = checkpoint_of(items)
    note = base64.b64decode(item["note"]).decode()
    assert before in note
    item["note"] = base64.b64encode(note.replace(before, after, 1).encode()).decode()


def a_checkpoint_of_another_size(items: list[dict]) -> None:
    altered_note(items, "\n1\n", "\n2\n")


def a_checkpoint_of_a_stranger(items: list[dict]) -> None:
    altered_note(items, "/blue/", "/green/")


def a_checkpoint_that_nobody_cosigned(items: list[dict]) -> None:
    altered_note(items, "— red ", "— green ")


def checkpoints_out_of_order(items: list[dict]) -> None:
    at = items.index(checkpoint_of(items))
    items[at], items[at + 1] = items[at + 1], items[at]


def a_checkpoint_among_the_receipts(items: list[dict]) -> None:
    receipt = next(item for item in items if item["type"] == "receipt")
    items.insert(items.index(receipt), checkpoint_of(items))


def an_unknown_item(items: list[dict]) -> None:
    items.append({"type": "remark", "text": "trust me"})


def an_unknown_field(items: list[dict]) -> None:
    items[0]["note"] = "trust me"


@pytest.mark.parametrize(
    ("lie", "error"),
    [
        (drop_blues_receipted, BrokenChainError),
        (drop_first, BrokenChainError),
        (say_twice, ForkedChainError),
        (swap_two, BrokenChainError),
        (swap_authors, UnknownKeyError),
        (another_signature, BadSignatureError),
        (another_author, WrongSenderError),
        (another_line, WrongLineError),
        (a_third_exporter, InvalidDocumentError),
        (a_receipt_as_an_entry, BadSignatureError),
        (terms_of_another_signer, UnknownKeyError),
        (evidence_before_entries, InvalidDocumentError),
        (a_second_manifest, InvalidDocumentError),
        (a_checkpoint_of_another_size, BadSignatureError),
        (a_checkpoint_of_a_stranger, WrongSenderError),
        (a_checkpoint_that_nobody_cosigned, UnknownKeyError),
        (checkpoints_out_of_order, InvalidDocumentError),
        (a_checkpoint_among_the_receipts, InvalidDocumentError),
        (an_unknown_item, InvalidDocumentError),
        (an_unknown_field, InvalidDocumentError),
    ],
)
def test_a_lying_exporter_is_found(
    lie: Callable[[list[dict]], None], error: type[DeconflictError]
) -> None:
    with pytest.raises(error):
        verified(resealed(bundle_of(conversation(6)), lie))


@pytest.mark.parametrize("line", [2, 4, 7])
def test_a_refusal_says_in_which_line_of_the_file_it_arose(line: int) -> None:
    def forge(items: list[dict]) -> None:
        items[line - 1]["signature"] = base64.b64encode(bytes(64)).decode()

    with pytest.raises(BadSignatureError, match=f"^line {line} of the bundle: "):
        verified(resealed(bundle_of(conversation(6)), forge))


def test_an_exporter_can_leave_out_only_what_nobody_has_receipted() -> None:
    """The limit of one side's bundle: what was not receipted can be missing from it."""
    blue, _ = verified(resealed(bundle_of(conversation(6)), drop_blues_last)).chains
    assert (blue.length, blue.unreceipted) == (5, 0)


def cosigned_by_both(entries: list[EntryRow]) -> Batch:
    """A record without a receipt, of which only a checkpoint tells how long it was."""
    said = list(Chain("red", "d" * 32).say_many(2))
    return Batch(
        lines=[LINE_ROW],
        entries=[*entries, *said],
        checkpoints=[*checkpoints_over(entries, len(entries)), *checkpoints_over(said, 2)],
    )


@pytest.mark.parametrize("party", ["blue", "red"])
def test_a_last_part_that_was_cosigned_cannot_be_left_out(party: str) -> None:
    bundle = bundle_of(cosigned_by_both(list(Chain("blue").say_many(4))))
    assert [chain.unreceipted for chain in verified(bundle).chains] == [0, 0]

    def shorten(items: list[dict]) -> None:
        items.remove(entries_of(items, party)[-1])

    with pytest.raises(BrokenChainError, match="of which the record lacks 1"):
        verified(resealed(bundle, shorten))


def test_another_chain_than_the_one_cosigned_is_found() -> None:
    """Both signed a checkpoint, and later one of them brings another chain of good signatures."""
    said = list(Chain("blue").say_many(3))
    rewritten = Chain("blue")
    other = [*rewritten.say_many(2), rewritten.say("what suits better now")]
    shown = cosigned_by_both(other)
    lie = replace(shown, checkpoints=checkpoints_over(said, 3))
    with pytest.raises(ForkedChainError, match="another record of blue's first 3"):
        verified(bundle_of(lie))


def test_checkpoints_of_several_epochs_are_of_each_epoch() -> None:
    old, new = two_epochs(behind=3)
    both = [*checkpoints_over(old, 2, 3), *checkpoints_over(new, 1)]
    said = Batch(lines=[LINE_ROW], entries=[*old, *new], checkpoints=both)
    blue, _ = verified(bundle_of(said)).chains
    assert (blue.cosigned, blue.checkpoints, blue.unreceipted) == (4, 3, 1)


def cites(point: ChainPoint) -> list[EntryRow]:
    blue, red = Chain("blue"), Chain("red", "d" * 32)
    return [blue.say(), red.say(heard=point)]


def never_said() -> list[ChainPoint]:
    other = Chain("blue").say("said to red only")
    return [
        ChainPoint(other.epoch, 1, other.hash),
        ChainPoint(other.epoch, 2, other.hash),
        ChainPoint("f" * 32, 1, other.hash),
    ]


@pytest.mark.parametrize("point", never_said())
def test_a_peer_that_cites_what_was_never_said_is_named_and_the_rest_is_proven(
    point: ChainPoint,
) -> None:
    entries = cites(point)
    honest = verified(bundle_of(Batch(lines=[LINE_ROW], entries=cites_nothing())))
    report = verified(bundle_of(Batch(lines=[LINE_ROW], entries=entries)))
    (found,) = report.unfound
    assert (found.party, found.citing.hash, found.cited) == ("red", entries[1].hash, point)
    assert (found.line_number, found.left_behind) == (3, False)
    assert [chain.length for chain in report.chains] == [1, 1]
    # A false citation is no receipt: it proves nothing of what red holds.
    assert report.chains[0] == honest.chains[0]
    assert report.chains[0].unreceipted == 1


def cites_nothing() -> list[EntryRow]:
    return [Chain("blue").say(), Chain("red", "d" * 32).say()]


@pytest.mark.parametrize("point", never_said())
def test_an_exporter_whose_own_record_lacks_what_it_cites_is_refused(point: ChainPoint) -> None:
    line = replace(LINE_ROW, own_party="red", peer_party="blue")
    with SqliteStore.open(":memory:") as store:
        store.commit(Batch(lines=[line], entries=cites(point)))
        bundle = b"".join(
            export_bundle(
                store, LINE, signer=SECRETS["red"], peer_key=KEYS["blue"], exported_utc_ms=START_MS
            )
        )
    with pytest.raises((BrokenChainError, ForkedChainError), match=r"^line 3 of the bundle: "):
        verified(bundle)


def test_a_false_citation_repeated_is_one_finding_until_another_follows() -> None:
    blue, red = Chain("blue"), Chain("red", "d" * 32)
    false, other, _ = never_said()
    said = [blue.say(), *(red.say(heard=point) for point in (false, false, other, false))]
    report = verified(bundle_of(Batch(lines=[LINE_ROW], entries=said)))
    assert [(one.citing.seq, one.cited) for one in report.unfound] == [
        (1, false),
        (3, other),
        (4, false),
    ]


def test_a_forged_receipt_is_found() -> None:
    def receipt_of(items: list[dict]) -> dict:
        return next(item for item in items if item["type"] == "receipt")

    def with_the_authors_own_key(items: list[dict]) -> None:
        item = receipt_of(items)
        item["key_id"] = KEYS["blue"].key_id
        signature = SECRETS["blue"].sign(b"deconflict/1 receipt\n", base64.b64decode(item["data"]))
        item["signature"] = base64.b64encode(signature).decode()

    def with_no_known_key(items: list[dict]) -> None:
        receipt_of(items)["key_id"] = "0" * 64

    for forge, error in (
        (with_the_authors_own_key, WrongSenderError),
        (with_no_known_key, UnknownKeyError),
    ):
        with pytest.raises(error):
            verified(resealed(bundle_of(conversation(6)), forge))


@pytest.mark.parametrize("damage", ["nothing", "no seal", "no newline", "more", "blank", "two"])
def test_a_bundle_that_is_not_whole_is_refused(damage: str) -> None:
    bundle = bundle_of(conversation(1))
    damaged = {
        "nothing": b"",
        "no seal": bundle[: bundle.rindex(b"\n", 0, -1) + 1],
        "no newline": bundle[:-1],
        "more": bundle + b"{}\n",
        "blank": bundle + b"\n",
        "two": bundle + bundle,
    }[damage]
    with pytest.raises(InvalidDocumentError):
        verified(damaged)


def test_another_spelling_of_the_same_values_is_refused() -> None:
    first, rest = bundle_of(conversation(1)).split(b"\n", 1)
    for spelled in (first.replace(b":", b": ", 1), first.replace(b"blue", b"\\u0062lue", 1)):
        with pytest.raises(NotCanonicalError, match="line 1"):
            verified(spelled + b"\n" + rest)


def test_a_line_without_end_is_given_up_early() -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(MAX_BUNDLE_LINE_BYTES // 1_000_000 + 2):
            yield b"x" * 1_000_000
        raise AssertionError("read on")

    with pytest.raises(InvalidDocumentError, match="too long"):
        verify_bundle(endless(), KEYS)


def test_evidence_of_any_size_a_peer_can_send_fits() -> None:
    said = Batch(lines=[LINE_ROW], evidence=[evidence_of(b"x" * 8 * 1_024 * 1_024)])
    assert verified(bundle_of(said)).evidence == 1


def test_every_changed_byte_of_a_small_bundle_is_found() -> None:
    said = conversation(1)
    bundle = bundle_of(replace(said, receipts=[receipt_for(said.entries[0])]))
    for at in range(len(bundle)):
        changed = bytearray(bundle)
        changed[at] ^= 1 << at % 8
        with pytest.raises(REFUSALS):
            verified(bytes(changed))
