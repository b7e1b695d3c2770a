"""The machine of the node: certificates that end, copies of the record."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from deconflict.api.answer import REFUSALS, answer
from deconflict.api.permit import OperatorRoute, actor_of, needs
from deconflict.api.routes.base import BASE
from deconflict.api.services import services_of
from deconflict.node.actor import Action
from deconflict.node.tending.backups import BackupsView
from deconflict.node.tending.certificates import CertificateView

__all__ = ["ROUTES"]

router = APIRouter(prefix=BASE, tags=["machine"], route_class=OperatorRoute, responses=REFUSALS)


@router.get("/certificates", response_model=list[CertificateView])
@needs(Action.VIEW_NODE)
async def list_certificates(request: Request) -> Response:
    """List own keys and certificates, the pinned ones of peers and witnesses, and their days."""
    return answer(await services_of(request).node.certificates())


@router.get("/backups", response_model=BackupsView)
@needs(Action.HEALTH)
async def list_backups(request: Request) -> Response:
    """List the copies of the record in the node's folder, and how far the one being made is."""
    return answer(await services_of(request).node.copies(actor_of(request)))


@router.post("/backups", response_model=BackupsView)
@needs(Action.ADMINISTER)
async def make_backup(request: Request) -> Response:
    """Copy the record while the node goes on; follow it by `GET /backups`.

    It holds no key, no account and no guard. The guard is never put back.
    """
    return answer(services_of(request).node.make_copy(actor_of(request)))


ROUTES = tuple(router.routes)
