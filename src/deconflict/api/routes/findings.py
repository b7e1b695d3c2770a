"""What the node has found: conflicts and alerts, and what it would find."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from deconflict.api.answer import REFUSALS, answer
from deconflict.api.drafts import read_drafts, reads
from deconflict.api.permit import BulkRoute, OperatorRoute, actor_of, needs
from deconflict.api.routes.base import BASE
from deconflict.api.schemas import Check, CheckOptions, Conflicts, Digits
from deconflict.api.services import services_of
from deconflict.node.actor import Action
from deconflict.node.views import AlertView, ConflictView, FirstAlerts
from deconflict.node.ways_out.asking import WaysOut

__all__ = ["ROUTES"]

small = APIRouter(prefix=BASE, tags=["findings"], route_class=OperatorRoute, responses=REFUSALS)
bulk = APIRouter(prefix=BASE, tags=["findings"], route_class=BulkRoute, responses=REFUSALS)


@bulk.post("/check", response_model=Conflicts, openapi_extra=reads(Check))
@needs(Action.CHECK)
async def check(request: Request) -> Response:
    """Check drafts against everything declared, or what is declared itself.

    Nothing is sent or stored, and the peer learns nothing. Drafts are refused as declaring them
    now would be, and `warnings` holds what its answer would warn of.
    """
    actor = actor_of(request)
    wanted = await read_drafts(request, Check, CheckOptions)
    found = await services_of(request).node.check(
        actor, wanted.declarations, line=wanted.line, as_written=wanted.as_written
    )
    return answer(Conflicts(found.conflicts, found.warnings))


@small.get("/conflicts", response_model=list[ConflictView])
@needs(Action.READ)
async def list_conflicts(request: Request) -> Response:
    """List the conflicts that stand now: who, where, when, how close, which minimum."""
    return answer(await services_of(request).node.conflicts(language=actor_of(request).language))


@small.post("/conflicts/{conflict_id}/ways-out", response_model=WaysOut)
@needs(Action.CHECK)
async def find_ways_out(
    conflict_id: str,
    request: Request,
) -> Response:
    """Find what change of the own plan would end this conflict and all others of that plan.

    The smallest departure shift, change of level and lateral offset each way, two together only
    where no one does. For the own planner: nothing is sent, and the peer learns nothing. One
    search at a time, a minute at most.
    """
    return answer(await services_of(request).node.ways_out(actor_of(request), conflict_id))


@small.get("/alerts", response_model=list[AlertView])
@needs(Action.READ)
async def list_alerts(
    request: Request,
    open: Annotated[Literal["true", "false"], Query(description="open ones alone")] = "true",
) -> Response:
    """List the conditions a person must know of, each with its deadline."""
    language, node = actor_of(request).language, services_of(request).node
    if open == "false":
        return answer(await node.told_alerts(language=language))
    await node.word_alerts(language)
    return answer(node.alerts(language=language))


@small.get("/alerts/first", response_model=FirstAlerts)
@needs(Action.READ)
async def list_first_alerts(
    request: Request,
    most: Annotated[Digits, Query(ge=1, le=1_000, description="how many at most")] = 200,
) -> Response:
    """List the open alerts that come first, and say how many are open and how many urgent.

    For what is shown at once; all others are in `GET /alerts`.
    """
    language = actor_of(request).language
    return answer(await services_of(request).node.first_alerts(most, language=language))


ROUTES = (*bulk.routes, *small.routes)
