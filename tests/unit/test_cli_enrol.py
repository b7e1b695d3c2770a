"""Who is let in by two persons, at the command line of a node that is not running."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.processes.nodes import free_port

from deconflict.cli import main
from deconflict.node.doctor import OK, WARNING, examine
from deconflict.node.folder import NodeFolder

WORDS = {
    "admin": "a long evening at sea",
    "olga": "another long evening",
    "boris": "a third long evening",
    "new": "a fourth long evening",
}


def run(*words: object, node: Path, code: int = 0) -> Result:
    result = CliRunner().invoke(main, [*map(str, words), "--node", str(node)])
    assert result.exit_code == code, result.output
    return result


def secret(folder: Path, name: str) -> Path:
    path = folder.parent / f"{name}.password"
    path.touch(mode=0o600)
    path.write_text(WORDS[name] + "\n")
    return path


def made(path: Path, party: str, *, persons: int) -> Path:
    passwords = path / "passwords"
    passwords.touch(mode=0o600)
    passwords.write_text("".join(f"{name} {word}\n" for name, word in WORDS.items()))
    folder = path / party
    result = CliRunner().invoke(
        main,
        [
            *("init", str(folder), "--party", party, "--passwords", str(passwords)),
            *("--account", "olga=watch_officer", "--account", "boris=releasing_officer"),
            *("--peer-listen", f"127.0.0.1:{free_port()}"),
            *("--operators-listen", f"127.0.0.1:{free_port()}"),
        ],
    )
    assert result.exit_code == 0, result.output
    settings = folder / "node.toml"
    text = settings.read_text()
    assert "release_persons = 1" in text
    settings.write_text(text.replace("release_persons = 1", f"release_persons = {persons}"))
    return folder


@pytest.fixture
def blue(tmp_path: Path) -> Path:
    return made(tmp_path, "blue", persons=2)


@pytest.fixture
def red(tmp_path: Path) -> Path:
    return made(tmp_path, "red", persons=1)


def asking(folder: Path, name: str = "admin") -> tuple[object, ...]:
    return ("--as", name, "--as-password-file", secret(folder, name))


def releasing(folder: Path, name: str = "boris") -> tuple[object, ...]:
    return ("--as", name, "--password-file", secret(folder, name))


def add_account(folder: Path) -> str:
    asked = run(
        *("account", "add", "new", "--role", "auditor", "--json"),
        *("--password-file", secret(folder, "new"), *asking(folder)),
        node=folder,
    )
    return str(json.loads(asked.output)["held_id"])


def test_an_account_is_added_by_two_and_by_none_alone(blue: Path) -> None:
    held_id = add_account(blue)
    assert "new" not in run("account", "list", node=blue).output
    assert "account new, to be added" in run("enrol", "list", node=blue).output
    refused = run("enrol", "release", held_id, *releasing(blue, "admin"), node=blue, code=2)
    assert "cannot release" in refused.output
    refused = run("enrol", "release", held_id, *releasing(blue, "olga"), node=blue, code=2)
    assert "do not allow" in refused.output
    released = run("enrol", "release", held_id, *releasing(blue), node=blue)
    assert "new can log in now." in released.output
    assert "new" in run("account", "list", node=blue).output
    assert "Nobody waits" in run("enrol", "list", node=blue).output


def test_the_second_person_is_proven_by_their_password_and_not_by_a_kept_login(blue: Path) -> None:
    held_id = add_account(blue)
    run("account", "login", "boris", "--password-file", secret(blue, "boris"), node=blue)
    wrong = ("--as", "boris", "--password-file", secret(blue, "olga"))
    refused = run("enrol", "release", held_id, *wrong, node=blue, code=2)
    assert "password is wrong" in refused.output
    refused = run("enrol", "release", held_id, node=blue, code=2)
    assert "--as ACCOUNT" in refused.output


def test_a_peer_is_pinned_once_a_second_person_has_heard_its_fingerprint(
    blue: Path, red: Path
) -> None:
    heard = NodeFolder.open(red).verify_key.fingerprint()
    other = NodeFolder.open(blue).verify_key.fingerprint()
    invitation = red / "red.invitation"
    wrong = run(
        *("peer", "add", invitation, "--fingerprint", other, *asking(blue)), node=blue, code=1
    )
    assert "not the one of this invitation" in wrong.output
    asked = run("peer", "add", invitation, "--fingerprint", heard, *asking(blue), node=blue)
    found = re.search(r"enrol release ([0-9a-f]{8})", asked.output)
    assert found
    assert "No party is pinned" in run("peer", "list", node=blue).output
    release = ("enrol", "release", found[1], *releasing(blue), "--fingerprint")
    run(*release, other, node=blue, code=1)
    assert "No party is pinned" in run("peer", "list", node=blue).output
    assert "red is pinned" in run(*release, heard, node=blue).output
    assert "red" in run("peer", "list", node=blue).output


def test_what_waits_is_withdrawn(blue: Path) -> None:
    held_id = add_account(blue)
    run("enrol", "withdraw", held_id, *releasing(blue, "admin"), node=blue)
    run("enrol", "release", held_id, *releasing(blue), node=blue, code=2)
    assert json.loads(run("enrol", "list", "--json", node=blue).output) == []


def test_where_one_person_is_enough_nothing_waits(red: Path) -> None:
    run(
        *("account", "add", "new", "--role", "auditor"),
        *("--password-file", secret(red, "new")),
        node=red,
    )
    assert "new" in run("account", "list", node=red).output


def test_the_doctor_warns_of_two_persons_where_there_are_not_two(blue: Path) -> None:
    def said() -> tuple[str, str]:
        found = {one.subject: one for one in examine(blue, now_utc_ms=0)}["accounts"]
        return found.state, found.words

    state, words = said()
    assert state == WARNING
    assert "2 persons are wanted" in words
    asked = run(
        *("account", "add", "new", "--role", "releasing_officer", "--json"),
        *("--password-file", secret(blue, "new"), *asking(blue)),
        node=blue,
    )
    held_id = json.loads(asked.output)["held_id"]
    run("enrol", "release", held_id, *releasing(blue), node=blue)
    assert said()[0] == OK
