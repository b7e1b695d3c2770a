"""What people paste, read into drafts; nothing is sent, kept or told to a peer."""

import asyncio
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from deconflict.airspace.notation import parse_position
from deconflict.api.answer import REFUSALS, answer
from deconflict.api.errors import validated
from deconflict.api.pasted import parts_of, place_echo, require_few, view_of
from deconflict.api.pasted_views import PastedView, PlaceEcho
from deconflict.api.permit import (
    OCTETS,
    OperatorRoute,
    PastedRoute,
    actor_of,
    media_type_of,
    needs,
)
from deconflict.api.routes.base import BASE
from deconflict.api.schemas import Pasted, PastedGaps, TypedPlace
from deconflict.api.services import services_of
from deconflict.formats.pasted import Given, Reading, read_pasted
from deconflict.node.actor import Action
from deconflict.node.looking import PartialDraft

__all__ = ["ROUTES"]

small = APIRouter(prefix=BASE, tags=["drafts"], route_class=OperatorRoute, responses=REFUSALS)
pasted = APIRouter(prefix=BASE, tags=["drafts"], route_class=PastedRoute, responses=REFUSALS)

_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": Pasted.model_json_schema(ref_template="#/components/schemas/{model}")
            },
            OCTETS: {
                "schema": {
                    "type": "string",
                    "format": "binary",
                    "description": "A file: positions, a table, GeoJSON, KML, KMZ or OpenAir. The "
                    "other fields of the JSON body stand in the query.",
                }
            },
        },
    }
}


@pasted.post("/drafts/read", response_model=PastedView, openapi_extra=_BODY)
@needs(Action.CHECK)
async def read(request: Request) -> Response:
    """Read a pasted text or a file into drafts of declarations.

    Positions in any notation, one or many a line, a table, GeoJSON, KML, KMZ and OpenAir are told
    apart by their content. Each draft says what is missing, each place is echoed in all notations,
    and what was not taken over is told. Warnings are those of `/check`, without its conflicts, and
    also for drafts that are not whole yet. The original is known by its `sha256`.
    """
    actor = actor_of(request)
    if media_type_of(request) == OCTETS:
        wanted = validated(PastedGaps, dict(request.query_params))
        data = await request.body()
    else:
        wanted = validated(Pasted, await request.json())
        data = wanted.text.encode("utf-8")
    fields = wanted.model_dump(exclude={"text", "label", "line"})

    def work() -> Reading:
        reading = read_pasted(data, Given(**fields))
        require_few(reading)
        return reading

    # Reading takes seconds at the most; the event loop has beats to send meanwhile.
    reading = await asyncio.to_thread(work)
    node = services_of(request).node
    looked = await node.look(actor, parts_of(reading, wanted.label), line=wanted.line)
    return answer(await asyncio.to_thread(view_of, reading, looked, wanted.label))


@small.post("/places/read", response_model=PlaceEcho)
@needs(Action.CHECK)
async def read_place(typed: TypedPlace, request: Request) -> Response:
    """Return one typed position in all notations, and as seen from the nearest agreed landmark."""
    place = parse_position(typed.text)
    node = services_of(request).node
    looked = await node.look(actor_of(request), [PartialDraft((place,))], line=typed.line)
    return answer(place_echo(place, looked.landmarks, looked.language))


ROUTES = (*pasted.routes, *small.routes)
