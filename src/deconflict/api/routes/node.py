"""The node itself: what it is, and how it is."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from deconflict.api.answer import REFUSALS, answer
from deconflict.api.permit import OperatorRoute, actor_of, needs
from deconflict.api.routes.base import BASE
from deconflict.api.schemas import PhraseView
from deconflict.api.services import services_of
from deconflict.messages.phrases import phrases, wording
from deconflict.node.actor import Action
from deconflict.node.views import NodeView

__all__ = ["ROUTES"]

router = APIRouter(prefix=BASE, tags=["node"], route_class=OperatorRoute, responses=REFUSALS)


@router.get("/node", response_model=NodeView)
@needs(Action.VIEW_NODE)
async def view_node(request: Request) -> Response:
    """Say which party and version this is, its clock, and its key's fingerprint."""
    return answer(services_of(request).node.node())


@router.get("/phrases", response_model=list[PhraseView])
@needs(Action.VIEW_NODE)
async def list_phrases(request: Request) -> Response:
    """List the numbered phrases in the reader's language; only number and values travel."""
    texts = wording(actor_of(request).language)["texts"]
    return answer(
        [
            PhraseView(
                each.number,
                each.name,
                texts[str(each.number)],
                {name: kind.value for name, kind in each.values.items()},
            )
            for each in phrases()
        ]
    )


@router.get("/health", response_model=dict[str, Any])
@needs(Action.HEALTH)
async def health(request: Request) -> Response:
    """Say how clock, certificates, disk, database and peers are; no content of any message."""
    return answer(dict(await services_of(request).node.health()))


ROUTES = tuple(router.routes)
