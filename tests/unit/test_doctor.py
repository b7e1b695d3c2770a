"""What the doctor says of keys and certificates; one fault hides no other."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from deconflict.cli import main
from deconflict.errors import ConfigurationError
from deconflict.node.doctor import OK, WARNING, WRONG, Check, examine
from deconflict.node.folder import NodeFolder
from deconflict.node.settings import Endpoint, Settings

NOW_MS = time.time_ns() // 1_000_000
DAY_MS = 86_400_000
AFTER_KEYS = {"certificate", "clock", "disk", "record", "accounts", "peers"}


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
