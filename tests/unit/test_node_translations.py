"""Translations of what somebody wrote: unofficial, each its translator's, kept at home (R34)."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from click.testing import CliRunner
from test_node_runtime import runtime_of

from deconflict.cli.client import NodeClient
from deconflict.cli.translate import translate
from deconflict.errors import InvalidDocumentError, LineStateError, NotFoundError, NotPermittedError
from deconflict.messages.bodies import SafetyOfFlight
from deconflict.messages.kinds import Kind
from deconflict.node import translations
from deconflict.node.actor import Actor, Role
from deconflict.node.service import Node
from deconflict.node.translations import TranslationBook
from deconflict.replay.world import DESKS
from node_pair import NodePair, node_pair

ANNA = Actor("anna", frozenset({Role.INTERPRETER}), DESKS[0])
BORIS = Actor("boris", frozenset({Role.WATCH_OFFICER}), DESKS[0])
ADVISER = Actor("clara", frozenset({Role.LEGAL_ADVISER}), DESKS[0])
WRITTEN = SafetyOfFlight(
    phrase=208,
    values={
        "where": {"lat_e7": 354_000_000, "lon_e7": 359_000_000},
        "reach": 2_000_000,
        "since": "2015-09-30T06:00:00.000Z",
    },
    not_binding="Двое ранены.",
)


def run(test: Callable[[NodePair, Node, str], Awaitable[None]]) -> None:
    async def inside(pair: NodePair, message: str) -> None:
        async with runtime_of(pair) as runtime:
            await test(pair, Node(pair.blue.core, runtime, pair.blue.store), message)

    with node_pair() as pair:
        message = pair.say("red", Kind.SAFETY, WRITTEN)
        pair.run_for(2)
        asyncio.run(inside(pair, message))


def test_a_message_is_shown_with_what_each_translator_made_of_it_and_stays_as_it_was() -> None:
    async def test(pair: NodePair, node: Node, message: str) -> None:
        before = await node.message(message)
        said = len(await node.messages(pair.line_id, outgoing=True))
        await node.translate(ANNA, message, "en", ["Two are hurt."])
        shown = await node.translate(BORIS, message, "en", ["Two are wounded."])
        assert [(each.translator, each.lines) for each in shown.translations] == [
            ("anna", ("Two are hurt.",)),
            ("boris", ("Two are wounded.",)),
        ]
        assert (shown.text, shown.body) == (before.text, before.body)
        assert len(await node.messages(pair.line_id, outgoing=True)) == said
        again = await node.translate(ANNA, message, "en", ["Two of theirs are hurt."])
        assert len(again.translations) == 2
        left = await node.untranslate(BORIS, message, "en")
        assert [each.lines for each in left.translations] == [("Two of theirs are hurt.",)]
        with pytest.raises(NotFoundError):  # another's stays
            await node.untranslate(BORIS, message, "en")

    run(test)


def test_a_translation_outlasts_the_node() -> None:
    async def test(pair: NodePair, node: Node, message: str) -> None:
        await node.translate(ANNA, message, "en", ["Two are hurt."])
        book = TranslationBook(pair.blue.store.notes(translations.TRANSLATION))
        assert [(each.by, each.lines) for each in book.of(message)] == [
            ("anna", ("Two are hurt.",))
        ]

    run(test)


def test_who_may_not_write_translates_nothing_and_what_is_none_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def test(pair: NodePair, node: Node, message: str) -> None:
        with pytest.raises(NotPermittedError):
            await node.translate(ADVISER, message, "en", ["Two are hurt."])
        with pytest.raises(NotFoundError):
            await node.translate(ANNA, "ab" * 32, "en", ["Two are hurt."])
        for language, lines in (("xx", ["a"]), ("en", []), ("en", [" "]), ("en", ["a\x1b[2J"])):
            with pytest.raises(InvalidDocumentError):
                await node.translate(ANNA, message, language, lines)
        monkeypatch.setattr(translations, "MOST_TRANSLATIONS", 1)
        await node.translate(ANNA, message, "en", ["Two are hurt."])
        with pytest.raises(LineStateError):
            await node.translate(ANNA, message, "ar", ["Two are hurt."])

    run(test)


class Desk:
    """Answers as a node would that holds one message."""

    def __init__(self) -> None:
        self.asked: tuple[tuple[str, ...], dict[str, Any]] = ((), {})

    def __enter__(self) -> "Desk":
        return self

    def __exit__(self, *_: object) -> None: ...

    def message(self, wanted: str) -> dict[str, Any]:
        return {"hash": wanted.ljust(64, "0")}

    def post(self, *parts: str, body: dict[str, Any]) -> dict[str, Any]:
        self.asked = parts, body
        made = {"language": "en", "lines": body["lines"], "translator": "anna"}
        return {"translations": [made | {"written_utc": "2015-09-30T06:12:00.000Z"}]}


def test_the_command_sends_lines_and_shows_them_as_unofficial(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    desk = Desk()
    monkeypatch.setattr(NodeClient, "of", lambda *_: desk)
    typed = CliRunner().invoke(translate, ["9f86", "--language", "en", "-"], input="one\n\ntwo\n")
    assert typed.exit_code == 0, typed.output
    assert desk.asked[1] == {"language": "en", "lines": ["one", "two"]}
    assert desk.asked[0] == ("messages", "9f86".ljust(64, "0"), "translations")
    assert (
        "UNOFFICIAL TRANSLATION (en), by anna, 2015-09-30 06:12:00Z:\n  one\n  two" in typed.output
    )
    for wrong in (["9f86", "--language", "en"], ["9f86", "x", "--language", "en", "--delete"]):
        assert CliRunner().invoke(translate, wrong).exit_code == 2
