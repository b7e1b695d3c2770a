"""Sheets to print and to sign by hand: as JSON for a page, or as PDF where that can be made."""

from typing import Annotated, Any, Literal, TypeAlias

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from deconflict.api.answer import REFUSALS, answer
from deconflict.api.permit import OperatorRoute, actor_of, needs
from deconflict.api.routes.base import BASE
from deconflict.api.services import services_of
from deconflict.errors import NotFoundError
from deconflict.node.actor import Action
from deconflict.node.call_views import CallView, ReadoutView
from deconflict.paper.fallback import fallback_sheet
from deconflict.paper.handover import handover_sheet
from deconflict.paper.press import can_press
from deconflict.paper.readout import Drawn, readout_sheet
from deconflict.paper.sheet import Sheet, to_wire

__all__ = ["ROUTES"]

router = APIRouter(prefix=BASE, tags=["sheets"], route_class=OperatorRoute, responses=REFUSALS)

Form: TypeAlias = Annotated[
    Literal["json", "pdf"], Query(alias="as", description="pdf: PDF/A-2b, by deconflict[pdf]")
]
_MADE: Any = {200: {"content": {"application/json": {}, "application/pdf": {}}}}


@router.get("/sheets/readout", response_class=Response, responses=_MADE)
@needs(Action.READ)
async def readout_to_print(
    request: Request,
    call: Annotated[str, Query(description="the call's name")],
    message: Annotated[
        str | None, Query(description="of several readouts: the message or text that names one")
    ] = None,
    drawn: Annotated[
        Drawn, Query(description="on the map; what is declared is told to this peer alone")
    ] = "theatre",
    form: Form = "json",
) -> Response:
    """Return a readout to print: both languages, what proves it, room for signatures.

    Without `message` the one that both signed last, or else the first that there is.
    """
    node, language = services_of(request).node, actor_of(request).language
    found = next((each for each in node.call_log() if each.call_id == call), None)
    if found is None:
        raise NotFoundError(
            "no call is known by this name", given=call[:16], remedy="list them: GET /calls"
        )
    talks = node.talks(found.line_id, language=language)
    sheet = readout_sheet(
        node.node(),
        found,
        _readout(found, message),
        language=language,
        talk=next((each for each in talks if each.call_id == call), None),
        terms=node.terms(found.line_id).agreed,
        heads=node.heads(found.line_id),
        declarations=node.declarations(active_only=False) if drawn == "declared" else (),
        drawn=drawn,
    )
    return await _made(request, sheet, form)


@router.get("/sheets/handover", response_class=Response, responses=_MADE)
@needs(Action.READ)
async def handover_to_print(request: Request, form: Form = "json") -> Response:
    """Return the handover sheet of the desk to print, with room for both signatures."""
    actor = actor_of(request)
    watch = services_of(request).node.handover(actor.desk, language=actor.language)
    return await _made(request, handover_sheet(watch), form)


@router.get("/sheets/fallback", response_class=Response, responses=_MADE)
@needs(Action.READ)
async def fallback_to_print(request: Request, line: str, form: Form = "json") -> Response:
    """Return the card of a line to print: what to do and to say when both of its paths are down."""
    node, actor = services_of(request).node, actor_of(request)
    sheet = fallback_sheet(
        node.node(),
        node.line(line, language=actor.language),
        actor.desk,
        language=actor.language,
        terms=node.terms(line).agreed,
    )
    return await _made(request, sheet, form)


def _readout(call: CallView, wanted: str | None) -> ReadoutView:
    agreed = [each for each in call.readouts if each.state == "AGREED"]
    found = [
        each
        for each in (*reversed(agreed), *call.readouts)
        if wanted is None or wanted in (each.message, each.readout_hash)
    ]
    if not found:
        raise NotFoundError(
            "no readout of this call is known by this name",
            given=(wanted or "none")[:16],
            remedy="list them: GET /calls",
        )
    return found[0]


async def _made(request: Request, sheet: Sheet, form: str) -> Response:
    if form == "json":
        return answer({"sheet": to_wire(sheet), "pdf": can_press()})
    pdf = await services_of(request).press.pdf(sheet)
    return Response(
        pdf,
        media_type="application/pdf",
        headers={"Content-Disposition": f'attachment; filename="{sheet.name}.pdf"'},
    )


ROUTES = tuple(router.routes)
