"""Saying where and when one will be, and taking it back."""

from dataclasses import replace
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from deconflict.api.answer import REFUSALS, answer
from deconflict.api.drafts import Wanted, read_drafts, reads
from deconflict.api.permit import BulkRoute, OperatorRoute, actor_of, needs
from deconflict.api.routes.base import BASE
from deconflict.api.schemas import Cancel, Declare, Declared, DeclareOptions, Tell
from deconflict.api.services import services_of
from deconflict.errors import InvalidDocumentError
from deconflict.messages.declaration import Declaration
from deconflict.node.actor import Action
from deconflict.node.views import DeclarationView

__all__ = ["ROUTES"]

small = APIRouter(prefix=BASE, tags=["declarations"], route_class=OperatorRoute, responses=REFUSALS)
bulk = APIRouter(prefix=BASE, tags=["declarations"], route_class=BulkRoute, responses=REFUSALS)


@bulk.post("/declarations", response_model=Declared, openapi_extra=reads(Declare))
@needs(Action.DECLARE_SITE)
async def declare(request: Request) -> Response:
    """Declare flights, activities, hazards, own presence or protected sites.

    A humanitarian notifier declares, changes and ends protected sites, and nothing else.
    All of them are sent, or none. Geometry is mandatory; no callsign, type or mission is asked
    for. The answer comes once all are durable here and on their way. Where latitude and longitude
    look exchanged (all of it outside the agreed theatre, and inside if exchanged) they are refused,
    unless `as_written` is true.
    """
    actor = actor_of(request)
    wanted = await read_drafts(request, Declare, DeclareOptions)
    made = wanted.declarations or ()  # never empty: a declaration names at least one
    posted = await services_of(request).node.declare(
        actor,
        made,
        lines=wanted.lines,
        drill=wanted.drill,
        release=wanted.release,
        as_written=wanted.as_written,
    )
    return answer(Declared(posted, tuple(each.declaration_id for each in made)))


@small.get("/declarations", response_model=list[DeclarationView])
@needs(Action.READ)
async def list_declarations(
    request: Request,
    active: Annotated[
        Literal["true", "false"], Query(description="false: ended and cancelled ones too")
    ] = "true",
) -> Response:
    """List declarations, own and the peers', with what is known of their delivery."""
    return answer(services_of(request).node.declarations(active_only=active == "true"))


@bulk.post(
    "/declarations/{declaration_id}/update", response_model=Declared, openapi_extra=reads(Declare)
)
@needs(Action.DECLARE_SITE)
async def update(
    declaration_id: str,
    request: Request,
) -> Response:
    """Say that a plan has changed. The earlier declaration stays in the record."""
    actor = actor_of(request)
    wanted = await read_drafts(request, Declare, DeclareOptions)
    made = _the_one(wanted, declaration_id)
    posted = await services_of(request).node.update(
        actor,
        made,
        lines=wanted.lines,
        drill=wanted.drill,
        release=wanted.release,
        as_written=wanted.as_written,
    )
    return answer(Declared(posted, (declaration_id,)))


@bulk.post(
    "/declarations/{declaration_id}/correct", response_model=Declared, openapi_extra=reads(Declare)
)
@needs(Action.DECLARE_SITE)
async def correct(
    declaration_id: str,
    request: Request,
) -> Response:
    """Say that a declaration was wrong. The wrong one stays in the record, and is cited."""
    actor = actor_of(request)
    wanted = await read_drafts(request, Declare, DeclareOptions)
    made = _the_one(wanted, declaration_id)
    posted = await services_of(request).node.correct(
        actor,
        made,
        lines=wanted.lines,
        drill=wanted.drill,
        release=wanted.release,
        as_written=wanted.as_written,
    )
    return answer(Declared(posted, (declaration_id,)))


@small.post("/declarations/{declaration_id}/tell", response_model=Declared)
@needs(Action.DECLARE_SITE)
async def tell(
    declaration_id: str,
    wanted: Tell,
    request: Request,
) -> Response:
    """Declare on further lines what is declared on others, as it stands there now."""
    actor = actor_of(request)
    posted = await services_of(request).node.tell(
        actor,
        declaration_id,
        lines=wanted.lines,
        drill=wanted.drill,
        release=wanted.release,
        as_written=wanted.as_written,
    )
    return answer(Declared(posted, (declaration_id,)))


@small.post("/declarations/{declaration_id}/cancel", response_model=Declared)
@needs(Action.DECLARE_SITE)
async def cancel(
    declaration_id: str,
    ended: Cancel,
    request: Request,
) -> Response:
    """End a declaration before its time."""
    actor = actor_of(request)
    posted = await services_of(request).node.cancel(
        actor, declaration_id, reason_number=ended.reason_number
    )
    return answer(Declared(posted, (declaration_id,)))


def _the_one(wanted: Wanted, declaration_id: str) -> Declaration:
    made = wanted.declarations or ()
    if len(made) != 1:
        raise InvalidDocumentError(
            "this call takes one declaration", given=f"{len(made)} declarations"
        )
    if wanted.named - {declaration_id}:
        raise InvalidDocumentError(
            "the address and the body name different declarations",
            given=f"{declaration_id[:40]} and {', '.join(wanted.named)}",
            remedy="leave declaration_id out of the body",
        )
    return replace(made[0], declaration_id=declaration_id)


ROUTES = (*bulk.routes, *small.routes)
