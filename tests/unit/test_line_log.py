"""A whole chain verifies, or the first entry that does not is named."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from test_line_attacks import forged

from deconflict.errors import (
    BadSignatureError,
    BrokenChainError,
    ForkedChainError,
    InvalidDocumentError,
    UnknownKeyError,
    WrongLineError,
    WrongSenderError,
)
from deconflict.line.envelope import SealedEnvelope, seal_envelope
from deconflict.line.log import ChainCheck, verify_signatures
from deconflict.line.statement import ChainPoint
from line_talk import BLUE, LINE, RED, STRANGER, talk

KEYS = {BLUE.key_id: BLUE.verify_key}


@pytest.fixture(scope="module")
def chain() -> list[SealedEnvelope]:
    blue, _ = talk()
    return [blue.say() for _ in range(6)]


def head(entries: list[SealedEnvelope]) -> ChainPoint | None:
    check = ChainCheck(line=LINE, party="blue")
    for sealed in entries:
        verify_signatures((sealed,), KEYS)
        check.add(sealed)
    return check.head


def test_whole_chain_gives_its_head(chain: list[SealedEnvelope]) -> None:
    point = head(chain)
    assert point is not None
    assert (point.seq, point.hash) == (6, chain[-1].hash)
    assert head([]) is None


def test_signatures_are_checked_in_threads_apart_from_the_order(
    chain: list[SealedEnvelope],
) -> None:
    with ThreadPoolExecutor(2) as threads:
        counts = threads.map(lambda part: verify_signatures(part, KEYS), (chain[:3], chain[3:]))
        assert sum(counts) == 6
    check = ChainCheck(line=LINE, party="blue")
    for sealed in chain:
        check.add(sealed)
    assert check.head == head(chain)


def test_gap_swap_and_missing_start_break_the_chain(chain: list[SealedEnvelope]) -> None:
    for broken in (chain[1:], chain[:2] + chain[3:], [chain[0], chain[2], chain[1]]):
        with pytest.raises(BrokenChainError):
            head(broken)


def test_entry_rewritten_by_its_own_author_breaks_the_chain(chain: list[SealedEnvelope]) -> None:
    rewritten = [*chain[:2], forged(chain[2], drill=True), *chain[3:]]
    with pytest.raises(BrokenChainError):
        head(rewritten)


def test_second_entry_for_a_slot_is_a_fork_with_its_proof(chain: list[SealedEnvelope]) -> None:
    fork = forged(chain[2], drill=True)
    with pytest.raises(ForkedChainError) as caught:
        head([*chain[:3], fork])
    assert caught.value.evidence == (chain[2], fork)


def test_altered_entry_is_named_by_its_signature(chain: list[SealedEnvelope]) -> None:
    altered = SealedEnvelope(chain[2].data.replace(b"hello", b"hallo"), chain[2].signature)
    with pytest.raises(BadSignatureError) as caught:
        head([*chain[:2], altered])
    assert caught.value.evidence == (altered,)


def test_entries_of_others_do_not_belong(chain: list[SealedEnvelope]) -> None:
    sender = {"party": "green", "desk": "watch"}
    for alien, error in (
        (forged(chain[0], key=STRANGER), UnknownKeyError),
        (forged(chain[0], line="0" * 32), WrongLineError),
        (forged(chain[0], **{"from": sender}), WrongSenderError),
        (forged(chain[1], epoch="f" * 32), BrokenChainError),
    ):
        with pytest.raises(error):
            head([alien] if alien.data != chain[1].data else chain[:1])
        with pytest.raises(error):
            head([*chain[:1], alien] if error is BrokenChainError else [alien])


def test_signed_bytes_that_are_no_envelope_are_refused() -> None:
    with pytest.raises(InvalidDocumentError):
        head([seal_envelope(b"[" * 5_000, BLUE)])
    assert RED.key_id not in KEYS
