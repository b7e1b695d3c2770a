"""``deconflict verify`` of a message alone and of a fork: words, facts and exit codes."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import deconflict.cli.record as record_module
from deconflict.cli import main
from deconflict.line.statement import ChainPoint
from deconflict.node.bundle import export_bundle
from deconflict.node.disclosure import disclose
from deconflict.node.equivocation import equivocation_of
from deconflict.node.proof_lines import encode_proof_file
from deconflict.store.base import Batch, EntryRow, EvidenceRow
from deconflict.store.sqlite import SqliteStore
from record_samples import KEYS, LINE, LINE_ROW, SECRETS, START_MS, Chain, conversation


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A message alone and a fork, as a node writes them."""
    red = Chain("red", "d" * 32)
    red.seq, red.prev = 0, "0" * 64
    fork: EntryRow = red.say("what I say to others")
    kept = EvidenceRow(
        LINE, "fork", fork.hash, fork.data, "Ed25519", fork.key_id, fork.signature or b"", START_MS
    )
    with SqliteStore.open(":memory:") as store:
        said = conversation(6)
        store.commit(said)
        store.commit(Batch(evidence=[kept]))
        alone = disclose(
            store, LINE, said.entries[3].hash, signer=SECRETS["blue"], peer_key=KEYS["red"]
        )
        (tmp_path / "message").write_bytes(encode_proof_file(alone))
        found = equivocation_of(store, LINE, "red", KEYS["red"])
        (tmp_path / "fork").write_bytes(encode_proof_file(found))
    return tmp_path


def verify(
    monkeypatch: pytest.MonkeyPatch, file: Path, *parties: str, as_json: bool = False
) -> Result:
    trusted = {party: KEYS[party] for party in parties}
    monkeypatch.setattr(record_module, "read_keys", lambda _: trusted)
    monkeypatch.setattr(record_module, "read_roots", lambda _: {})
    more = ["--json"] if as_json else []
    return CliRunner().invoke(main, ["verify", str(file), "--key", "x=y", *more])


def test_a_message_alone_is_told_in_words(monkeypatch: pytest.MonkeyPatch, files: Path) -> None:
    told = verify(monkeypatch, files / "message", "blue", "red")
    assert told.exit_code == 0
    assert told.output.startswith("VERIFIED")
    assert "blue signed this message to red as number 4 of its log" in told.output
    assert "flight 3 steady" in told.output  # a body of no known form is shown as it stands
    facts = json.loads(verify(monkeypatch, files / "message", "blue", "red", as_json=True).output)
    assert (facts["party"], facts["size"], facts["envelope"]["seq"]) == ("blue", 5, 4)


def test_a_fork_is_told_with_the_one_key_it_needs(
    monkeypatch: pytest.MonkeyPatch, files: Path
) -> None:
    told = verify(monkeypatch, files / "fork", "red")
    assert told.exit_code == 0
    assert "red signed two different messages as number 1 of its log." in told.output
    facts = json.loads(verify(monkeypatch, files / "fork", "red", as_json=True).output)
    assert (facts["party"], facts["what"], facts["number"]) == ("red", "messages", 1)


@pytest.mark.parametrize("name", ["message", "fork"])
def test_an_altered_file_is_not_verified(
    monkeypatch: pytest.MonkeyPatch, files: Path, name: str
) -> None:
    data = (files / name).read_bytes()
    at = data.index(b'"signature":"') + 20
    (files / name).write_bytes(
        data[:at] + (b"A" if data[at : at + 1] != b"A" else b"B") + data[at + 1 :]
    )
    told = verify(monkeypatch, files / name, "blue", "red")
    assert told.exit_code == 1
    assert "NOT VERIFIED" in told.output


def test_a_key_too_few_is_wrong_use_and_says_whose(
    monkeypatch: pytest.MonkeyPatch, files: Path
) -> None:
    for name, given, missing in (("message", "blue", "red"), ("fork", "blue", "red")):
        told = verify(monkeypatch, files / name, given)
        assert told.exit_code == 2
        assert f"the key of {missing} is needed as well" in told.output


def test_a_file_that_is_neither_is_not_verified(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for content in (b"", b"{}\n", b'{"type":"disclosure"}\n', b"\xff" * 400_000):
        (tmp_path / "file").write_bytes(content)
        assert verify(monkeypatch, tmp_path / "file", "blue", "red").exit_code == 1


def test_a_false_citation_of_the_peer_is_a_finding_beside_what_is_proven(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    blue, red = Chain("blue"), Chain("red", "d" * 32)
    false = ChainPoint("e" * 32, 7, "ab" * 32)
    with SqliteStore.open(":memory:") as store:
        said = [blue.say(), red.say(heard=false)]
        store.commit(Batch(lines=[LINE_ROW], entries=said))
        bundle = export_bundle(
            store, LINE, signer=SECRETS["blue"], peer_key=KEYS["red"], exported_utc_ms=START_MS
        )
        (tmp_path / "record").write_bytes(b"".join(bundle))
    told = verify(monkeypatch, tmp_path / "record", "blue", "red")
    assert told.exit_code == 1
    assert told.output.startswith("VERIFIED")
    assert "CITED, NOT SHOWN  red signed in its message 1" in told.output
    assert "holds message 7 (abababab" in told.output
    facts = json.loads(verify(monkeypatch, tmp_path / "record", "blue", "red", as_json=True).output)
    (found,) = facts["unfound"]
    assert (found["party"], found["cited"]["seq"], found["left_behind"]) == ("red", 7, False)
