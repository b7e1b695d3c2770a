"""UTC clocks that jump every second, through 1970 and 2038, in real nodes: no deadline is late."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest
from tests.processes.network import Network, make_networked
from tests.processes.nodes import SAFETY, Api, Member, Nursery, wait_until

pytestmark = pytest.mark.processes

PARTIES = ("blue", "red")
BUSY_MACHINE_S = 1.5


@dataclass
class Mad:
    """Two running nodes whose UTC clocks jump."""

    network: Network
    members: dict[str, Member]


@pytest.fixture(scope="module")
def mad(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mad]:
    root = tmp_path_factory.mktemp("clocks")
    network, members = make_networked(root, PARTIES)
    with ExitStack() as stack:
        stack.enter_context(network.running())
        nursery = stack.enter_context(Nursery("tests.faults.node_taps:mad_clock", "-"))
        for party, member in members.items():
            node = nursery.start(member, root / f"{party}.out")
            stack.callback(node.kill)
            node.ready()
        yield Mad(network, members)


def alert(api: Api, rule: str, subject: str) -> dict[str, Any] | None:
    found = (one for one in api.alerts() if (one["rule"], one["subject"]) == (rule, subject))
    return next(found, None)


def test_the_clocks_do_jump(mad: Mad) -> None:
    with mad.members["blue"].api() as api:
        years = set()
        for _ in range(12):
            years.add(
                api.send("red", "ACCOUNT", {"event": "a word", "fields": {"number": 1}})["seq"]
            )
            time.sleep(0.5)
        said = api.get("/lines/red/messages?limit=100")
    assert {one["created_utc"][:4] for one in said} >= {"1970", "2038"}


def test_every_alarm_of_a_flash_comes_in_time(mad: Mad) -> None:
    with mad.members["blue"].api() as api:
        wait_until(lambda: api.line("red")["state"] == "UP", 10, "UP")
        mad.network.cut(*PARTIES)
        began = time.monotonic()
        posted = api.send("red", "SAFETY", SAFETY)
        wait_until(
            lambda: alert(api, "NO_RECEIPT", posted["hash"]), 2 + BUSY_MACHINE_S, "NO_RECEIPT"
        )
        wait_until(lambda: api.line("red")["state"] == "DOWN", 3.5 + BUSY_MACHINE_S, "DOWN")
        took_s = time.monotonic() - began
        mad.network.mend()
        wait_until(lambda: api.line("red")["state"] == "UP", 10, "UP")
        wait_until(lambda: not alert(api, "NO_RECEIPT", posted["hash"]), 10, "the receipt")
    assert took_s < 3.5 + BUSY_MACHINE_S
