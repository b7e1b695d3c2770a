"""The cable between two nodes is cut: in namespaces of the kernel, without a proxy in between.

Nothing else is there for them: no other network, no third machine (R44).
"""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace

import pytest
from tests.processes.namespaces import ADDRESSES, Namespaces, why_not
from tests.processes.nodes import EventStream, Member, Process, free_port, make_nodes, wait_until

from deconflict.node.folder import NodeFolder
from deconflict.node.settings import Endpoint

pytestmark = [pytest.mark.processes, pytest.mark.timeout(240)]

# line.md §8, and half a second more for a busy machine.
DOWN_S = 3.5 + 0.5
ONE_WAY_DOWN_S = 5.0 + 0.5
# A connection on which TCP waits for its next repetition is given up and made anew.
UP_S = 15.0
HELD_S = 6.0

Cut = Callable[[Namespaces], None]
CUTS: dict[str, tuple[Cut, Cut, float]] = {
    "both ways": (lambda n: n.cut("blue", "red"), Namespaces.mend, DOWN_S),
    "blue is not heard": (lambda n: n.cut("blue"), Namespaces.mend, ONE_WAY_DOWN_S),
    "red is not heard": (lambda n: n.cut("red"), Namespaces.mend, ONE_WAY_DOWN_S),
    "the cable is out": (Namespaces.unplug, Namespaces.plug_in, DOWN_S),
}


@dataclass
class Desks:
    """Two running nodes, each in a namespace of its own, each with an open event stream."""

    namespaces: Namespaces
    members: dict[str, Member]
    streams: dict[str, EventStream]

    def shown(self, party: str, state: str, since: float, limit_s: float) -> float:
        """Return how long after ``since`` the party's desk showed this."""

        def found() -> float | None:
            heard = list(self.streams[party].heard)
            times = (at for at, kind, data in heard if kind == "line" and data["state"] == state)
            return next((at for at in times if at > since), None)

        at = wait_until(found, limit_s + 3, f"{party} to show {state}")
        assert at is not None
        return at - since

    def wait_up(self) -> None:
        for party, member in self.members.items():
            with self.namespaces.inside(party), member.api() as api:
                wait_until(lambda api=api: api.get("/lines")[0]["state"] == "UP", 20, "UP")


@pytest.fixture(scope="module")
def desks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desks]:
    reason = why_not()
    if reason is not None:
        pytest.skip(f"NO CABLE WAS CUT: this machine makes no network namespaces: {reason}")
    ports = {party: free_port() for party in ADDRESSES}
    urls = {party: f"https://{ADDRESSES[party]}:{ports[party]}" for party in ADDRESSES}
    members = make_nodes(tmp_path_factory.mktemp("cable"), tuple(ADDRESSES), peer_urls=urls)
    with ExitStack() as stack:
        namespaces = stack.enter_context(Namespaces())
        namespaces.make()
        streams = {}
        for party, member in members.items():
            listen = Endpoint(ADDRESSES[party], ports[party])
            settings = replace(member.folder.settings, peer_listen=listen)
            (member.path / "node.toml").write_text(settings.render())
            members[party] = Member(NodeFolder.open(member.path), member.token)
            with namespaces.inside(party):
                node = stack.enter_context(Process(members[party]))
                node.ready()
                api = stack.enter_context(members[party].api())
                streams[party] = stack.enter_context(api.events())
        yield Desks(namespaces, members, streams)


@pytest.mark.parametrize("name", CUTS)
def test_a_cut_cable_is_shown_on_both_desks_and_so_is_its_end(name: str, desks: Desks) -> None:
    cut, mend, limit_s = CUTS[name]
    desks.wait_up()
    began = time.monotonic()
    cut(desks.namespaces)
    down = [desks.shown(party, "DOWN", began, limit_s) for party in ADDRESSES]
    time.sleep(max(0.0, HELD_S - (time.monotonic() - began)))
    mended = time.monotonic()
    mend(desks.namespaces)
    up = [desks.shown(party, "UP", mended, UP_S) for party in ADDRESSES]
    print(f"{name}: DOWN after {down[0]:.2f} s and {down[1]:.2f} s, UP after {max(up):.2f} s")
    assert max(down) < limit_s
    assert max(up) < UP_S


def test_what_is_said_while_the_cable_is_cut_arrives_after_it(desks: Desks) -> None:
    desks.wait_up()
    said = {"event": "a word", "fields": {"number": 1}}
    desks.namespaces.cut("blue", "red")
    with desks.namespaces.inside("blue"), desks.members["blue"].api() as api:
        posted = api.send("red", "ACCOUNT", said)
        time.sleep(1)
        assert api.get(f"/messages/{posted['hash']}")["state"] in ("QUEUED", "SENT")
        desks.namespaces.mend()
        wait_until(
            lambda: api.get(f"/messages/{posted['hash']}")["state"] == "LACKED", UP_S, "a receipt"
        )
