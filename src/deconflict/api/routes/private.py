"""Private checks: where and when two plans come too close, and nothing else of either."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from deconflict.api.answer import REFUSALS, answer
from deconflict.api.drafts import read_drafts, reads
from deconflict.api.permit import BulkRoute, OperatorRoute, actor_of, needs
from deconflict.api.private_schemas import (
    MediatedProposed,
    MediatesGiven,
    PrivateDeclined,
    PrivatePlan,
    PrivatePlanOptions,
    PrivateProposed,
    PrivateRunAsked,
    PrivateRunNamed,
    SiteConsentGiven,
    SitesHeld,
    SitesProposed,
)
from deconflict.api.routes.base import BASE
from deconflict.api.services import services_of
from deconflict.messages.private_bodies import MediatedAnswer, Refines, SitesAsked
from deconflict.node.actor import Action
from deconflict.node.private.mediated_asking import MediationsView
from deconflict.node.private.site_asking import SitesView
from deconflict.node.private.site_files import HeldSite, SiteCaps
from deconflict.node.private.views import (
    OpenedView,
    PlanView,
    PrivateCheckView,
    PrivateFindingView,
)
from deconflict.node.views import Posted

__all__ = ["ROUTES"]

small = APIRouter(prefix=BASE, tags=["private"], route_class=OperatorRoute, responses=REFUSALS)
bulk = APIRouter(prefix=BASE, tags=["private"], route_class=BulkRoute, responses=REFUSALS)


@small.get("/private", response_model=list[PrivateCheckView])
@needs(Action.READ)
async def list_private(request: Request) -> Response:
    """List the private checks of every line, the newest first, with the runs that have begun.

    NOT_CHECKED is not clear, and NO_HIT holds for this grid and period alone, between what both
    sides committed to.
    """
    language = actor_of(request).language
    return answer(services_of(request).node.private_checks(language=language))


@small.get("/private/plan/{line}", response_model=PlanView)
@needs(Action.DECLARE)
async def private_plan(line: str, request: Request) -> Response:
    """Show what this party flies in the private checks of a line. It never leaves the node."""
    return answer(services_of(request).node.private_plan(actor_of(request), line))


@bulk.put("/private/plan/{line}", response_model=PlanView, openapi_extra=reads(PrivatePlan))
@needs(Action.DECLARE)
async def set_private_plan(line: str, request: Request) -> Response:
    """Set what this party flies in the private checks of a line, in the place of what was.

    Written as declarations are; nothing is sent. An empty list says that nothing flies, and is
    checked like any other; no plan at all makes every run NOT_CHECKED.
    """
    actor = actor_of(request)
    wanted = await read_drafts(request, PrivatePlan, PrivatePlanOptions)
    node = services_of(request).node
    return answer(node.set_private_plan(actor, line, wanted.declarations or ()))


@small.delete("/private/plan/{line}", response_model=PlanView)
@needs(Action.DECLARE)
async def clear_private_plan(line: str, request: Request) -> Response:
    """Forget what this party flies there: runs are NOT_CHECKED until a plan is set again."""
    return answer(services_of(request).node.clear_private_plan(actor_of(request), line))


@small.get("/private/sites", response_model=SitesView)
@needs(Action.DECLARE_SITE)
async def private_sites(request: Request) -> Response:
    """Show the protected sites that this party holds, whom it answers, and how much was asked.

    Never what was asked: the node does not know.
    """
    return answer(services_of(request).node.private_sites(actor_of(request)))


@bulk.put("/private/sites", response_model=SitesView)
@needs(Action.DECLARE_SITE)
async def set_private_sites(wanted: SitesHeld, request: Request) -> Response:
    """Hold a list of protected sites in the place of the one before it. It never leaves the node.

    Nobody is answered about it without consent. Consents, and what was asked, stay.
    """
    sites = [
        HeldSite(each.label, each.lat_e7, each.lon_e7, each.radius_mm) for each in wanted.sites
    ]
    caps = SiteCaps(
        wanted.points_a_query,
        wanted.queries_a_day,
        wanted.share_per_mille,
        wanted.share_all_per_mille,
    )
    node = services_of(request).node
    actor = actor_of(request)
    return answer(node.set_private_sites(actor, sites, decoys=wanted.decoys, caps=caps))


@small.delete("/private/sites", response_model=SitesView)
@needs(Action.DECLARE_SITE)
async def clear_private_sites(request: Request) -> Response:
    """Forget the list, every consent, and what was asked: checks of it are NOT_CHECKED."""
    return answer(services_of(request).node.clear_private_sites(actor_of(request)))


@small.put("/private/sites/consent/{line}", response_model=SitesView)
@needs(Action.DECLARE_SITE)
async def consent_private_sites(line: str, wanted: SiteConsentGiven, request: Request) -> Response:
    """Have this node answer the peer of a line by itself, within the caps, until an instant."""
    node = services_of(request).node
    return answer(node.consent_private_sites(actor_of(request), line, wanted.until_utc))


@small.delete("/private/sites/consent/{line}", response_model=SitesView)
@needs(Action.DECLARE_SITE)
async def withdraw_private_sites(line: str, request: Request) -> Response:
    """Answer the peer of a line no more; what runs ends before its answer."""
    return answer(services_of(request).node.withdraw_private_sites(actor_of(request), line))


@small.post("/private/sites/propose", response_model=Posted)
@needs(Action.TERMS)
async def propose_private_sites(wanted: SitesProposed, request: Request) -> Response:
    """Propose to check the activity set as private plan against protected sites of the peer.

    It begins when it is accepted, which a protector's node does by itself where its people have
    consented. NO_HIT is no permission, and NOT_CHECKED is unknown.
    """
    node = services_of(request).node
    protector = wanted.protector or node.peer_of(wanted.line)
    asked = SitesAsked(protector, wanted.points, wanted.bucket, wanted.label)
    return answer(
        await node.propose_private_sites(actor_of(request), wanted.line, asked, drill=wanted.drill)
    )


@small.post("/private/propose", response_model=Posted)
@needs(Action.TERMS)
async def propose_private(wanted: PrivateProposed, request: Request) -> Response:
    """Propose a private check of one period, of several in a row, or a closer look at one.

    The answer's `hash` names the check. A closer look shows the peer in which slots something was
    hit.
    """
    refines = (
        None
        if wanted.refines is None
        else Refines(
            of=wanted.refines.of,
            run=wanted.refines.run,
            parts=wanted.refines.parts,
            slots=tuple(wanted.refines.slots),
        )
    )
    return answer(
        await services_of(request).node.propose_private(
            actor_of(request),
            wanted.line,
            start_utc=wanted.start_utc,
            runs=wanted.runs,
            refines=refines,
            drill=wanted.drill,
        )
    )


@small.post("/private/mediated/propose", response_model=Posted)
@needs(Action.TERMS)
async def propose_private_mediated(wanted: MediatedProposed, request: Request) -> Response:
    """Propose a check in which a third party says whether, or in how many cells, plans come near.

    **The mediator together with either side can learn the whole plan of the other.** Its people
    have to consent for both lines.
    """
    return answer(
        await services_of(request).node.propose_private_mediated(
            actor_of(request),
            wanted.line,
            wanted.mediator,
            MediatedAnswer(wanted.answer),
            lists=wanted.lists,
            bucket=wanted.bucket,
            start_utc=wanted.start_utc,
            drill=wanted.drill,
        )
    )


@small.get("/private/mediations", response_model=MediationsView)
@needs(Action.READ)
async def private_mediations(request: Request) -> Response:
    """Show for whom this node compares lists as a mediator, what it compared, what it answered."""
    return answer(services_of(request).node.private_mediations(actor_of(request)))


@small.put("/private/mediations/{line}", response_model=MediationsView)
@needs(Action.TERMS)
async def mediate_private(line: str, wanted: MediatesGiven, request: Request) -> Response:
    """Let this node compare lists of the peer of a line. It does not without this.

    Whoever runs a mediator can learn the plan of one side with the other's help.
    """
    node = services_of(request).node
    return answer(node.mediate_private(actor_of(request), line, wanted.most_bytes))


@small.delete("/private/mediations/{line}", response_model=MediationsView)
@needs(Action.TERMS)
async def end_mediating_private(line: str, request: Request) -> Response:
    """Compare lists of the peer of a line no more; what waits is refused."""
    return answer(services_of(request).node.end_mediating_private(actor_of(request), line))


@small.get("/private/{proposal}", response_model=PrivateCheckView)
@needs(Action.READ)
async def private_check(proposal: str, request: Request) -> Response:
    """Show one private check. Its name may be shortened."""
    language = actor_of(request).language
    return answer(services_of(request).node.private_check(proposal, language=language))


@small.get("/private/{proposal}/{run}", response_model=PrivateFindingView)
@needs(Action.READ)
async def private_finding(proposal: str, run: int, request: Request) -> Response:
    """Show what a run found, as far as it came: own sorties, times and places.

    Where the peer is, nobody here knows.
    """
    language = actor_of(request).language
    return answer(services_of(request).node.private_finding(proposal, run, language=language))


@small.post("/private/{proposal}/accept", response_model=Posted)
@needs(Action.TERMS)
async def accept_private(proposal: str, request: Request) -> Response:
    """Take part in what the peer proposed: each run begins by itself when it is due."""
    return answer(await services_of(request).node.accept_private(actor_of(request), proposal))


@small.post("/private/{proposal}/decline", response_model=Posted)
@needs(Action.TERMS)
async def decline_private(proposal: str, wanted: PrivateDeclined, request: Request) -> Response:
    """Do not take part in what the peer proposed."""
    return answer(
        await services_of(request).node.decline_private(
            actor_of(request), proposal, reason=wanted.reason_number
        )
    )


@small.post("/private/{proposal}/run", response_model=PrivateFindingView)
@needs(Action.DECLARE)
async def run_private(proposal: str, wanted: PrivateRunAsked, request: Request) -> Response:
    """Have a run begin now and not when it is due; it goes on by itself, also without a reader."""
    return answer(services_of(request).node.run_private(actor_of(request), proposal, wanted.run))


@small.post("/private/{proposal}/cancel", response_model=PrivateCheckView)
@needs(Action.DECLARE)
async def cancel_private(proposal: str, wanted: PrivateRunAsked, request: Request) -> Response:
    """End a run, or without its number all that is to come; the peer is told.

    What was not found by then is NOT_CHECKED; hits stay hits.
    """
    return answer(
        await services_of(request).node.cancel_private(actor_of(request), proposal, wanted.run)
    )


@small.post("/private/{proposal}/open", response_model=OpenedView)
@needs(Action.TERMS)
async def open_private(proposal: str, wanted: PrivateRunNamed, request: Request) -> Response:
    """Give out plan and seed of a run for the arbiter. Whoever has them knows what was flown."""
    return answer(
        await services_of(request).node.open_private(actor_of(request), proposal, wanted.run)
    )


ROUTES = (*bulk.routes, *small.routes)
