"""Looking into the record: search, what each side knew, and whether a file verifies."""

from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from deconflict.airspace.instant import parse_utc
from deconflict.api.answer import REFUSALS, answer
from deconflict.api.permit import OCTETS, OperatorRoute, StreamedRoute, actor_of, needs
from deconflict.api.routes.base import BASE
from deconflict.api.schemas import FileAnnounced, Instant, RecordSearch
from deconflict.api.services import services_of
from deconflict.node.actor import Action
from deconflict.node.inquiries.views import InquiryView
from deconflict.node.record_search import Found

__all__ = ["ROUTES"]

router = APIRouter(prefix=BASE, tags=["record"], route_class=OperatorRoute, responses=REFUSALS)
streamed = APIRouter(prefix=BASE, tags=["record"], route_class=StreamedRoute, responses=REFUSALS)

_BYTES: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {OCTETS: {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.post("/record/search", response_model=Found)
@needs(Action.READ)
async def search_record(
    wanted: RecordSearch,
    request: Request,
) -> Response:
    """Find messages in the whole record, the newest first, as this node logged them.

    A page is a bounded piece of work: it may hold fewer than `limit`, or none, while `after` says
    where the next one goes on. The search is over when `after` is null.
    """
    found = await services_of(request).node.find_messages(
        actor_of(request),
        line=wanted.line,
        kind=wanted.kind,
        party=wanted.party,
        desk=wanted.desk,
        from_ms=None if wanted.from_utc is None else parse_utc(wanted.from_utc),
        until_ms=None if wanted.until_utc is None else parse_utc(wanted.until_utc),
        text=wanted.text,
        after=wanted.after,
        limit=wanted.limit,
    )
    return answer(found)


@router.post("/inquiries/known-at", response_model=InquiryView)
@needs(Action.READ)
async def ask_known_at(
    wanted: Instant,
    request: Request,
) -> Response:
    """Ask what each side of a line provably knew at an instant; the answer takes a while.

    The record is verified first, in a process beside the node. Follow it by
    `GET /inquiries/{inquiry}`. One for an account at a time, two in all.
    """
    at_ms = parse_utc(wanted.at_utc)
    node = services_of(request).node
    return answer(node.known_at(actor_of(request), wanted.line, at_ms))


@router.post("/inquiries/verify", response_model=InquiryView)
@needs(Action.READ)
async def announce_file(
    wanted: FileAnnounced,
    request: Request,
) -> Response:
    """Announce a file that is to be verified: a record, a message shown alone, or a fork.

    Its bytes come by `PUT /inquiries/{inquiry}/file` within a minute. It is verified by the keys
    that are pinned here, own and peers', in a process beside the node, and deleted.
    """
    node = services_of(request).node
    return answer(node.verify_file(actor_of(request), wanted.size_bytes))


@streamed.put("/inquiries/{inquiry}/file", response_model=InquiryView, openapi_extra=_BYTES)
@needs(Action.READ)
async def take_file(
    inquiry: str,
    request: Request,
) -> Response:
    """Bring the file that was announced, of just that size. It is never held in memory whole."""
    node = services_of(request).node
    return answer(await node.take_file(actor_of(request), inquiry, request.stream()))


@router.get("/inquiries/{inquiry}", response_model=InquiryView)
@needs(Action.READ)
async def view_inquiry(
    inquiry: str,
    request: Request,
) -> Response:
    """Say how far an inquiry is, and what it found; a result is kept for a quarter of an hour."""
    return answer(services_of(request).node.inquiry(actor_of(request), inquiry))


@router.delete("/inquiries/{inquiry}", response_model=InquiryView)
@needs(Action.READ)
async def end_inquiry(
    inquiry: str,
    request: Request,
) -> Response:
    """Call an inquiry off where it runs, and forget what it found."""
    return answer(await services_of(request).node.end_inquiry(actor_of(request), inquiry))


ROUTES = (*router.routes, *streamed.routes)
