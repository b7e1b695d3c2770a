"""What this side does or is about to do: held against what was declared, kept here, never sent."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from deconflict.airspace.position import Position
from deconflict.api.answer import REFUSALS, answer
from deconflict.api.permit import OperatorRoute, actor_of, needs
from deconflict.api.routes.base import BASE
from deconflict.api.schemas import ActivityWanted, Done
from deconflict.api.services import services_of
from deconflict.node.acting import ActivityView
from deconflict.node.actor import Action

__all__ = ["ROUTES"]

router = APIRouter(prefix=BASE, tags=["activities"], route_class=OperatorRoute, responses=REFUSALS)


@router.get("/activities", response_model=list[ActivityView])
@needs(Action.READ)
async def list_activities(request: Request) -> Response:
    """List own activities that are not over, each with the open alerts about it."""
    language = actor_of(request).language
    return answer(services_of(request).node.activities(language=language))


@router.post("/activities", response_model=ActivityView)
@needs(Action.SEND)
async def enter_activity(wanted: ActivityWanted, request: Request) -> Response:
    """Enter what this side does at a place, or is about to do; answers with what it meets.

    An alert says that no notice of ours covers it, that it lies where a peer declared people of its
    own, or that it is near a protected site. Nothing of it is sent, whatever it meets. It is held
    against what is declared until it is over.
    """
    place = Position(wanted.place.lat_e7, wanted.place.lon_e7)
    return answer(
        await services_of(request).node.enter_activity(
            actor_of(request), place, wanted.start_utc, wanted.end_utc, reach_mm=wanted.reach_mm
        )
    )


@router.delete("/activities/{activity_id}", response_model=Done)
@needs(Action.SEND)
async def remove_activity(activity_id: str, request: Request) -> Response:
    """Forget an activity that is not done, or ended early; what was told of it ends."""
    await services_of(request).node.remove_activity(actor_of(request), activity_id)
    return answer(Done())


ROUTES = tuple(router.routes)
