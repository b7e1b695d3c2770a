"""Two real nodes, and a record put back from a copy: mute, asking, and then whole again."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from bench.nodes import Party, agree, make_pair, wait_for

from deconflict.line.keys import VerifyKey
from deconflict.node.bundle_proof import verify_bundle
from deconflict.node.bundle_verified import VerifiedBundle
from deconflict.node.folder import NodeFolder
from deconflict.store.sqlite import SqliteStore

pytestmark = [pytest.mark.processes, pytest.mark.timeout(240)]


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[Party, Party]]:
    west, east = make_pair(tmp_path)
    try:
        yield west, east
    finally:
        for party in (west, east):
            party.kill()


def say(party: Party, line_id: str, number: int) -> str:
    body = {"event": "pass", "fields": {"number": number}}
    posted = party.post(f"/lines/{line_id}/messages", {"kind": "ACCOUNT", "body": body})
    return str(posted["hash"])


def copy_record(party: Party, to: Path) -> None:
    """As somebody does who copies the folder's files while the node does not run."""
    to.mkdir()
    for file in party.folder.glob("record.sqlite*"):
        shutil.copy2(file, to / file.name)


def put_back(party: Party, copy: Path) -> None:
    for file in party.folder.glob("record.sqlite*"):
        file.unlink()
    for file in copy.iterdir():
        shutil.copy2(file, party.folder / file.name)


def told(party: Party, line_id: str) -> list[int]:
    """The numbers of all messages of either side in a party's log, in its order."""
    found = []
    for direction in ("out", "in"):
        page = party.get(f"/lines/{line_id}/messages", direction=direction, limit=200)
        found += [one["body"]["fields"]["number"] for one in page if one["kind"] == "ACCOUNT"]
    return sorted(found)


def whole(west: Party, east: Party) -> bool:
    here, there = west.line, east.line
    return (
        not any(line["mute"] or line["deaf"] for line in (here, there))
        and here["own_seq"] == here["receipted_seq"] == there["peer_seq"]
        and there["own_seq"] == there["receipted_seq"] == here["peer_seq"]
    )


def bundles(west: Party, east: Party, line_id: str) -> list[VerifiedBundle]:
    keys: dict[str, VerifyKey] = {
        party.name: NodeFolder.open(party.folder).verify_key for party in (west, east)
    }
    return [verify_bundle([exported(party, line_id)], keys) for party in (west, east)]


def exported(party: Party, line_id: str) -> bytes:
    with httpx.Client(trust_env=False, timeout=60) as http:
        answer = http.get(
            f"{party.url}/lines/{line_id}/bundle",
            headers={"Authorization": f"Bearer {party.token}"},
        )
    return answer.content


def convicted(party: Party) -> set[str]:
    rules: Any = {alert["rule"] for alert in party.get("/alerts", open="true")}
    return rules & {
        "FORKED_CHAIN",
        "FORKED_CHECKPOINT",
        "RECEIPT_CONTRADICTS",
        "OWN_RECORD_IN_DOUBT",
        "RESYNC_STUCK",
    }


@pytest.mark.parametrize("guard", ["kept", "missing", "too old"])
def test_a_record_put_back_loses_nothing_and_convicts_nobody(
    pair: tuple[Party, Party], tmp_path: Path, guard: str
) -> None:
    west, east = pair
    path = west.folder / "guard" / "guard"
    old_guard = path.read_bytes()  # of before the first run
    west.start()
    east.start()
    line_id = agree(west, east)
    for number in range(5):
        say(west, line_id, number)
    wait_for(lambda: whole(west, east), "what was said first was not receipted")
    west.stop()
    copy_record(west, tmp_path / "copy")
    west.start()
    for number in range(5, 10):
        say(west, line_id, number)
        say(east, line_id, 100 + number)
    wait_for(lambda: whole(west, east), "what was said after the copy was not receipted")
    before = west.line["own_epoch"]
    west.kill()
    east.stop()  # nobody answers: west must stay mute
    put_back(west, tmp_path / "copy")
    if guard == "missing":
        path.unlink()
    if guard == "too old":
        path.write_bytes(old_guard)
    west.start()
    line = west.line
    assert line["mute"]
    assert line["deaf"]
    assert line["silent_because"]
    assert "LINE_MUTE" in {alert["rule"] for alert in west.get("/alerts", open="true")}
    with pytest.raises(RuntimeError, match="mute"):
        say(west, line_id, 99)
    east.start()
    wait_for(lambda: whole(west, east), "west did not become whole again", timeout_s=60)
    assert west.line["own_epoch"] != before
    for number in range(20, 23):
        say(west, line_id, number)
        say(east, line_id, 100 + number)
    wait_for(lambda: whole(west, east), "what was said afterwards was not receipted")
    wanted = sorted([*range(10), *range(20, 23), *range(105, 110), *range(120, 123)])
    assert told(west, line_id) == told(east, line_id) == wanted
    assert convicted(west) | convicted(east) == set()
    ours, theirs = bundles(west, east, line_id)
    assert [chain.head for chain in ours.chains] == [chain.head for chain in theirs.chains]
    # Two of east too: it has just started, and what a deaf peer shows it proves nothing.
    assert [chain.epochs for chain in ours.chains] == [2, 2]
    assert (ours.chains[1].unreceipted, theirs.chains[0].unreceipted) == (0, 0)
    # And a start that proves the whole record finds nothing wrong with it.
    for party in (west, east):
        party.stop()
        party.start()
    wait_for(lambda: whole(west, east), "a later start went wrong")
    assert not west.line["mute"]


def test_a_mute_node_can_be_made_to_speak_without_its_peer(
    pair: tuple[Party, Party], tmp_path: Path
) -> None:
    west, east = pair
    west.start()
    east.start()
    line_id = agree(west, east)
    say(west, line_id, 1)
    wait_for(lambda: whole(west, east), "it was not receipted")
    west.stop()
    copy_record(west, tmp_path / "copy")
    west.start()
    say(west, line_id, 2)
    wait_for(lambda: whole(west, east), "it was not receipted")
    west.kill()
    east.stop()
    put_back(west, tmp_path / "copy")
    west.start()
    opened = west.post(f"/lines/{line_id}/epoch", {})
    assert not opened["mute"]
    assert opened["deaf"]
    say(west, line_id, 3)
    east.start()  # it holds more than west knew: the fresh epoch is refused, and west asks
    wait_for(lambda: whole(west, east), "west did not become whole again", timeout_s=60)
    assert told(west, line_id) == told(east, line_id) == [1, 2, 3]
    assert convicted(west) | convicted(east) == set()
    ours, _ = bundles(west, east, line_id)
    assert [chain.epochs for chain in ours.chains] == [2, 3]


def test_a_node_at_rest_has_each_of_its_entries_with_its_signature(
    pair: tuple[Party, Party],
) -> None:
    west, east = pair
    west.start()
    east.start()
    line_id = agree(west, east)
    say(west, line_id, 1)
    west.stop()
    with SqliteStore.open(NodeFolder.open(west.folder).record_path) as store:
        assert list(store.unsigned(line_id, "west")) == []
