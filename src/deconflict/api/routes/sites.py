"""What is shown of own protected sites to who speaks for them, and of the lines that carry it."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from deconflict.api.answer import REFUSALS, answer
from deconflict.api.permit import OperatorRoute, actor_of, needs
from deconflict.api.routes.base import BASE
from deconflict.api.schemas import Digits
from deconflict.api.services import services_of
from deconflict.node.actor import Action
from deconflict.node.views import AlertView, DeclarationView, MessageView, SiteLineView

__all__ = ["ROUTES"]

router = APIRouter(prefix=BASE, tags=["sites"], route_class=OperatorRoute, responses=REFUSALS)


@router.get("/sites", response_model=list[DeclarationView])
@needs(Action.READ_SITES)
async def list_sites(
    request: Request,
    active: Annotated[
        Literal["true", "false"], Query(description="false: ended and cancelled ones too")
    ] = "true",
) -> Response:
    """List our protected sites: on which lines, who holds them, has seen and has loaded them.

    Nothing else that this party or a peer declared is in it.
    """
    return answer(services_of(request).node.sites(active_only=active == "true"))


@router.get("/sites/lines", response_model=list[SiteLineView])
@needs(Action.READ_SITES)
async def list_site_lines(request: Request) -> Response:
    """List the lines: up or down, who was heard when. Not how much they carry, nor what."""
    return answer(services_of(request).node.site_lines())


@router.get("/sites/messages", response_model=list[MessageView])
@needs(Action.READ_SITES)
async def list_site_messages(
    request: Request,
    limit: Annotated[Digits, Query(ge=1, le=1000)] = 50,
) -> Response:
    """Read the latest messages about our protected sites, and notifiers' warnings with answers.

    Acknowledged is not permission.
    """
    language = actor_of(request).language
    return answer(await services_of(request).node.site_messages(limit=limit, language=language))


@router.get("/sites/messages/{message_hash}", response_model=MessageView)
@needs(Action.READ_SITES)
async def view_site_message(message_hash: str, request: Request) -> Response:
    """Show one of these messages and its state of delivery."""
    language = actor_of(request).language
    return answer(await services_of(request).node.site_message(message_hash, language=language))


@router.get("/sites/alerts", response_model=list[AlertView])
@needs(Action.READ_SITES)
async def list_site_alerts(request: Request) -> Response:
    """List the open alerts about the lines, our protected sites and notifiers' warnings."""
    language = actor_of(request).language
    return answer(await services_of(request).node.site_alerts(language=language))


ROUTES = tuple(router.routes)
