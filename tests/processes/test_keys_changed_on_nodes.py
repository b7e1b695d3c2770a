"""Two real nodes whose keys are changed and revoked through the command line while they talk."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bench.nodes import Party, agree, make_pair, wait_for
from click.testing import CliRunner
from test_restore import convicted, exported, say, told, whole

from deconflict.cli import main
from deconflict.line.keys import VerifyKey
from deconflict.line.root import Root
from deconflict.node.bundle_proof import verify_bundle
from deconflict.node.folder import NodeFolder

pytestmark = [pytest.mark.processes, pytest.mark.timeout(240)]


def run(*words: str | Path) -> dict[str, Any]:
    result = CliRunner().invoke(main, [str(word) for word in (*words, "--json")])
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.output)
    return found


@pytest.fixture
def pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Party, Party]]:
    passphrase = tmp_path / "passphrase"
    passphrase.write_text("three custodians at sea\n")
    passphrase.chmod(0o600)
    monkeypatch.setenv("DECONFLICT_ROOT_PASSPHRASE_FILE", str(passphrase))
    west, east = make_pair(tmp_path)
    for party in (west, east):
        root = tmp_path / f"{party.name}.root"
        run("node", "root", "create", "--out", root)
        run("node", "root", "set", f"{root}.pub", "--node", party.folder)
    for own, peer in ((west, east), (east, west)):
        invitation = tmp_path / f"{own.name}.invitation"
        made = run("peer", "invite", "--out", invitation, "--node", own.folder)
        known = run("node", "key", "show", "--node", own.folder)
        heard = known["root"]["root_fingerprint"]
        words = ("peer", "add", invitation, "--fingerprint", made["fingerprint"])
        run(*words, "--root-fingerprint", heard, "--node", peer.folder)
    try:
        yield west, east
    finally:
        for party in (west, east):
            party.kill()


def change(party: Party, tmp_path: Path, *, revoke: bool = False) -> None:
    """As people do: asked for at the node, signed by the root elsewhere, put in force."""
    number = run("node", "key", "show", "--node", party.folder)["number"] + 1
    request, signed = (tmp_path / f"{party.name}.{number}.{what}" for what in ("ask", "signed"))
    more = ("--revoke",) if revoke else ()
    run("node", "key", "renew", "--out", request, "--node", party.folder, *more)
    key = tmp_path / f"{party.name}.root"
    run("node", "root", "sign", request, "--key", key, "--out", signed, "--yes")
    run("node", "key", "install", signed, "--node", party.folder)


def numbers(own: Party, peer: Party) -> tuple[int, int]:
    return own.line["own_key_number"], peer.line["peer_key_number"]


def test_both_keys_are_changed_and_one_is_revoked_while_the_nodes_talk(
    pair: tuple[Party, Party], tmp_path: Path
) -> None:
    west, east = pair
    west.start()
    east.start()
    line_id = agree(west, east)
    for number in range(5):
        say(west, line_id, number)
        say(east, line_id, 100 + number)
    change(west, tmp_path)
    change(east, tmp_path)
    wait_for(
        lambda: numbers(west, east) == numbers(east, west) == (1, 1), "the new keys did not come"
    )
    for number in range(5, 10):
        say(west, line_id, number)
        say(east, line_id, 100 + number)
    begun_s = time.monotonic()
    change(west, tmp_path, revoke=True)
    installed_s = time.monotonic()
    wait_for(lambda: numbers(west, east) == (2, 2), "the revocation did not come")
    took_s = time.monotonic() - installed_s
    print(f"revoked at the peer {took_s:.1f} s after it was installed")
    assert time.monotonic() - begun_s < 60
    say(west, line_id, 10)
    wait_for(lambda: whole(west, east), "what was said was not receipted")
    rules = {alert["rule"] for alert in east.get("/alerts", open="true")}
    assert "PEER_KEY_REVOKED" in rules
    assert "PEER_KEY_CHANGED" not in rules  # what it says, that key 1 is in force, is past
    for party in (west, east):  # a start proves the whole record, and goes on with the new keys
        party.stop()
        party.start()
    say(west, line_id, 11)
    say(east, line_id, 111)
    wait_for(lambda: whole(west, east), "a later start went wrong")
    assert told(west, line_id) == told(east, line_id)
    assert told(west, line_id) == [*range(12), *range(100, 110), 111]
    assert convicted(west) | convicted(east) == set()
    folders = {party.name: NodeFolder.open(party.folder) for party in (west, east)}
    keys: dict[str, VerifyKey] = {name: folder.verify_key for name, folder in folders.items()}
    roots: dict[str, Root] = {}
    for name, folder in folders.items():
        root = folder.root()
        assert root is not None
        roots[name] = root
    for party in (west, east):
        proven = verify_bundle([exported(party, line_id)], keys, roots=roots)
        assert {chain.party: chain.key_changes for chain in proven.chains} == {"east": 1, "west": 2}
        bundle = tmp_path / f"{party.name}.deconflict"
        bundle.write_bytes(exported(party, line_id))
        given = [f"{name}={tmp_path / name}.invitation" for name in ("west", "east")]
        options = [word for one in given for word in ("--key", one)]
        assert run("verify", bundle, *options)
