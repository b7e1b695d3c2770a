"""Incidents and tallies: read by whoever reads messages; what is said of one is a message."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from deconflict.api.answer import REFUSALS, answer
from deconflict.api.permit import OperatorRoute, actor_of, needs
from deconflict.api.routes.base import BASE
from deconflict.api.schemas import OutsideAccount, Period
from deconflict.api.services import services_of
from deconflict.node.actor import Action
from deconflict.node.incident_views import IncidentRow, IncidentView, TallyView
from deconflict.node.views import Posted

__all__ = ["ROUTES"]

router = APIRouter(prefix=BASE, tags=["incidents"], route_class=OperatorRoute, responses=REFUSALS)


@router.get("/incidents", response_model=list[IncidentRow])
@needs(Action.READ)
async def list_incidents(request: Request) -> Response:
    """List the incidents of every line, the latest first, with the fields in which accounts differ.

    Opening one, giving an account, a class of risk, evidence or a note of a breach are messages:
    `POST /lines/{line}/messages` with kind INCIDENT, ACCOUNT, RISK, EVIDENCE or BREACH_NOTE.
    """
    return answer(services_of(request).node.incidents(language=actor_of(request).language))


@router.get("/incidents/{incident_id}", response_model=IncidentView)
@needs(Action.READ)
async def view_incident(
    incident_id: str,
    request: Request,
    line: Annotated[str | None, Query(description="where it is open on several")] = None,
) -> Response:
    """Show one incident: every account in force side by side; none is chosen, none repaired."""
    language = actor_of(request).language
    return answer(services_of(request).node.incident(incident_id, line=line, language=language))


@router.post("/incidents/{incident_id}/outside", response_model=IncidentView)
@needs(Action.SEND)
async def keep_outside_account(
    incident_id: str,
    told: OutsideAccount,
    request: Request,
) -> Response:
    """Keep what a source without a line says, beside what the parties say. It is never sent."""
    actor = actor_of(request)
    kept = await services_of(request).node.outside_account(
        actor, incident_id, told.by, told.fields, as_published=told.as_published, line=told.line
    )
    return answer(kept)


@router.get("/lines/{line}/tally", response_model=TallyView)
@needs(Action.READ)
async def own_count(
    line: str,
    request: Request,
    start_utc: Annotated[str, Query(description="the first instant of the period")],
    end_utc: Annotated[str, Query(description="the first instant after it")],
    drill: Annotated[Literal["true", "false"], Query(description="exercises alone")] = "false",
) -> Response:
    """Count incidents and breach notes of a period from the record, entry by entry; say nothing."""
    counted = services_of(request).node.own_count(
        line, start_utc, end_utc, drill=drill == "true", language=actor_of(request).language
    )
    return answer(counted)


@router.post("/lines/{line}/tally", response_model=Posted)
@needs(Action.SEND)
async def say_tally(
    line: str,
    period: Period,
    request: Request,
) -> Response:
    """Count a period from the record and say it to the peer.

    The peer's node counts for itself, as far as the message had said and heard, and names each
    entry that differs.
    """
    actor = actor_of(request)
    posted = await services_of(request).node.tally(
        actor, line, period.start_utc, period.end_utc, drill=period.drill
    )
    return answer(posted)


@router.get("/lines/{line}/tallies", response_model=list[TallyView])
@needs(Action.READ)
async def list_tallies(
    line: str,
    request: Request,
) -> Response:
    """List the tallies said on a line, each held against the record, with what differs and why."""
    return answer(services_of(request).node.tallies(line, language=actor_of(request).language))


ROUTES = tuple(router.routes)
