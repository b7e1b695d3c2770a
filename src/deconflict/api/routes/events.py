"""The live stream of events."""

from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from starlette.responses import Response

from deconflict.api.answer import REFUSALS
from deconflict.api.credentials import proof_of
from deconflict.api.event_stream import EventStream
from deconflict.api.permit import OperatorRoute, actor_of, needs
from deconflict.api.routes.base import BASE
from deconflict.api.schemas import Digits
from deconflict.api.services import services_of
from deconflict.node.actor import Action

__all__ = ["ROUTES"]

router = APIRouter(prefix=BASE, tags=["events"], route_class=OperatorRoute, responses=REFUSALS)


@router.get(
    "/events",
    response_class=Response,
    responses={200: {"content": {"text/event-stream": {}}, "description": "the stream"}},
)
@needs(Action.READ)
async def stream_events(
    request: Request,
    after: Annotated[
        Digits | None,
        Query(ge=0, description="the last event id already seen; left out: from now on"),
    ] = None,
    last_event_id: Annotated[
        Digits | None, Header(ge=0, description="the same; stronger than `after`")
    ] = None,
) -> Response:
    """Follow what happens, as server-sent events.

    Each event has an `id` that only grows, its `event` is the kind (message, delivery, alert,
    conflict, conflict_ended, declaration, line, path, terms, held, watch, parcel, export), its
    `data` JSON. Come back with the last id seen and nothing is lost and nothing comes twice. A
    comment line comes every 10 seconds; hearing nothing for 15 means that the connection is gone. A
    reader that is too slow gets the event `resume` and is let go. When the reader's session ends,
    the last event is `session_ended`; its data is the error that every other call now gets.
    """
    actor = actor_of(request)
    services = services_of(request)
    after_id = after if last_event_id is None else last_event_id
    return EventStream(
        services,
        account=actor.account,
        proof=proof_of(request),
        language=actor.language,
        after_id=services.node.last_event_id() if after_id is None else after_id,
    )


ROUTES = tuple(router.routes)
