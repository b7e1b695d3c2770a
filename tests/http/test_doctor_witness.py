"""What the doctor says of a third witness: it answers, it knows the line, or why not."""

import socket
from dataclasses import replace
from pathlib import Path

import pytest
from door import make_folder, pin
from witness_door import HOST, WitnessDoor

from deconflict.node.doctor import OK, WARNING, WRONG, Check
from deconflict.node.doctor.witnesses import witness_checks
from deconflict.node.folder import NodeFolder
from deconflict.node.settings import ThirdWitness


@pytest.fixture
def blue(tmp_path: Path) -> NodeFolder:
    made, red = make_folder(tmp_path / "blue", "blue"), make_folder(tmp_path / "red", "red")
    pin(made, red)
    return made


def check(blue: NodeFolder, door: WitnessDoor, **changed: str) -> Check:
    plain = {"url": door.url, "trust": str(door.folder.root_path), **changed}
    witness = ThirdWitness(door.folder.note_key.to_text(), **plain)  # type: ignore[arg-type]
    settings = replace(blue.settings, witness=(witness,))
    (found,) = witness_checks(blue.path, settings, blue.verify_key, blue.peers().list())
    assert found.subject == "witness agency.example/w1"
    return found


def test_a_witness_that_knows_the_line_is_well(blue: NodeFolder, tmp_path: Path) -> None:
    with WitnessDoor(tmp_path / "agency") as door:
        unknown = check(blue, door)
        assert unknown.state == WARNING
        assert "does not know the line with red" in unknown.words
        assert "add-line" in unknown.remedy
        (peer,) = blue.peers().list()
        door.knows(peer.line_id, "blue", blue.verify_key)
        assert check(blue, door).state == OK
        assert door.ledger.chains() == ()  # asking has no effect there
        assert door.ledger.contradictions() == ()


def test_a_witness_out_of_reach_is_no_fault_of_the_node(blue: NodeFolder, tmp_path: Path) -> None:
    with WitnessDoor(tmp_path / "agency") as door:
        with socket.create_server((HOST, 0)) as taken:
            port = taken.getsockname()[1]
        down = check(blue, door, url=f"https://{HOST}:{port}")
        assert down.state == WARNING
        assert "the line goes on without it" in down.remedy
        stranger = check(blue, door, trust=str(blue.path / "keys" / "tls-root.pem"))
        assert stranger.state == WARNING
        assert "certificate does not verify" in stranger.words


def test_a_file_of_certificates_that_is_missing_is_wrong(blue: NodeFolder, tmp_path: Path) -> None:
    with WitnessDoor(tmp_path / "agency") as door:
        missing = check(blue, door, trust="nothing.pem")
        assert missing.state == WRONG
        assert "cannot be loaded" in missing.words
