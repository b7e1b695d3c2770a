"""A third witness: what it answers to whom, and that it forgets nothing it cosigned."""

from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from deconflict.errors import (
    ConfigurationError,
    LineStateError,
    StoreBrokenError,
    StoreDamagedError,
    StoreSlotTakenError,
)
from deconflict.line.checkpoint import Checkpoint, Origin
from deconflict.line.keys import SigningKey
from deconflict.line.note import NoteKey, NoteKind, read_note
from deconflict.line.tlog_witness import AddCheckpoint, add_checkpoint_bytes, with_cosignature
from deconflict.line.witness import CosignedState
from deconflict.node.settings import Endpoint
from deconflict.node.witness.folder import WitnessSettings
from deconflict.node.witness.service import SIZE_TYPE, Answer, WitnessService
from deconflict.store import witness_ledger
from deconflict.store.witness_ledger import WitnessLedger
from line_talk import BLUE, LINE, RED, STRANGER
from witness_samples import BLUES, EPOCH, head, note, request, tree

NAME = "agency.example/w1"
KEY = SigningKey.from_seed(bytes(range(32)))
PINNED = NoteKey(NAME, NoteKind.WITNESS, KEY.verify_key)
TIME_S = 1_443_571_200


class Agency:
    """A witness on a disk of its own, with a clock that the test moves."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "ledger.sqlite"
        self.ledger = WitnessLedger.open(self.path, create=True)
        self.ledger.add_author(LINE, "blue", BLUE.verify_key, now_utc_ms=0)
        self.now_s = TIME_S

    def service(self, ledger: WitnessLedger | None = None) -> WitnessService:
        return WitnessService(ledger or self.ledger, name=NAME, key=KEY, now_s=lambda: self.now_s)

    def ask(self, body: bytes) -> Answer:
        return self.service().add_checkpoint(body)

    def restart(self) -> None:
        self.ledger.close()
        self.ledger = WitnessLedger.open(self.path)


@pytest.fixture
def agency(tmp_path: Path) -> Iterator[Agency]:
    made = Agency(tmp_path)
    yield made
    made.ledger.close()


def seen_s(answer: Answer, size: int, fork_at: int | None = None) -> int:
    """When the answer says that the witness saw this checkpoint; its signature must hold."""
    assert answer.status == 200, answer
    return with_cosignature(read_note(note(size, fork_at=fork_at)), answer.body, PINNED)[1]


def refused(answer: Answer, status: int) -> None:
    assert answer.status == status, answer
    assert "—".encode() not in answer.body  # no line of a signature


def test_a_chain_that_grows_is_cosigned_each_time(agency: Agency) -> None:
    old = 0
    for new in (1, 2, 3, 7, 8, 100, 1_000):
        agency.now_s += 1
        assert seen_s(agency.ask(request(old, new)), new) == agency.now_s
        old = new


def test_a_forked_chain_is_answered_422_and_never_signed(agency: Agency) -> None:
    agency.ask(request(0, 5))
    for forked in (
        request(5, 9, fork_at=4),
        request(5, 9, fork_at=0),
        request(5, 9, proof=()),
        request(5, 9, proof=tree(9, 4).consistency(9)),
    ):
        refused(agency.ask(forked), 422)
    kept = agency.ledger.kept(BLUES)
    assert kept is not None
    assert kept.head == head(5)
    assert seen_s(agency.ask(request(5, 9)), 9)  # the honest one goes on


def test_two_roots_of_one_length_are_answered_409_and_kept_as_evidence(agency: Agency) -> None:
    agency.ask(request(0, 5))
    answer = agency.ask(request(5, 5, fork_at=4))
    refused(answer, 409)
    (found,) = agency.ledger.contradictions()
    assert found.reason == "ForkedChainError"
    assert (found.note, found.kept) == (note(5, fork_at=4), note(5))
    agency.ask(request(5, 5, fork_at=4))
    assert agency.ledger.contradictions() == (found,)  # once


def test_an_old_size_that_is_not_the_one_kept_is_answered_with_the_one_kept(
    agency: Agency,
) -> None:
    assert agency.ask(request(3, 5)) == Answer(409, SIZE_TYPE, b"0\n")
    agency.ask(request(0, 5))
    for old, new in ((0, 9), (4, 9), (6, 9), (0, 5), (5, 4)):
        answer = agency.ask(request(old, new))
        if old > new:
            refused(answer, 400)
        else:
            assert answer == Answer(409, SIZE_TYPE, b"5\n")


def test_an_older_checkpoint_is_not_signed_again(agency: Agency) -> None:
    agency.ask(request(0, 3))
    agency.ask(request(3, 8))
    assert agency.ask(request(0, 3)) == Answer(409, SIZE_TYPE, b"8\n")
    assert agency.ask(request(3, 3)) == Answer(409, SIZE_TYPE, b"8\n")


def test_a_replay_is_answered_to_the_byte(agency: Agency) -> None:
    first = agency.ask(request(0, 5))
    agency.now_s += 1_000
    assert agency.ask(request(5, 5)) == first
    agency.restart()
    assert agency.ask(request(5, 5)) == first


def test_who_cannot_show_a_signed_checkpoint_learns_no_size(agency: Agency) -> None:
    agency.ask(request(0, 5))
    for key in (RED, STRANGER):
        refused(agency.ask(request(0, 9, key=key)), 403)
    unsigned = note(9).replace(b"blue/", b"blve/", 1)  # the text is another than was signed
    refused(agency.ask(add_checkpoint_bytes(AddCheckpoint(0, (), unsigned))), 404)
    torn = read_note(note(9))
    other = add_checkpoint_bytes(
        AddCheckpoint(0, (), read_note(note(8)).with_signature(torn.signatures[0]).to_bytes())
    )
    refused(agency.ask(other), 403)  # a signature of the author, over another text


def test_other_lines_parties_and_logs_are_answered_404(agency: Agency) -> None:
    for origin in (Origin("0" * 32, "blue", EPOCH), Origin(LINE, "red", EPOCH)):
        refused(agency.ask(request(0, 5, origin=origin)), 404)
    log = (
        b"old 0\n\nexample.com/log\n1\n" + b"A" * 43 + "=\n\n— example.com/log AAAAAQE=\n".encode()
    )
    refused(agency.ask(log), 404)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"old 0\n\n",
        b"old 0\n\nnot a note",
        request(0, 5)[:-1],
        request(0, 5) + b"x",
        request(0, 5).replace(b"\n5\n", b"\n05\n"),
        b"old 1\n" + b"A" * 43 + b"=\n" + request(1, 5)[6:] + b"\x00",
    ],
)
def test_what_is_no_request_is_answered_400(agency: Agency, body: bytes) -> None:
    answer = agency.ask(body)
    assert answer.status in (400, 404), answer
    refused(answer, answer.status)


def test_a_checkpoint_of_nothing_is_answered_400(agency: Agency) -> None:
    refused(agency.ask(request(0, 0)), 400)


def test_a_proof_too_long_is_refused(agency: Agency) -> None:
    agency.ask(request(0, 5))
    proof = tree(9, 5).consistency(9)
    refused(agency.ask(request(5, 9, proof=(*proof, bytes(32)))), 422)
    refused(agency.ask(request(5, 9, proof=(bytes(32),) * 63)), 422)
    with_64 = add_checkpoint_bytes(AddCheckpoint(5, (bytes(32),) * 64, note(9)))
    refused(agency.ask(with_64), 400)


def test_a_proof_where_nothing_is_to_be_proven_is_refused(agency: Agency) -> None:
    refused(agency.ask(request(0, 5, proof=(bytes(32),))), 422)
    agency.ask(request(0, 5))
    refused(agency.ask(request(5, 5, proof=(bytes(32),))), 422)


def test_signatures_of_others_on_a_checkpoint_are_not_looked_at(agency: Agency) -> None:
    torn = read_note(note(9))
    several = "".join(one.line().replace(BLUES.name, "example.com/x") for one in torn.signatures)
    body = add_checkpoint_bytes(AddCheckpoint(0, (), note(5) + several.encode()))
    assert seen_s(agency.ask(body), 5) == TIME_S
    kept = agency.ledger.kept(BLUES)
    assert kept is not None
    assert kept.note == note(5)  # and not kept


def test_each_epoch_is_a_chain_of_its_own(agency: Agency) -> None:
    agency.ask(request(0, 5))
    later = Origin(LINE, "blue", "b2" * 16)
    assert agency.ask(request(5, 6, origin=later)) == Answer(409, SIZE_TYPE, b"0\n")
    assert agency.ask(request(0, 2, origin=later)).status == 200
    assert [state.head.size for state in agency.ledger.chains()] == [5, 2]


def test_a_thief_of_a_revoked_key_gets_no_further_signature(agency: Agency) -> None:
    assert agency.ask(request(0, 5)).status == 200
    agency.ledger.add_author(
        LINE, "blue", STRANGER.verify_key, number=2, revokes=True, now_utc_ms=1
    )
    refused(agency.ask(request(5, 8)), 403)
    refused(agency.ask(request(0, 1, origin=Origin(LINE, "blue", "e" * 32))), 403)
    agency.ledger.add_author(LINE, "blue", BLUE.verify_key, now_utc_ms=2)  # told of it once more
    agency.restart()
    refused(agency.ask(request(5, 8)), 403)
    later = Origin(LINE, "blue", "b2" * 16)
    assert agency.ask(request(0, 2, key=STRANGER, origin=later)).status == 200
    assert [state.head.size for state in agency.ledger.chains()] == [5, 2]


def test_an_author_with_more_epochs_than_are_kept_is_refused(
    agency: Agency, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(witness_ledger, "MOST_CHAINS", 2)
    agency.ledger.add_author(LINE, "red", RED.verify_key, now_utc_ms=0)
    for number in range(2):
        assert (
            agency.ask(request(0, 1, origin=Origin(LINE, "blue", f"{number:032x}"))).status == 200
        )
    refused(agency.ask(request(0, 1, origin=Origin(LINE, "blue", "f" * 32))), 403)
    held = Origin(LINE, "blue", f"{0:032x}")
    assert agency.ask(request(1, 4, origin=held)).status == 200  # those held still grow
    assert agency.ask(request(0, 1, key=RED, origin=Origin(LINE, "red", EPOCH))).status == 200
    with pytest.raises(LineStateError):
        agency.ledger.keep(state_of(1, origin=Origin(LINE, "blue", "e" * 32)))


def state_of(size: int, previous: int = 0, *, origin: Origin = BLUES) -> CosignedState:
    return CosignedState(
        Checkpoint(origin, head(size)), note(size, origin=origin), TIME_S, previous
    )


def test_a_state_replaces_only_the_one_it_was_judged_against(agency: Agency) -> None:
    agency.ledger.keep(state_of(3))
    for state in (state_of(5), state_of(5, 2), state_of(5, 4)):
        with pytest.raises(StoreSlotTakenError):
            agency.ledger.keep(state)
    agency.ledger.keep(state_of(5, 3))
    with pytest.raises(StoreSlotTakenError):
        agency.ledger.keep(state_of(7, 3))
    assert agency.ledger.kept(BLUES) == state_of(5, 3)


def test_of_two_at_once_the_second_is_judged_against_the_first(agency: Agency) -> None:
    # The race of tlog-witness: A is judged, B comes in between and is cosigned, A is written.
    agency.ask(request(0, 1))

    class Between(WitnessLedger):
        """Lets somebody else's request in between the judgement and the write, once."""

        def keep(self, state: CosignedState) -> None:
            if state.head.size == 3:
                assert agency.ask(request(1, 5)).status == 200
            super().keep(state)

    other = Between.open(agency.path)
    try:
        answer = agency.service(other).add_checkpoint(request(1, 3))
    finally:
        other.close()
    assert answer == Answer(409, SIZE_TYPE, b"5\n")
    kept = agency.ledger.kept(BLUES)
    assert kept is not None
    assert kept.head == head(5)


def test_nothing_is_signed_that_is_not_durable(agency: Agency) -> None:
    class Failing(WitnessLedger):
        def keep(self, state: CosignedState) -> None:
            raise StoreBrokenError("the disk failed")

    failing = Failing.open(agency.path)
    try:
        with pytest.raises(StoreBrokenError):
            agency.service(failing).add_checkpoint(request(0, 5))
    finally:
        failing.close()
    assert agency.ledger.kept(BLUES) is None
    refused(agency.ask(request(5, 5, fork_at=2)), 409)  # nothing was said of five entries


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM chains",
        "UPDATE chains SET size = 4, previous_size = 5",
        "UPDATE chains SET size = 9, previous_size = 4",
        "UPDATE chains SET origin = 'x', size = 9, previous_size = 5",
        "INSERT INTO chains SELECT 'x', line_id, party, epoch, 9, 5, root, note, 0, row_check"
        " FROM chains",
    ],
)
def test_the_schema_itself_lets_nothing_shrink(agency: Agency, change: str) -> None:
    agency.ask(request(0, 5))
    connection = apsw.Connection(str(agency.path))
    try:
        with pytest.raises(apsw.ConstraintError):
            connection.execute(change)
    finally:
        connection.close()


def test_a_row_that_changed_by_accident_is_refused(agency: Agency) -> None:
    agency.ask(request(0, 5))
    connection = apsw.Connection(str(agency.path))
    connection.execute("DROP TRIGGER chains_grow; UPDATE chains SET cosigned_utc_s = 0")
    connection.close()
    with pytest.raises(StoreDamagedError):
        agency.ask(request(5, 9))


def test_a_file_that_is_no_ledger_is_refused(agency: Agency, tmp_path: Path) -> None:
    for content in (b"", b"not a database, but long enough to have a header" * 20):
        path = tmp_path / "other.sqlite"
        path.write_bytes(content)
        path.chmod(0o600)
        with pytest.raises(StoreDamagedError):
            WitnessLedger.open(path)


def test_a_ledger_that_cannot_be_opened_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "ledger"
    folder.mkdir()
    with pytest.raises(StoreBrokenError, match="CantOpenError"):
        WitnessLedger.open(folder)


def test_a_ledger_put_back_from_a_copy_signs_what_contradicts_and_that_is_proof(
    agency: Agency, tmp_path: Path
) -> None:
    # No witness without a memory outside its disk can know. What it proves must be said as it is.
    agency.ask(request(0, 3))
    agency.ledger.close()
    old = {file: file.read_bytes() for file in tmp_path.iterdir()}
    agency.ledger = WitnessLedger.open(agency.path)
    honest = agency.ask(request(3, 5))
    agency.ledger.close()
    for file in tmp_path.iterdir():
        file.unlink()
    for file, content in old.items():
        file.write_bytes(content)
    agency.ledger = WitnessLedger.open(agency.path)
    assert agency.ask(request(5, 6)) == Answer(409, SIZE_TYPE, b"3\n")  # its authors learn of it
    forked = agency.ask(request(3, 5, fork_at=4))
    assert seen_s(honest, 5) == TIME_S
    assert seen_s(forked, 5, fork_at=4) == TIME_S  # two roots of one size, both signed by it


@pytest.mark.parametrize(
    "name", ["", "Agency", "agency example", "agency+x", "/w1", "a" * 200, "agency/", "аgency"]
)
def test_a_name_that_no_note_can_carry_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError):
        WitnessSettings(name, Endpoint("127.0.0.1", 0))


def test_settings_of_a_witness_are_read_back_as_written() -> None:
    settings = WitnessSettings(NAME, Endpoint("0.0.0.0", 8444), "https://agency.example:8444")
    assert WitnessSettings.parse(settings.render()) == settings
    assert settings.hosts == ("agency.example",)
    for text in ("x", "name = 1", settings.render() + "more = 1\n"):
        with pytest.raises(ConfigurationError):
            WitnessSettings.parse(text)
