"""Calls: arranged, recorded, told of; and what a party keeps of them for itself."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from deconflict.api.answer import REFUSALS, answer
from deconflict.api.permit import OperatorRoute, actor_of, needs
from deconflict.api.routes.base import BASE
from deconflict.api.schemas import AboutCall, NewPaper, PaperText
from deconflict.api.services import services_of
from deconflict.node.actor import Action
from deconflict.node.call_views import CallView, PaperView, TalkView
from deconflict.node.views import Posted

__all__ = ["ROUTES"]

router = APIRouter(prefix=BASE, tags=["calls"], route_class=OperatorRoute, responses=REFUSALS)


@router.get("/talks", response_model=list[TalkView])
@needs(Action.READ)
async def list_talks(
    request: Request,
    line: str | None = None,
    ahead: Annotated[
        bool, Query(description="true: only what is open or still to be held")
    ] = False,
) -> Response:
    """List calls that are asked for, arranged or over, the soonest first.

    A request without an answer is no consent, and an offer whose time has come has lapsed.
    """
    language = actor_of(request).language
    return answer(services_of(request).node.talks(line, ahead_only=ahead, language=language))


@router.post("/lines/{line}/talks", response_model=Posted)
@needs(Action.TALK)
async def send_talk(line: str, message: AboutCall, request: Request) -> Response:
    """Ask for a call, counter, accept, decline, call off; or record one that was held."""
    posted = await services_of(request).node.talk(
        actor_of(request),
        line,
        message.kind,
        message.body,
        ref=message.ref,
        to_desk=message.to_desk,
        drill=message.drill,
        release=message.release,
    )
    return answer(posted)


@router.get(
    "/lines/{line}/talks/{message_hash}/calendar",
    response_class=Response,
    responses={200: {"content": {"text/calendar": {}}}},
)
@needs(Action.READ)
async def call_calendar(line: str, message_hash: str, request: Request) -> Response:
    """Return the times of a call as an iCalendar file: tentative, confirmed or cancelled.

    It names no persons, and the other party only by its line's id.
    """
    language = actor_of(request).language
    content = services_of(request).node.calendar(line, message_hash, language=language)
    return Response(
        content,
        media_type="text/calendar; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="call.ics"'},
    )


@router.get("/calls", response_model=list[CallView])
@needs(Action.READ)
async def list_calls(request: Request, line: str | None = None) -> Response:
    """List the calls that were held: each side's record, where they differ, the readouts."""
    return answer(services_of(request).node.call_log(line))


@router.post("/lines/{line}/readouts", response_model=Posted)
@needs(Action.READOUT)
async def send_readout(line: str, message: AboutCall, request: Request) -> Response:
    """Propose a readout, sign the peer's, state one's own, or withhold details."""
    posted = await services_of(request).node.readout(
        actor_of(request),
        line,
        message.kind,
        message.body,
        ref=message.ref,
        to_desk=message.to_desk,
        drill=message.drill,
        release=message.release,
    )
    return answer(posted)


@router.get("/lines/{line}/papers", response_model=list[PaperView])
@needs(Action.READ_PAPERS)
async def list_papers(line: str, request: Request, call: str | None = None) -> Response:
    """List own notes of calls and drafts of readouts. They are kept here and never sent."""
    return answer(services_of(request).node.papers(actor_of(request), line, call))


@router.post("/lines/{line}/papers", response_model=PaperView)
@needs(Action.WRITE_PAPERS)
async def write_paper(line: str, paper: NewPaper, request: Request) -> Response:
    """Keep a note of a call, or a draft of a readout."""
    kept = await services_of(request).node.write_paper(
        actor_of(request), line, paper.kind, paper.texts, call=paper.call
    )
    return answer(kept)


@router.post("/lines/{line}/papers/{name}", response_model=PaperView)
@needs(Action.WRITE_PAPERS)
async def rewrite_paper(line: str, name: str, paper: PaperText, request: Request) -> Response:
    """Put another text in the place of what a note or draft said."""
    kept = await services_of(request).node.write_paper(
        actor_of(request), line, "note", paper.texts, paper_id=name
    )
    return answer(kept)


@router.delete("/papers/{name}", response_model=PaperView)
@needs(Action.WRITE_PAPERS)
async def drop_paper(name: str, request: Request) -> Response:
    """Throw a note or a draft away; nothing of it was ever sent."""
    return answer(await services_of(request).node.drop_paper(actor_of(request), name))


ROUTES = tuple(router.routes)
