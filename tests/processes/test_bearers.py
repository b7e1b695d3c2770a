"""The network is cut, and what was declared goes by file, e-mail, paper and voice (R6, R35)."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tests.processes.network import Network, make_networked
from tests.processes.nodes import SAFETY, Member, Nursery, wait_until
from tests.processes.scanner import scan

from deconflict.cli import main
from deconflict.cli.client import token_path

pytestmark = pytest.mark.processes

PARTIES = ("blue", "red")


@dataclass
class Watch:
    """One party's watch at its terminal, on a line that can be cut."""

    member: Member
    network: Network

    @property
    def party(self) -> str:
        return self.member.party

    @property
    def peer(self) -> str:
        return PARTIES[1 - PARTIES.index(self.party)]

    def run(self, *words: object) -> Result:
        options = ("--node", self.member.path, "--as", "watch")
        return CliRunner().invoke(main, [str(word) for word in (*words, *options)])

    def ok(self, *words: object, code: int = 0) -> str:
        result = self.run(*words)
        assert result.exit_code == code, result.output
        return result.output

    def json(self, *words: object, code: int = 0) -> Any:
        return json.loads(self.ok(*words, "--json", code=code))

    @property
    def line(self) -> dict[str, Any]:
        with self.member.api() as api:
            return api.line(self.peer)

    def say(self, number: int = 1) -> list[str]:
        with self.member.api() as api:
            return [str(api.send(self.peer, "SAFETY", SAFETY)["hash"]) for _ in range(number)]

    def state_of(self, message: str) -> str:
        with self.member.api() as api:
            return str(api.get(f"/messages/{message}")["state"])

    def rules(self) -> set[str]:
        with self.member.api() as api:
            return {alert["rule"] for alert in api.alerts()}

    def until(self, state: str) -> None:
        wait_until(lambda: self.line["state"] == state, 15, f"{self.party} {state}")


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Watch, Watch]]:
    root = tmp_path_factory.mktemp("bearers")
    network, members = make_networked(root, PARTIES)
    with ExitStack() as stack:
        stack.enter_context(network.running())
        nursery = stack.enter_context(Nursery())
        for party, member in members.items():
            file = token_path(member.path, "watch")
            file.parent.mkdir(mode=0o700, exist_ok=True)
            file.touch(mode=0o600)
            file.write_text(member.token)
            node = nursery.start(member, root / f"{party}.out")
            stack.callback(node.kill)
            node.ready()
        blue, red = (Watch(members[party], network) for party in PARTIES)
        for watch in (blue, red):
            watch.until("UP")
        yield blue, red


@pytest.fixture
def cut(pair: tuple[Watch, Watch]) -> Iterator[tuple[Watch, Watch]]:
    """Both nodes run and neither hears the other; afterwards both agree, and nobody is accused."""
    network = pair[0].network
    network.cut(*PARTIES)
    for watch in pair:
        watch.until("DOWN")
    yield pair
    network.mend()
    for watch in pair:
        watch.until("UP")
    for one, other in (pair, pair[::-1]):
        wait_until(
            lambda one=one: one.line["receipted_seq"] == one.line["own_seq"], 15, "all receipted"
        )
        assert other.line["peer_seq"] == one.line["own_seq"]
        assert not {rule for rule in one.rules() if "FORK" in rule or "RECEIPT_C" in rule}
        said = one.json("log")
        assert len({message["hash"] for message in said}) == len(said)


def _brought(how: str, path: Path) -> list[Path]:
    """What the other side takes in: the file, or the text of the codes that a scanner reads."""
    if how != "--qr":
        return [path]
    scanned = path.with_suffix(".txt")
    pages = sorted(path.parent.glob(f"{path.stem}*.svg"))
    scanned.write_text("\n".join(text for page in pages for text in scan(page.read_text())))
    return [scanned]


@pytest.mark.parametrize(
    ("there", "back"), [("--out", "--email"), ("--email", "--qr"), ("--qr", "--out")]
)
def test_what_is_carried_is_receipted_by_what_is_carried_back(
    there: str, back: str, cut: tuple[Watch, Watch], tmp_path: Path
) -> None:
    blue, red = cut
    (message,) = blue.say()
    assert blue.state_of(message) in ("QUEUED", "SENT")
    waiting = blue.ok("line", "status")
    assert "DOWN to red. Messages of yours without its receipt: 1." in waiting
    assert "deconflict line carry red --email FILE" in waiting
    assert message[:10] in blue.ok("line", "carry", "red")
    (tmp_path / "there").mkdir()
    (tmp_path / "back").mkdir()
    sent, answer = tmp_path / "there" / "page.svg", tmp_path / "back" / "page.svg"
    blue.ok("line", "carry", "red", there, sent)
    assert blue.state_of(message) in ("QUEUED", "SENT")  # carried is not sent, far less held
    taken = red.json("line", "take", "blue", *_brought(there, sent))["taken"][0]
    assert [one["outcome"] for one in taken["messages"] if one["hash"] == message] == ["NEW"]
    again = red.json("line", "take", "blue", *_brought(there, sent))["taken"][0]
    assert {one["outcome"] for one in again["messages"]} == {"HELD_BEFORE"}
    red.ok("line", "carry", "blue", back, answer)
    for newly in (1, 0):
        back_again = blue.json("line", "take", "red", *_brought(back, answer))["taken"][0]
        assert back_again["newly_receipted"] == newly
    assert blue.state_of(message) == "LACKED"
    assert blue.line["state"] == "DOWN"


def test_parcels_in_the_wrong_order_wait_for_what_is_missing(
    cut: tuple[Watch, Watch], tmp_path: Path
) -> None:
    blue, red = cut
    messages = blue.say(3)
    first = blue.line["own_seq"] - 2
    files = [tmp_path / name for name in ("last", "middle", "first")]
    for file, message in zip(files, reversed(messages), strict=True):
        blue.ok("line", "carry", "red", "--out", file, "--message", message)
    late = red.ok("line", "take", "blue", files[0], code=1)
    assert f"MISSING numbers {first} to {first + 1} of blue" in late
    # It is not in the record, and what it says is shown all the same.
    assert "NOT LOGGED, answer by voice  SAFETY" in late
    assert "personnel are within" in late
    assert "BROUGHT_UNLOGGED" in red.rules()
    middle = red.json("line", "take", "blue", files[1], code=1)["taken"][0]
    assert middle["missing_last_seq"] == first
    whole = red.json("line", "take", "blue", files[2])["taken"][0]
    assert [one["outcome"] for one in whole["messages"]] == ["NEW"] * 3
    assert whole["missing_first_seq"] is None
    assert "BROUGHT_UNLOGGED" not in red.rules()


def test_what_does_not_fit_is_counted(cut: tuple[Watch, Watch]) -> None:
    blue, _ = cut
    messages = blue.say(4)
    with blue.member.api() as api:
        made = api.post("/lines/red/parcel", {"max_bytes": 4_000})
        nothing = api.post("/lines/red/parcel", {"max_bytes": 1_000})
    assert made["left_out"] + len(made["messages"]) == len(messages)
    assert made["left_out_from_seq"] == made["messages"][-1]["seq"] + 1
    assert (nothing["messages"], nothing["left_out"]) == ([], 4)
    assert nothing["left_out_bytes"] > 1_000


def test_hostile_parcels_are_refused_and_named(cut: tuple[Watch, Watch], tmp_path: Path) -> None:
    blue, red = cut
    blue.say(2)
    file = tmp_path / "parcel"
    blue.ok("line", "carry", "red", "--out", file)
    whole = file.read_bytes()
    held = red.line["peer_seq"]
    for spoilt, why in (
        (whole[:-100], "cut off"),
        (whole.replace(b'"from":"blue"', b'"from":"plue"'), "changed on the way"),
        (_summed(whole, b'"to":"red"', b'"to":"tan"'), "wrong parties"),
        (_summed(whole, b'"line":"', b'"line":"' + b"0" * 32, cut=32), "another line"),
        (b"garbage\n" * 10_000, "no parcel"),
    ):
        file.write_bytes(spoilt)
        result = red.run("line", "take", "blue", file)
        assert result.exit_code in (1, 2)
        assert why in result.output
    assert blue.run("line", "take", "red", file).exit_code == 2
    # A packet whose signature does not hold, below a sum that does: what came before it stands.
    signature = whole.rindex(b'"signature":"') + len(b'"signature":"')
    other = b"A" if whole[signature : signature + 1] != b"A" else b"B"
    file.write_bytes(_sum(whole[:signature] + other + whole[signature + 1 : -65]))
    taken = red.json("line", "take", "blue", file, code=1)["taken"][0]
    assert taken["refused"]["type"] == "BadSignatureError"
    file.write_bytes(whole)
    blue_takes = blue.run("line", "take", "red", file)
    assert "made by this side" in blue_takes.output
    red.ok("line", "take", "blue", file)
    assert red.line["peer_seq"] == held + 2


def _sum(data: bytes) -> bytes:
    return data + hashlib.sha256(data).hexdigest().encode() + b"\n"


def _summed(whole: bytes, old: bytes, new: bytes, *, cut: int = 0) -> bytes:
    """The parcel with one thing in its head replaced, and a sum that fits."""
    at = whole.index(old)
    return _sum(whole[:at] + new + whole[at + len(old) + cut : -65])


def _heard(watch: Watch, script: dict[str, Any], **changed: str) -> Result:
    """Type in what was said, some of it otherwise."""
    values = {"where": "35.4012 N 35.9487 E", "reach": "2km", "since": "2015-09-30T06:12:00Z"}
    options = [f"--value={name}={value}" for name, value in (values | changed).items()]
    return watch.run(
        *("line", "heard", watch.peer, "--number", script["number"], "--template", 208),
        *("--message", script["message"][:8], "--check", script["check"], *options),
    )


def test_what_was_said_by_voice_is_not_authentic_until_its_message_is_there(
    cut: tuple[Watch, Watch],
) -> None:
    blue, red = cut
    (message,) = blue.say()
    script = blue.json("line", "carry", "red", "--voice", message)
    assert _heard(red, script, reach="3km").exit_code == 1  # the check digits tell
    assert "VOICE_HEARD" not in red.rules()
    assert _heard(red, script).exit_code == 0
    assert "VOICE_HEARD" in red.rules()
    blue.ok("line", "spoken", "red", message)
    blue.network.mend()
    for watch in cut:
        watch.until("UP")
        wait_until(lambda watch=watch: watch.line["receipted_seq"] == watch.line["own_seq"], 15, "")
    wait_until(lambda: "VOICE_HEARD" not in red.rules(), 10, "the signed message")
    assert not {"VOICE_DIFFERS", "VOICE_NOT_SENT"} & (blue.rules() | red.rules())


def test_what_was_heard_otherwise_than_signed_alarms_both_desks(cut: tuple[Watch, Watch]) -> None:
    blue, red = cut
    (message,) = blue.say()
    script = blue.json("line", "carry", "red", "--voice", message)
    misheard = {**script, "check": "000000"}
    assert _heard(red, misheard, reach="3km").exit_code == 1
    values = ["--value=where=35.4012 N 35.9487 E", "--value=reach=3km"]
    red.ok(
        *("line", "heard", "blue", "--number", script["number"], "--template", 208),
        *("--message", message[:8], "--check", script["check"], "--as-heard", *values),
        "--value=since=2015-09-30T06:12:00Z",
    )
    blue.network.mend()
    for watch in cut:
        wait_until(lambda watch=watch: "VOICE_DIFFERS" in watch.rules(), 20, "the alarm")
    assert "VOICE_HEARD" not in red.rules()
