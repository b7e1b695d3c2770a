"""What is said on a line."""

from dataclasses import asdict
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from deconflict.api.answer import REFUSALS, answer
from deconflict.api.permit import OperatorRoute, actor_of, needs
from deconflict.api.routes.base import BASE
from deconflict.api.schemas import Digits, Outgoing, ReadbackTried, TranslationWanted
from deconflict.api.services import services_of
from deconflict.errors import InvalidDocumentError
from deconflict.messages.kinds import KINDS
from deconflict.messages.readback import ReadbackRow
from deconflict.node.actor import Action
from deconflict.node.speech import ScriptView, script_languages, script_of
from deconflict.node.views import MessageView, Posted

__all__ = ["ROUTES"]

# What a releasing officer releases (R43) must not pass as an ordinary message.
_RELEASED: Final = frozenset(kind.value for kind, form in KINDS.items() if form.two_persons)

router = APIRouter(prefix=BASE, tags=["messages"], route_class=OperatorRoute, responses=REFUSALS)


@router.post("/lines/{line}/messages", response_model=Posted)
@needs(Action.WARN)
async def send_message(
    line: str,
    message: Outgoing,
    request: Request,
) -> Response:
    """Send a message: a safety message, a query, an answer, a readback, a line check and so on.

    The answer comes once the message is durable here and on its way; follow its delivery by
    `GET /messages/{hash}` or the event stream. Declarations and terms have calls of their own.
    """
    actor = actor_of(request)
    if message.kind in _RELEASED:
        raise InvalidDocumentError(
            "a message of this kind has a call of its own",
            given=message.kind,
            remedy="POST /declarations and what follows it, /lines/{line}/terms/… or "
            "/lines/{line}/readouts",
        )
    posted = await services_of(request).node.send(
        actor,
        line,
        message.kind,
        message.body,
        ref=message.ref,
        precedence=message.precedence,
        to_desk=message.to_desk,
        drill=message.drill,
        release=message.release,
        lang=message.lang,
        expires_after_ms=message.expires_after_ms,
        answer_within_ms=message.answer_within_ms,
    )
    return answer(posted)


@router.get("/lines/{line}/messages", response_model=list[MessageView])
@needs(Action.READ)
async def list_messages(
    line: str,
    request: Request,
    after_seq: Annotated[Digits, Query(ge=0, description="start behind this position")] = 0,
    limit: Annotated[Digits, Query(ge=1, le=1000)] = 200,
    direction: Annotated[
        Literal["out", "in"] | None, Query(description="ours or the peer's alone")
    ] = None,
    last: Annotated[
        Digits | None,
        Query(ge=1, le=100_000, description="begin at the latest so many of each party"),
    ] = None,
) -> Response:
    """Read a line's record, in order; go on behind the last `position`.

    The steps of private checks, which nodes say to each other by the hundred, are left out; a
    search of the record has them. Acknowledged is not permission.
    """
    outgoing = None if direction is None else direction == "out"
    found = await services_of(request).node.messages(
        line,
        after_seq=after_seq,
        limit=limit,
        outgoing=outgoing,
        last=last,
        language=actor_of(request).language,
    )
    return answer(found)


@router.get("/messages/{message_hash}", response_model=MessageView)
@needs(Action.READ)
async def view_message(
    message_hash: str,
    request: Request,
) -> Response:
    """Show one message and its state of delivery.

    `text` is in the reader's language; `text_author`, where that is another, what the author's desk
    reads. Free text stands in both as it was written.
    """
    language = actor_of(request).language
    return answer(await services_of(request).node.message(message_hash, language=language))


@router.get("/messages/{message_hash}/script", response_model=ScriptView)
@needs(Action.READ)
async def say_aloud(message_hash: str, request: Request) -> Response:
    """Return what to say of an own message over a telephone, in each language of its line.

    Every digit is spelled and everything is said twice; the check digits tell what was misheard.
    What is heard is not authentic until the signed message is there.
    """
    node, language = services_of(request).node, actor_of(request).language
    message = await node.message(message_hash, language=language)
    terms = node.terms(message.line_id).agreed
    return answer(script_of(asdict(message), script_languages(language, terms)))


@router.post("/messages/{message_hash}/readback", response_model=list[ReadbackRow])
@needs(Action.CHECK)
async def try_readback(
    message_hash: str,
    wanted: ReadbackTried,
    request: Request,
) -> Response:
    """Show a readback field by field beside the declaration that it is of. Nothing is sent."""
    node = services_of(request).node
    return answer(await node.try_readback(actor_of(request), message_hash, wanted.values))


@router.get("/messages/{message_hash}/readback", response_model=list[ReadbackRow])
@needs(Action.READ)
async def compare_readback(
    message_hash: str,
    request: Request,
) -> Response:
    """Show a READBACK field by field beside the declaration that it is of."""
    node = services_of(request).node
    return answer(await node.compared_readback(actor_of(request), message_hash))


@router.post("/messages/{message_hash}/seen", response_model=Posted)
@needs(Action.SEND)
async def mark_seen(
    message_hash: str,
    request: Request,
) -> Response:
    """Tell the peer that a person has read this message. It says nothing about agreeing."""
    actor = actor_of(request)
    return answer(await services_of(request).node.seen(actor, message_hash))


@router.post("/messages/{message_hash}/translations", response_model=MessageView)
@needs(Action.WRITE_PAPERS)
async def translate(message_hash: str, wanted: TranslationWanted, request: Request) -> Response:
    """Keep this account's translation of what somebody wrote; answers with the message.

    It is unofficial: the text of the message stays authentic in its author's language. It bears the
    account's name, stays at this node and is never sent.
    """
    node, actor = services_of(request).node, actor_of(request)
    return answer(await node.translate(actor, message_hash, wanted.language, wanted.lines))


@router.delete("/messages/{message_hash}/translations/{language}", response_model=MessageView)
@needs(Action.WRITE_PAPERS)
async def untranslate(message_hash: str, language: str, request: Request) -> Response:
    """Forget this account's own translation of a message; another's stays."""
    node, actor = services_of(request).node, actor_of(request)
    return answer(await node.untranslate(actor, message_hash, language))


ROUTES = tuple(router.routes)
