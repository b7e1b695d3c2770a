"""What waits for a second person: looked at, released, withdrawn."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from deconflict.airspace.position import Position
from deconflict.api.answer import REFUSALS, answer
from deconflict.api.permit import OperatorRoute, actor_of, needs
from deconflict.api.routes.base import BASE
from deconflict.api.schemas import Release
from deconflict.api.services import services_of
from deconflict.node.actor import Action
from deconflict.node.views import HeldView, Posted

__all__ = ["ROUTES"]

router = APIRouter(prefix=BASE, tags=["held"], route_class=OperatorRoute, responses=REFUSALS)


@router.get("/held", response_model=list[HeldView])
@needs(Action.READ)
async def list_held(request: Request) -> Response:
    """List what one person wrote or asked for and a second has to release, the oldest first.

    Who is to be let in is in the list too, and is released at `/enrolments`.
    """
    return answer(services_of(request).node.held(language=actor_of(request).language))


@router.post("/held/{held_id}/release", response_model=list[Posted])
@needs(Action.READ)
async def release(
    held_id: str,
    request: Request,
    found: Release | None = None,
) -> Response:
    """Say what another account wrote: all of it or nothing. Or let it take away what it asked for.

    Whoever wrote it cannot release it, and who releases it must be allowed to do the same alone.
    Where what it was written against has changed, it is refused and stays held. A protected site is
    released with its place, which this person reads from a map of their own.
    """
    actor = actor_of(request)
    places = [] if found is None else [Position(each.lat_e7, each.lon_e7) for each in found.places]
    return answer(await services_of(request).node.release(actor, held_id, places=places))


@router.post("/held/{held_id}/withdraw", response_model=HeldView)
@needs(Action.READ)
async def withdraw(held_id: str, request: Request) -> Response:
    """Forget what is held; nothing of it was said."""
    actor = actor_of(request)
    return answer(await services_of(request).node.withdraw(actor, held_id))


ROUTES = tuple(router.routes)
