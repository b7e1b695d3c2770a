"""The live stream inside the node: nothing lost, nothing twice, whoever reads how slowly."""

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from deconflict.errors import InvalidInputError
from deconflict.node import events
from deconflict.node.events import EventHub
from deconflict.node.views import EventView


def event(event_id: int) -> EventView:
    return EventView(event_id, "2015-09-30T06:12:00.000Z", "message", {"n": event_id})


class Stored:
    """The events of a record; with each page read, some more happen meanwhile."""

    def __init__(self, count: int) -> None:
        self.rows = [event(n) for n in range(1, count + 1)]
        self.meanwhile: list[list[EventView]] = []
        self.hub = EventHub(self.read, last_event_id=count)

    async def read(self, after_id: int, limit: int) -> Sequence[EventView]:
        page = self.rows[after_id : after_id + limit]
        if self.meanwhile:
            self.happen(self.meanwhile.pop())
        return page

    def happen(self, new: list[EventView]) -> None:
        self.rows += new
        self.hub.publish(new)


async def ids(hub: EventHub, after_id: int, until: int) -> list[list[int]]:
    found: list[list[int]] = []
    stream = hub.stream(after_id)
    async for some in stream:
        found.append([each.event_id for each in some])
        if found[-1][-1] >= until:
            break
    await stream.aclose()
    return found


def flat(found: list[list[int]]) -> list[int]:
    return [each for some in found for each in some]


def test_what_happens_while_the_record_is_read_comes_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "_PAGE", 2)
    stored = Stored(5)
    stored.meanwhile = [[event(8)], [event(6), event(7)]]
    assert flat(asyncio.run(ids(stored.hub, 1, 8))) == list(range(2, 9))


def test_what_happened_meanwhile_comes_together() -> None:
    async def scenario() -> list[list[int]]:
        hub = Stored(0).hub
        reading = asyncio.create_task(ids(hub, 0, 5))
        await asyncio.sleep(0)
        hub.publish([event(1), event(2)])
        hub.publish([event(3)])
        await asyncio.sleep(0.01)
        hub.publish([event(4), event(5)])
        return await reading

    assert asyncio.run(scenario()) == [[1, 2, 3], [4, 5]]


def test_a_reader_too_far_behind_is_let_go_without_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "_BACKLOG", 3)

    async def scenario() -> list[int]:
        stored = Stored(0)
        stream = stored.hub.stream(0)
        first = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0)
        stored.happen([event(1)])
        read = [each.event_id for each in await first]
        stored.happen([event(2), event(3)])
        stored.happen([event(4), event(5)])
        read += [each.event_id async for some in stream for each in some]
        assert read == [1]
        return read + flat(await ids(stored.hub, read[-1], 5))

    assert asyncio.run(scenario()) == [1, 2, 3, 4, 5]


def test_a_hub_that_closes_ends_its_streams() -> None:
    async def scenario() -> list[list[int]]:
        hub = Stored(0).hub
        reading = asyncio.create_task(ids(hub, 0, 1))
        await asyncio.sleep(0)
        hub.close()
        return await reading + await ids(hub, 0, 1)

    assert asyncio.run(scenario()) == []


def test_an_id_of_another_record_is_refused() -> None:
    async def scenario() -> Any:
        return await anext(Stored(3).hub.stream(4))

    with pytest.raises(InvalidInputError, match="no event of this number"):
        asyncio.run(scenario())


def test_every_reader_gets_the_bytes_that_are_stored() -> None:
    one = event(1)
    assert one.data_json is one.data_json
    assert msgspec.json.decode(one.data_json) == one.data
