"""What the doctor says of keys and certificates; one fault hides no other."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.processes.nodes import Process, make_nodes

from deconflict.cli import main
from deconflict.errors import ConfigurationError
from deconflict.node.doctor import OK, WARNING, WRONG, Check, examine
from deconflict.node.folder import NodeFolder
from deconflict.node.settings import Endpoint, Settings

NOW_MS = time.time_ns() // 1_000_000
DAY_MS = 86_400_000
AFTER_KEYS = {"certificate", "clock", "disk", "reserve", "record", "guard", "accounts", "peers"}


def new_node(path: Path, *, made_ms: int = NOW_MS) -> Path:
    settings = Settings(
        "blue",
        peer_listen=Endpoint("127.0.0.1", 0),
        peer_url="https://127.0.0.1:8443",
        operators_listen=Endpoint("127.0.0.1", 0),
    )
    NodeFolder.create(path, settings, passphrase=None, now_utc_ms=made_ms, random_bytes=os.urandom)
    return path


def found(path: Path, *, now_ms: int = NOW_MS) -> dict[str, Check]:
    return {check.subject: check for check in examine(path, now_utc_ms=now_ms)}


@pytest.mark.parametrize(
    ("made_days", "state", "words"),
    [
        (0, OK, "396 more days"),
        (5, WRONG, "not valid yet"),
        (-380, WARNING, "more days only"),
        (-400, WRONG, "expired"),
    ],
)
def test_certificate_counts_only_between_its_two_dates(
    tmp_path: Path, made_days: int, state: str, words: str
) -> None:
    node = new_node(tmp_path / "blue", made_ms=NOW_MS + made_days * DAY_MS)
    check = found(node)["certificate"]
    assert check.state == state
    assert words in check.words
    assert ("clock" in check.remedy) == (state == WRONG)


def test_unreadable_certificate_is_named_and_hides_nothing(tmp_path: Path) -> None:
    node = new_node(tmp_path / "blue")
    file = node / "keys" / "tls.pem"
    file.write_text("this is no certificate")
    checks = found(node)
    assert checks["certificate"].state == WRONG
    assert str(file) in checks["certificate"].words
    assert "restore" in checks["certificate"].remedy
    assert checks["folder"].state == checks["keys"].state == checks["record"].state == OK
    assert checks.keys() >= AFTER_KEYS
    with pytest.raises(ConfigurationError, match=r"keys/tls\.pem"):
        NodeFolder.open(node)


def test_open_key_is_named_and_hides_nothing(tmp_path: Path) -> None:
    node = new_node(tmp_path / "blue")
    file = node / "keys" / "tls.key"
    file.chmod(0o644)
    checks = found(node)
    assert checks["keys"].state == WRONG
    assert str(file) in checks["keys"].words
    assert f"chmod 600 {file}" in checks["keys"].remedy
    assert checks["certificate"].state == checks["record"].state == OK
    assert checks.keys() >= AFTER_KEYS


@pytest.mark.parametrize("name", ["signing.key", "tls.key", "signing.pub"])
def test_missing_key_is_named(tmp_path: Path, name: str) -> None:
    node = new_node(tmp_path / "blue")
    (node / "keys" / name).unlink()
    checks = found(node)
    assert checks["keys"].state == WRONG
    assert name in checks["keys"].words
    assert checks["certificate"].state == OK


def test_the_guard_is_looked_at(tmp_path: Path) -> None:
    node, other = new_node(tmp_path / "blue"), new_node(tmp_path / "red")
    guard = node / "guard" / "guard"
    beside = found(node)["guard"]
    assert beside.state == WARNING
    assert "same disk" in beside.words
    guard.write_bytes((other / "guard" / "guard").read_bytes())
    assert "another node" in found(node)["guard"].words
    guard.write_bytes(b"noise")
    assert "damaged" in found(node)["guard"].words
    guard.unlink()
    assert "missing" in found(node)["guard"].words
    assert found(node)["guard"].state == WRONG


def test_unreadable_settings_hide_neither_keys_nor_disk(tmp_path: Path) -> None:
    node = new_node(tmp_path / "blue")
    (node / "node.toml").write_text("party = blue")
    checks = found(node)
    assert checks["folder"].state == WRONG
    assert checks["record"].state == WARNING
    assert checks["keys"].state == checks["certificate"].state == OK
    assert "disk" in checks


def test_no_folder_is_the_only_finding_where_there_is_none(tmp_path: Path) -> None:
    assert [check.state for check in examine(tmp_path / "x", now_utc_ms=NOW_MS)] == [WRONG]


@pytest.mark.parametrize(
    ("made_days", "words"),
    [(-400, "expired"), (5, "not valid yet"), (-390, "more days only"), (-370, "")],
)
def test_serve_says_of_a_certificate_that_no_peer_will_take_it(
    tmp_path: Path, made_days: int, words: str
) -> None:
    node = new_node(tmp_path / "blue", made_ms=NOW_MS + made_days * DAY_MS)
    process = subprocess.Popen(
        (sys.executable, "-m", "deconflict", "serve", "--node", node),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert "blue is running" in process.stdout.readline()
    finally:
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=20)
    assert process.returncode == 0
    if words:
        assert words in said
        assert "deconflict renew" in said
    else:
        assert "certificate" not in said


def test_renewed_certificate_is_well_again(tmp_path: Path) -> None:
    node = new_node(tmp_path / "blue", made_ms=NOW_MS - 400 * DAY_MS)
    result = CliRunner().invoke(main, ["renew", "--node", str(node)])
    assert result.exit_code == 0, result.output
    assert found(node)["certificate"].state == OK


# -- whose answer it is ---------------------------------------------------------------------------


def test_running_node_is_known_as_this_one(tmp_path: Path) -> None:
    member = make_nodes(tmp_path, ["blue"])["blue"]
    process = Process(member)
    try:
        process.ready()
        check = found(member.path)["node"]
        assert check.state == OK
        assert check.words.startswith("running")
    finally:
        process.stop()
    assert found(member.path)["node"].state == WARNING


def test_another_node_at_the_address_is_not_taken_for_this_one(tmp_path: Path) -> None:
    made = make_nodes(tmp_path, ["blue", "red"])
    process = Process(made["red"])
    (made["blue"].path / "node.toml").write_bytes((made["red"].path / "node.toml").read_bytes())
    try:
        process.ready()
        check = found(made["blue"].path)["node"]
    finally:
        process.stop()
    assert check.state == WRONG
    assert "another node" in check.words


@pytest.mark.parametrize(
    "said", [b"", b"HTTP/1.0 200 OK\r\n\r\n{}", b"HTTP/1.0 200 OK\r\n\r\n[1]", b"SSH-2.0-x\r\n"]
)
def test_another_program_at_the_address_is_said_to_be_another(tmp_path: Path, said: bytes) -> None:
    member = make_nodes(tmp_path, ["blue"])["blue"]
    with socket.create_server(("127.0.0.1", member.operators_port)) as server:

        def answer() -> None:
            for _ in range(2):
                caller, _address = server.accept()
                with caller:
                    caller.settimeout(0.2)
                    with contextlib.suppress(OSError):
                        caller.recv(4096)
                    caller.sendall(said)

        thread = threading.Thread(target=answer)
        thread.start()
        check = found(member.path)["node"]
        thread.join()
    assert check.state == WRONG
    assert "another program" in check.words
