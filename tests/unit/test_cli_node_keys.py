"""The root and the change of key from the command line: what is made, refused, and kept secret."""

import asyncio
import json
import os
import stat
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from deconflict.cli import main
from deconflict.errors import (
    ConfigurationError,
    InvalidInputError,
    NotFoundError,
    VerificationError,
    WrongSenderError,
)
from deconflict.line.key_change import ChangeReason, KeyChange, read_change, signed_by_root
from deconflict.line.keyfile import is_sealed
from deconflict.line.keys import SigningKey
from deconflict.line.root import Root
from deconflict.node.doctor import OK, WARNING, examine
from deconflict.node.folder import NodeFolder
from deconflict.node.invitation import Invitation
from deconflict.node.key_watch import watch_keys
from deconflict.node.peers import PeerBook
from deconflict.node.settings import Settings

DAY_MS = 86_400_000
NOW_MS = time.time_ns() // 1_000_000
ROOT_KEY = SigningKey.from_seed(b"r" * 32)
ROOT = Root([ROOT_KEY.verify_key], 1)


@pytest.fixture(autouse=True)
def passphrase(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "passphrase"
    file.write_text("a quiet sky over the delta\n")
    file.chmod(0o600)
    monkeypatch.setenv("DECONFLICT_ROOT_PASSPHRASE_FILE", str(file))


@pytest.fixture
def node(tmp_path: Path) -> NodeFolder:
    return made(tmp_path / "blue")


def made(path: Path, *, party: str = "blue", now_utc_ms: int = NOW_MS) -> NodeFolder:
    return NodeFolder.create(
        path, Settings(party), passphrase=None, now_utc_ms=now_utc_ms, random_bytes=os.urandom
    )


def ran(*words: str | Path) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def facts(*words: str | Path) -> dict[str, Any]:
    result = ran(*words, "--json")
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.output)
    return found


def ask(node: NodeFolder, reason: ChangeReason = ChangeReason.ROTATED) -> KeyChange:
    keys = node.unlock()
    return node.key_files.ask(
        reason=reason,
        seal=keys.seal,
        unseal=keys.unseal,
        now_utc_ms=NOW_MS,
        random_bytes=os.urandom,
    )


def test_two_of_three_custodians_change_a_node_s_key(tmp_path: Path, node: NodeFolder) -> None:
    keys = [tmp_path / f"{name}.root" for name in ("anna", "boris", "olga")]
    for key in keys:
        one = facts("node", "root", "create", "--out", key)
        assert one["threshold"] == 1
        assert is_sealed(key.read_bytes())
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
    root = tmp_path / "blue.root.pub"
    public = [f"{key}.pub" for key in keys]
    combined = facts("node", "root", "combine", *public, "--threshold", "2", "--out", root)
    assert combined["keys"] == 3
    known = facts("node", "root", "set", root, "--node", node.path)
    assert known["root_fingerprint"] == combined["root_fingerprint"]
    request, once, twice = (tmp_path / name for name in ("request", "once", "twice"))
    asked = facts("node", "key", "renew", "--out", request, "--node", node.path)
    by = ("--root", root, "--yes")
    first = facts("node", "root", "sign", request, "--key", keys[0], "--out", once, *by)
    assert first["missing"] == 1
    refused = ran("node", "key", "install", once, "--node", node.path)
    assert refused.exit_code == 1
    assert "too few keys of the root" in refused.output
    second = facts("node", "root", "sign", once, "--key", keys[2], "--out", twice, *by)
    assert second["missing"] == 0
    installed = facts("node", "key", "install", twice, "--node", node.path)
    assert installed["key_id"] == asked["key_id"]
    shown = facts("node", "key", "show", "--node", node.path)
    assert (shown["number"], shown["fingerprint"]) == (1, asked["fingerprint"])
    assert shown["first_fingerprint"] == node.verify_key.fingerprint()
    unlocked = node.unlock()
    assert unlocked.own_keys.number == 1
    assert set(unlocked.own_keys.public) == {node.verify_key.key_id, asked["key_id"]}
    words = ran("node", "root", "sign", request, "--key", keys[1], "--out", tmp_path / "x", *by)
    assert "1 signature more needed" in words.output
    assert node.verify_key.key_id[:10] in words.output


def test_without_a_terminal_nothing_is_signed_unasked(tmp_path: Path, node: NodeFolder) -> None:
    node.key_files.set_root(ROOT)
    (tmp_path / "request").write_bytes(ask(node).export())
    facts("node", "root", "create", "--out", tmp_path / "key")
    words = ("--key", tmp_path / "key", "--out", tmp_path / "signed")
    result = ran("node", "root", "sign", tmp_path / "request", *words)
    assert result.exit_code == 2
    assert not (tmp_path / "signed").exists()


def test_a_node_without_a_root_cannot_ask(node: NodeFolder) -> None:
    with pytest.raises(NotFoundError, match="no root"):
        ask(node)


def test_a_root_stays_once_it_is_set(node: NodeFolder) -> None:
    node.key_files.set_root(ROOT)
    node.key_files.set_root(ROOT)
    with pytest.raises(ConfigurationError, match="another root already"):
        node.key_files.set_root(Root([SigningKey.from_seed(b"x" * 32).verify_key], 1))


def test_asked_again_the_same_key_waits_but_for_a_revocation(node: NodeFolder) -> None:
    node.key_files.set_root(ROOT)
    first, again = ask(node), ask(node)
    assert first == again
    revoking = ask(node, ChangeReason.REVOKED)
    assert revoking.possession != first.possession
    with pytest.raises(ConfigurationError, match="another key than the one that waits"):
        node.key_files.install(signed_by_root(first, ROOT, ROOT_KEY))
    opened = node.key_files.install(signed_by_root(revoking, ROOT, ROOT_KEY))
    assert opened.revokes


def test_a_statement_is_installed_once_and_of_this_node_alone(
    tmp_path: Path, node: NodeFolder
) -> None:
    node.key_files.set_root(ROOT)
    passed_by = signed_by_root(ask(node), ROOT, ROOT_KEY)
    change = signed_by_root(ask(node, ChangeReason.REVOKED), ROOT, ROOT_KEY)
    other = made(tmp_path / "red", party="red")
    other.key_files.set_root(ROOT)
    ask(other)
    with pytest.raises(WrongSenderError):
        other.key_files.install(change)
    once = node.key_files.install(change)
    kept = {file: file.stat().st_mtime_ns for file in (node.path / "keys").iterdir()}
    assert node.key_files.install(change).statement == once.statement
    assert {file: file.stat().st_mtime_ns for file in (node.path / "keys").iterdir()} == kept
    with pytest.raises(ConfigurationError, match="does not wait here"):
        node.key_files.install(passed_by)


def test_a_changed_file_of_a_change_keeps_the_node_from_starting(node: NodeFolder) -> None:
    node.key_files.set_root(ROOT)
    node.key_files.install(signed_by_root(ask(node), ROOT, ROOT_KEY))
    file = node.path / "keys" / "change-1.json"
    unsigned = read_change(file.read_bytes())
    file.write_bytes(unsigned.export().replace(unsigned.possession.encode(), b"A" * 88))
    with pytest.raises(ConfigurationError):
        node.unlock()


def test_the_invitation_brings_the_root_and_is_pinned_with_both_fingerprints(
    tmp_path: Path, node: NodeFolder
) -> None:
    plain = node.invite(node.unlock(), now_utc_ms=NOW_MS)
    assert plain.root is None
    assert b'"root"' not in plain.export()
    node.key_files.set_root(ROOT)
    rooted = node.invite(node.unlock(), now_utc_ms=NOW_MS + 1)
    assert Invitation.parse(rooted.export()).root == ROOT
    (tmp_path / "peers").mkdir()
    own = SigningKey.from_seed(b"b" * 32).verify_key
    book = PeerBook(tmp_path / "peers", "red", own, "b" * 64)
    spoken = node.verify_key.fingerprint()
    assert book.pin(plain, spoken).root is None
    with pytest.raises(InvalidInputError, match="brings a root"):
        book.pin(rooted, spoken)
    with pytest.raises(WrongSenderError, match="root that you were told"):
        book.pin(rooted, spoken, spoken)
    assert book.pin(rooted, spoken, ROOT.fingerprint()).root == ROOT
    assert book.pin(rooted, spoken).root == ROOT  # pinned already: not asked again
    # Whoever stole the node's key can sign an invitation, and bring no root with it.
    thief = Root([SigningKey.from_seed(b"x" * 32).verify_key], 1)
    with pytest.raises(WrongSenderError, match="root of blue is pinned"):
        book.pin(plain, spoken)
    other = Invitation.create(
        party="blue",
        desks=rooted.desks,
        signing_key=node.unlock().signing_key,
        tls_root_pem=rooted.tls_root_pem,
        tls_spki_sha256=rooted.tls_spki_sha256,
        urls=rooted.urls,
        now_utc_ms=NOW_MS + 2,
        root=thief,
    )
    with pytest.raises(WrongSenderError, match="root of blue is pinned"):
        book.pin(other, spoken, thief.fingerprint())


@pytest.mark.parametrize(("age_days", "state"), [(0, OK), (59, OK), (61, WARNING), (120, WARNING)])
def test_the_doctor_tells_how_old_the_key_is(tmp_path: Path, age_days: int, state: str) -> None:
    node = made(tmp_path / "old", now_utc_ms=NOW_MS - age_days * DAY_MS)
    (check,) = (
        one for one in examine(node.path, now_utc_ms=NOW_MS) if one.subject == "signing key"
    )
    assert check.state == state
    assert f"{age_days} days old" in check.words
    assert "no root" in check.words


def test_a_running_node_takes_up_what_was_installed_and_survives_a_bad_file(
    node: NodeFolder,
) -> None:
    node.key_files.set_root(ROOT)
    keys = node.unlock()
    told: list[int] = []

    async def run() -> None:
        path = node.path / "keys"
        watching = asyncio.create_task(
            watch_keys(path, keys.take_up, lambda: told.append(1), look_s=0.01)
        )
        await asyncio.sleep(0.05)
        (path / "change-1.json").write_bytes(b"{}")
        await asyncio.sleep(0.1)
        (path / "change-1.json").unlink()
        await asyncio.sleep(0.1)
        assert not watching.done()
        node.key_files.install(signed_by_root(ask(node), ROOT, ROOT_KEY))
        for _ in range(300):
            if told:
                break
            await asyncio.sleep(0.02)
        watching.cancel()

    asyncio.run(run())
    assert told == [1]
    assert keys.own_keys.number == 1


def test_a_key_of_a_sealed_node_is_sealed_too(tmp_path: Path) -> None:
    node = NodeFolder.create(
        tmp_path / "sealed",
        Settings("blue"),
        passphrase="a quiet sky",
        now_utc_ms=NOW_MS,
        random_bytes=os.urandom,
    )
    node.key_files.set_root(ROOT)
    keys = node.unlock(lambda: "a quiet sky", environ={})
    change = node.key_files.ask(
        reason=ChangeReason.ROTATED,
        seal=keys.seal,
        unseal=keys.unseal,
        now_utc_ms=NOW_MS,
        random_bytes=os.urandom,
    )
    file = node.path / "keys" / "signing-1.key"
    assert is_sealed(file.read_bytes())
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    node.key_files.install(signed_by_root(change, ROOT, ROOT_KEY))
    assert keys.take_up()
    assert not keys.take_up()
    assert node.unlock(lambda: "a quiet sky", environ={}).own_keys.number == 1


def test_a_request_is_no_statement(node: NodeFolder) -> None:
    node.key_files.set_root(ROOT)
    change = ask(node)
    with pytest.raises(VerificationError):
        node.key_files.install(change)  # nobody of the root signed it
