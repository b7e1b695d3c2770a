"""Making a node, its accounts and its pinned peers; asking the doctor."""

import json
import stat
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.processes.nodes import free_port

from deconflict.cli import main
from deconflict.node.doctor import OK, WARNING, WRONG, examine
from deconflict.node.folder import NodeFolder
from deconflict.store.sqlite import SqliteStore

ADMIN = "a long evening at sea"
DAY_MS = 86_400_000


def run(*words: object, text: str | None = None) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words], input=text)


@pytest.fixture
def passwords(tmp_path: Path) -> Path:
    path = tmp_path / "passwords"
    path.touch(mode=0o600)
    path.write_text(f"admin {ADMIN}\nolga another long evening\n")
    return path


@pytest.fixture
def blue(tmp_path: Path, passwords: Path) -> Path:
    return made(tmp_path, passwords, "blue")


@pytest.fixture
def red(tmp_path: Path, passwords: Path) -> Path:
    return made(tmp_path, passwords, "red")


def made(tmp_path: Path, passwords: Path, party: str) -> Path:
    folder = tmp_path / party
    result = run(
        *("init", folder, "--party", party, "--passwords", passwords),
        *("--peer-listen", f"127.0.0.1:{free_port()}"),
        *("--operators-listen", f"127.0.0.1:{free_port()}"),
        *("--account", "olga=watch_officer"),
    )
    assert result.exit_code == 0, result.output
    return folder


def test_init_shows_the_fingerprint_of_the_key_it_made(blue: Path, tmp_path: Path) -> None:
    folder = NodeFolder.open(blue)
    shown = run("peer", "show", "--node", blue).output
    assert folder.verify_key.fingerprint() in shown
    assert (blue / "blue.invitation").read_bytes() == folder.invitation_path.read_bytes()


def test_init_overwrites_nothing(blue: Path, passwords: Path) -> None:
    before = (blue / "keys" / "signing.pub").read_bytes()
    result = run("init", blue, "--party", "blue", "--passwords", passwords)
    assert result.exit_code == 2
    assert "never overwritten" in result.output
    assert (blue / "keys" / "signing.pub").read_bytes() == before


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--party", "Blue Force"), "lower-case"),
        (("--party", "blue", "--peer-listen", "everywhere"), "host:port"),
        (("--party", "blue", "--operators-listen", "0.0.0.0:80"), "loopback"),
        (("--party", "blue", "--account", "olga=king"), "watch_officer"),
        (("--party", "blue", "--account", "olga=administrator,auditor"), "two accounts"),
        (("--party", "blue", "--account", "admin=auditor"), "each name once"),
    ],
)
def test_init_with_a_mistake_leaves_nothing_behind(
    tmp_path: Path, passwords: Path, options: tuple[str, ...], words: str
) -> None:
    result = run("init", tmp_path / "node", "--passwords", passwords, *options)
    assert result.exit_code == 2, result.output
    assert words in result.output
    assert not (tmp_path / "node").exists()


def test_init_refuses_a_passwords_file_that_others_read(tmp_path: Path, passwords: Path) -> None:
    passwords.chmod(0o644)
    result = run("init", tmp_path / "node", "--party", "blue", "--passwords", passwords)
    assert result.exit_code == 2
    assert "chmod 600" in result.output
    assert not (tmp_path / "node").exists()


def test_sealed_keys_need_their_passphrase(
    tmp_path: Path, passwords: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / "passphrase"
    secret.touch(mode=0o600)
    secret.write_text("seven ships under one moon\n")
    monkeypatch.setenv("DECONFLICT_PASSPHRASE_FILE", str(secret))
    node = tmp_path / "node"
    options = ("--party", "blue", "--passwords", passwords, "--passphrase-prompt")
    assert run("init", node, *options).exit_code == 0
    assert NodeFolder.open(node).sealed
    assert run("renew", "--node", node).exit_code == 0
    secret.write_text("another\n")
    refused = run("renew", "--node", node)
    assert refused.exit_code == 2
    assert "another" not in refused.output


def test_login_is_kept_for_its_owner_alone(blue: Path, tmp_path: Path) -> None:
    word = tmp_path / "word"
    word.touch(mode=0o600)
    word.write_text("another long evening\n")
    result = run("account", "login", "olga", "--password-file", word, "--node", blue)
    assert result.exit_code == 0, result.output
    token = blue / "tokens" / "olga.token"
    assert stat.S_IMODE(token.stat().st_mode) == 0o600
    assert token.read_text().strip() not in result.output
    assert run("account", "disable", "olga", "--node", blue).exit_code == 0
    assert not token.exists()


def test_wrong_password_is_refused(blue: Path, tmp_path: Path) -> None:
    word = tmp_path / "word"
    word.touch(mode=0o600)
    word.write_text("not the word\n")
    result = run("account", "login", "olga", "--password-file", word, "--node", blue, "--json")
    assert result.exit_code == 2
    assert json.loads(result.output)["error"]["type"] == "NotAuthenticatedError"


def test_accounts_are_listed_with_their_roles(blue: Path) -> None:
    found = json.loads(run("account", "list", "--node", blue, "--json").output)
    assert {one["name"]: one["roles"] for one in found} == {
        "admin": ["administrator"],
        "olga": ["watch_officer"],
    }


def test_peer_is_pinned_with_the_fingerprint_that_was_heard(blue: Path, red: Path) -> None:
    heard = NodeFolder.open(red).verify_key.fingerprint()
    result = run(
        "peer", "add", red / "red.invitation", "--fingerprint", heard, "--node", blue, "--json"
    )
    assert result.exit_code == 0, result.output
    assert json.loads(result.output)["party"] == "red"
    assert "red" in run("peer", "list", "--node", blue).output
    assert run("peer", "remove", "red", "--yes", "--node", blue).exit_code == 0
    assert "red" not in run("peer", "list", "--node", blue).output


def test_peer_is_not_pinned_without_or_with_another_fingerprint(blue: Path, red: Path) -> None:
    own = NodeFolder.open(blue).verify_key.fingerprint()
    silent = run("peer", "add", red / "red.invitation", "--node", blue)
    assert silent.exit_code == 2
    # A fingerprint that differs is a failed verification: a finding, not a mistake of use.
    wrong = run("peer", "add", red / "red.invitation", "--fingerprint", own, "--node", blue)
    assert wrong.exit_code == 1
    # What is no fingerprint at all is a mistake of use.
    for slip in ("12", own[:-1], "red"):
        short = run("peer", "add", red / "red.invitation", "--fingerprint", slip, "--node", blue)
        assert short.exit_code == 2
        assert "eight groups of five digits" in short.output
    assert run("peer", "list", "--node", blue, "--json").output.strip() == "[]"
    fingerprint = NodeFolder.open(red).verify_key.fingerprint()
    assert fingerprint not in silent.output + wrong.output


def test_command_without_a_node_folder_says_what_to_do(tmp_path: Path) -> None:
    result = run("line", "status", "--node", tmp_path)
    assert result.exit_code == 2
    assert "deconflict init" in result.output


def test_altered_invitation_is_refused_as_an_invitation(
    blue: Path, red: Path, tmp_path: Path
) -> None:
    written = (red / "red.invitation").read_bytes()
    for altered in (written.replace(b'"watch"', b'"wotch"'), b"{" + written, b"\x00"):
        assert altered != written
        (tmp_path / "red.invitation").write_bytes(altered)
        words = ("--fingerprint", NodeFolder.open(red).verify_key.fingerprint(), "--node", blue)
        refused = run("peer", "add", tmp_path / "red.invitation", *words)
        assert refused.exit_code in (1, 2)
        assert "invitation" in refused.output.splitlines()[0]


def test_disabled_account_is_told_so_at_every_command(blue: Path, tmp_path: Path) -> None:
    word = tmp_path / "word"
    word.write_text("another long evening at sea\n")
    word.chmod(0o600)
    assert run("account", "disable", "olga", "--node", blue).exit_code == 0
    for words in (
        ("account", "login", "olga", "--password-file", word),
        ("line", "status", "--as", "olga"),
    ):
        refused = run(*words, "--node", blue)
        assert refused.exit_code == 2
        assert "olga is disabled" in refused.output


def test_init_without_a_terminal_names_its_own_option(tmp_path: Path) -> None:
    refused = run("init", tmp_path / "node", "--party", "green")
    assert refused.exit_code == 2
    assert "--passwords FILE" in refused.output
    assert "--password-file" not in refused.output


def test_command_without_a_login_says_how_to_log_in(blue: Path) -> None:
    result = run("line", "status", "--node", blue)
    assert result.exit_code == 2
    assert "deconflict account login" in result.output


def test_command_to_a_stopped_node_says_how_to_start_it(blue: Path, tmp_path: Path) -> None:
    word = tmp_path / "word"
    word.touch(mode=0o600)
    word.write_text("another long evening\n")
    run("account", "login", "olga", "--password-file", word, "--node", blue)
    result = run("line", "status", "--node", blue)
    assert result.exit_code == 2
    assert "deconflict serve" in result.output


# -- the doctor -----------------------------------------------------------------------------------


def states(folder: Path, *, later_ms: int = 0) -> dict[str, str]:
    now = time.time_ns() // 1_000_000 + later_ms
    return {check.subject: check.state for check in examine(folder, now_utc_ms=now)}


def test_doctor_finds_nothing_wrong_with_a_new_node(blue: Path) -> None:
    found = states(blue)
    assert WRONG not in found.values()
    assert found["folder"] == found["keys"] == found["certificate"] == found["record"] == OK
    assert found["node"] == found["peers"] == WARNING  # not running, nobody to talk to
    assert run("doctor", "--node", blue).exit_code == 0


def test_doctor_finds_a_key_that_others_read(blue: Path) -> None:
    (blue / "keys" / "signing.key").chmod(0o640)
    result = run("doctor", "--node", blue)
    assert result.exit_code == 1
    assert "chmod 600" in result.output


@pytest.mark.parametrize(("days", "state"), [(300, OK), (370, WARNING), (400, WRONG)])
def test_doctor_counts_the_days_of_the_certificate(blue: Path, days: int, state: str) -> None:
    assert states(blue, later_ms=days * DAY_MS)["certificate"] == state


def test_doctor_finds_a_clock_that_was_set_back(blue: Path) -> None:
    assert states(blue, later_ms=-2 * 3_600_000)["clock"] == WRONG


def test_doctor_finds_a_damaged_record(blue: Path) -> None:
    (blue / "record.sqlite").write_bytes(b"this is no database" * 500)
    assert states(blue)["record"] == WRONG


def test_doctor_leaves_the_record_of_a_running_node_alone(blue: Path) -> None:
    with SqliteStore.open(blue / "record.sqlite"):
        assert states(blue)["record"] == OK
    assert states(blue)["record"] == OK


def test_doctor_finds_a_missing_record(blue: Path) -> None:
    (blue / "record.sqlite").unlink()
    assert states(blue)["record"] == WRONG


def test_doctor_finds_that_nobody_can_log_in(blue: Path) -> None:
    (blue / "accounts.sqlite").unlink()
    assert states(blue)["accounts"] == WRONG
