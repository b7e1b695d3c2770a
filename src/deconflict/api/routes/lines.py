"""Lines and their terms, and the record to take away."""

from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import Response, StreamingResponse

from deconflict.api.answer import REFUSALS, answer
from deconflict.api.permit import OCTETS, OperatorRoute, ParcelRoute, actor_of, needs
from deconflict.api.routes.base import BASE
from deconflict.api.schemas import Acceptance, ExportWanted, ParcelWanted, Proposal
from deconflict.api.services import services_of
from deconflict.node.actor import Action
from deconflict.node.views import (
    ExportView,
    LineView,
    ParcelView,
    Posted,
    TakenView,
    TermsText,
    TermsTexts,
    TermsView,
)

__all__ = ["ROUTES"]

router = APIRouter(prefix=BASE, tags=["lines"], route_class=OperatorRoute, responses=REFUSALS)
parcels = APIRouter(prefix=BASE, tags=["lines"], route_class=ParcelRoute, responses=REFUSALS)

_A_FILE: Final[dict[int | str, dict[str, Any]]] = {200: {"content": {OCTETS: {}}}}


@router.get("/lines", response_model=list[LineView])
@needs(Action.READ)
async def list_lines(request: Request) -> Response:
    """List the lines: up or down, who was heard when, what is open."""
    return answer(services_of(request).node.lines(language=actor_of(request).language))


@router.get("/lines/{line}", response_model=LineView)
@needs(Action.READ)
async def view_line(
    line: str,
    request: Request,
) -> Response:
    """Show one line; name it by its id or by the peer's name."""
    return answer(services_of(request).node.line(line, language=actor_of(request).language))


@router.get("/lines/{line}/terms", response_model=TermsView)
@needs(Action.READ)
async def view_terms(
    line: str,
    request: Request,
) -> Response:
    """Show the terms in force on a line, and those proposed."""
    return answer(services_of(request).node.terms(line))


@router.get("/lines/{line}/terms/text", response_model=TermsTexts)
@needs(Action.READ)
async def view_terms_text(
    line: str,
    request: Request,
) -> Response:
    """Show the same in words: every field, no figure rounded, and what a proposal changes.

    Sections, names and values are in the reader's language. `changes` is null for the terms in
    force, and for a proposal where none are in force yet.
    """
    language = actor_of(request).language
    return answer(services_of(request).node.terms_texts(line, language=language))


@router.post("/lines/{line}/terms/text", response_model=TermsText)
@needs(Action.TERMS)
async def read_terms(
    line: str,
    proposal: Proposal,
    request: Request,
) -> Response:
    """Show in words what would be proposed, and what it would change. Nothing is sent or stored.

    Refused exactly as proposing it now would be.
    """
    return answer(services_of(request).node.read_terms(actor_of(request), line, proposal.terms))


@router.post("/lines/{line}/terms/proposal", response_model=Posted)
@needs(Action.TERMS)
async def propose_terms(
    line: str,
    proposal: Proposal,
    request: Request,
) -> Response:
    """Propose terms to the peer. They are in force once both have signed the same bytes."""
    actor = actor_of(request)
    return answer(await services_of(request).node.propose_terms(actor, line, proposal.terms))


@router.post("/lines/{line}/terms/acceptance", response_model=Posted)
@needs(Action.TERMS)
async def accept_terms(
    line: str,
    acceptance: Acceptance,
    request: Request,
) -> Response:
    """Accept the peer's proposed terms; the hash says which ones were read."""
    actor = actor_of(request)
    return answer(await services_of(request).node.accept_terms(actor, line, acceptance.terms_hash))


@router.post("/lines/{line}/epoch", response_model=LineView)
@needs(Action.TERMS)
async def reopen_line(
    line: str,
    request: Request,
) -> Response:
    """Open a fresh epoch on a line where this node is mute, without the peer's answer."""
    return answer(await services_of(request).node.reopen(actor_of(request), line))


@router.post("/lines/{line}/exports", response_model=ExportView)
@needs(Action.READ)
async def ask_export(
    line: str,
    wanted: ExportWanted,
    request: Request,
) -> Response:
    """Ask to take something away, where the party wants two persons for that.

    `FREE`: it wants one, take it. `HELD`: another account has to release it, as what is written.
    `RELEASED`: take it before `expires_utc`. A parcel waits only where what it holds took two
    persons to say, and never with a FLASH, an acknowledgement or a query in it.
    """
    actor = actor_of(request)
    node = services_of(request).node
    return answer(await node.ask_export(actor, line, wanted.what, wanted.message))


@router.get(
    "/lines/{line}/bundle",
    response_class=StreamingResponse,
    responses=_A_FILE,
)
@needs(Action.EXPORT)
async def export_bundle(
    line: str,
    request: Request,
) -> Response:
    """Export the whole record of a line as one file that `deconflict verify` checks offline.

    A bundle that broke off on the way lacks its seal and does not verify. Where the party wants two
    persons it is refused until another account has released it: `POST /lines/{line}/exports`.
    """
    actor = actor_of(request)
    services = services_of(request)
    # What is refused is refused before the answer has begun.
    services.node.require_exportable(actor, line, "RECORD")
    return StreamingResponse(
        services.node.export(actor, line),
        media_type=OCTETS,
        headers={"Content-Disposition": 'attachment; filename="record.deconflict"'},
    )


@router.get("/lines/{line}/proofs/{message_hash}", response_class=Response, responses=_A_FILE)
@needs(Action.EXPORT)
async def disclose_message(
    line: str,
    message_hash: str,
    request: Request,
) -> Response:
    """Export one message alone, as a file that `deconflict verify` checks offline.

    It proves the message's place in a chain that both sides fixed, and shows no other message.
    """
    actor = actor_of(request)
    return _file(await services_of(request).node.disclose(actor, line, message_hash), "message")


@router.get("/lines/{line}/fork", response_class=Response, responses=_A_FILE)
@needs(Action.EXPORT)
async def export_fork(
    line: str,
    request: Request,
) -> Response:
    """Export the proof that the peer signed two things for one place; 404 when there is none."""
    actor = actor_of(request)
    return _file(await services_of(request).node.fork(actor, line), "fork")


@router.post("/lines/{line}/parcel", response_model=ParcelView)
@needs(Action.SEND)
async def make_parcel(
    line: str,
    wanted: ParcelWanted,
    request: Request,
) -> Response:
    """Make a parcel for the peer: what it has not receipted, for another bearer than the network.

    Nothing counts as sent by it. `data` is the parcel, base64; the texts beside it prove nothing.
    """
    actor = actor_of(request)
    return answer(
        await services_of(request).node.make_parcel(
            actor,
            line,
            since_seq=wanted.since_seq,
            message=wanted.message,
            max_bytes=wanted.max_bytes,
        )
    )


@parcels.post(
    "/lines/{line}/parcel/taken",
    response_model=TakenView,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {OCTETS: {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
@needs(Action.SEND)
async def take_parcel(
    line: str,
    request: Request,
) -> Response:
    """Take a parcel of the peer. Each packet is verified as if the network had brought it.

    `refused` says at which one the node stopped, and why; what came before it was taken.
    """
    actor = actor_of(request)
    data = await request.body()
    return answer(await services_of(request).node.take_parcel(actor, line, data))


def _file(data: bytes, name: str) -> Response:
    return Response(
        data,
        media_type=OCTETS,
        headers={"Content-Disposition": f'attachment; filename="{name}.deconflict"'},
    )


ROUTES = (*router.routes, *parcels.routes)
