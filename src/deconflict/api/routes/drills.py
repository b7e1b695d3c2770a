"""Exercises: begun, ended, and what they showed."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from deconflict.api.answer import REFUSALS, answer
from deconflict.api.permit import OperatorRoute, actor_of, needs
from deconflict.api.routes.base import BASE
from deconflict.api.schemas import DrillEnded, DrillWanted
from deconflict.api.services import services_of
from deconflict.node.actor import Action
from deconflict.node.drill_report import DrillReport
from deconflict.node.views import DrillView

__all__ = ["ROUTES"]

router = APIRouter(prefix=BASE, tags=["drills"], route_class=OperatorRoute, responses=REFUSALS)


@router.get("/drills", response_model=list[DrillView])
@needs(Action.READ)
async def list_drills(request: Request) -> Response:
    """List the exercises that last: this node's own, and those that a peer announced."""
    return answer(services_of(request).node.exercises())


@router.post("/drills", response_model=list[DrillView])
@needs(Action.SEND)
async def begin_drill(
    wanted: DrillWanted,
    request: Request,
) -> Response:
    """Begin an exercise on one line, or on all: what is written meanwhile is marked as exercise.

    Whatever cites a real message stays real, and `"drill": false` makes any other message real. The
    first real message of FLASH precedence ends the exercise of its line. Refused with 409 while a
    real one is open.
    """
    actor = actor_of(request)
    return answer(
        await services_of(request).node.begin_drill(
            actor, wanted.until_utc, line=wanted.line, announced=wanted.announced
        )
    )


@router.post("/drills/end", response_model=list[DrillView])
@needs(Action.SEND)
async def end_drill(
    wanted: DrillEnded,
    request: Request,
) -> Response:
    """End the exercise of one line, or every one that lasts."""
    actor = actor_of(request)
    return answer(await services_of(request).node.end_drill(actor, line=wanted.line))


@router.get("/lines/{line}/drill", response_model=DrillReport)
@needs(Action.READ)
async def report_drill(
    line: str,
    request: Request,
) -> Response:
    """Show what the present or the last exercise of a line showed, message by message."""
    return answer(await services_of(request).node.drill_report(line))


ROUTES = tuple(router.routes)
