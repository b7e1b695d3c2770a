"""Accounts, kept by the administrator."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from deconflict.api.account_schemas import AccountView, NewAccount, NewPassword, TrailView
from deconflict.api.answer import REFUSALS, answer
from deconflict.api.enrolments import Enrolment
from deconflict.api.permit import OperatorRoute, actor_of, needs
from deconflict.api.routes.base import BASE
from deconflict.api.schemas import Digits, Done
from deconflict.api.services import services_of
from deconflict.errors import InvalidInputError
from deconflict.node.actor import Action
from deconflict.node.views import HeldView

__all__ = ["ROUTES"]

_WAITS: Final[dict[int | str, dict[str, Any]]] = {
    202: {"model": HeldView, "description": "a second person has to release it"}
}

router = APIRouter(prefix=BASE, tags=["accounts"], route_class=OperatorRoute, responses=REFUSALS)


@router.get("/accounts", response_model=list[AccountView])
@needs(Action.ADMINISTER)
async def list_accounts(request: Request) -> Response:
    """List the accounts of this node."""
    return answer([AccountView.of(each) for each in services_of(request).accounts.list()])


@router.post("/accounts", response_model=AccountView, responses=_WAITS)
@needs(Action.ADMINISTER)
async def add_account(
    account: NewAccount,
    request: Request,
) -> Response:
    """Make an account.

    Roles: `watch_officer`, `releasing_officer`, `auditor`; or `administrator`, which stands alone
    because it has no message rights. The desk is one of this node's. Where the party wants two
    persons it waits (202) for another account to release it.
    """
    actor = actor_of(request)
    services = services_of(request)
    desks = services.node.node().desks
    if account.desk not in desks:
        raise InvalidInputError(
            "this node has no such desk", given=account.desk[:40], expected=", ".join(desks)
        )
    made = await services.in_accounts_thread(
        services.enrolments.add_account,
        actor,
        account.name,
        account.password,
        roles=account.roles,
        desk=account.desk,
    )
    if isinstance(made, Enrolment):
        return answer(made.view(actor.language), 202)
    return answer(AccountView.of(made))


@router.post("/accounts/{name}/disable", response_model=Done)
@needs(Action.ADMINISTER)
async def disable_account(
    name: str,
    request: Request,
) -> Response:
    """Disable an account: its sessions end at once. The last administrator stays."""
    actor = actor_of(request)
    services = services_of(request)
    await services.in_accounts_thread(services.accounts.disable, name, by=actor.account)
    services.wake_streams([name])
    return answer(Done())


@router.post("/accounts/{name}/enable", response_model=Done, responses=_WAITS)
@needs(Action.ADMINISTER)
async def enable_account(
    name: str,
    request: Request,
) -> Response:
    """Let a disabled account log in again; with two persons it waits (202)."""
    actor = actor_of(request)
    services = services_of(request)
    asked = await services.in_accounts_thread(services.enrolments.enable, actor, name)
    if asked is not None:
        return answer(asked.view(actor.language), 202)
    return answer(Done())


@router.post("/accounts/{name}/password", response_model=Done, responses=_WAITS)
@needs(Action.ADMINISTER)
async def set_password(
    name: str,
    password: NewPassword,
    request: Request,
) -> Response:
    """Give an account another password. Its sessions end, and the trail says who did it.

    Who sets it can act as that account, so with two persons it waits (202). An own password is
    changed with `POST /me/password`.
    """
    actor = actor_of(request)
    services = services_of(request)
    asked = await services.in_accounts_thread(
        services.enrolments.set_password, actor, name, password.password
    )
    if asked is not None:
        return answer(asked.view(actor.language), 202)
    services.wake_streams([name])
    return answer(Done())


@router.get("/enrolments", response_model=list[HeldView])
@needs(Action.ENROL)
async def list_enrolments(request: Request) -> Response:
    """List who waits for a second person to be let in: accounts and peers, the oldest first."""
    return answer(services_of(request).waiting(actor_of(request).language))


@router.post("/enrolments/{held_id}/release", response_model=HeldView)
@needs(Action.ENROL)
async def release_enrolment(held_id: str, request: Request) -> Response:
    """Let in whom another account asked for. A peer is pinned at the machine instead (409)."""
    actor = actor_of(request)
    services = services_of(request)
    done = await services.in_accounts_thread(services.enrolments.release, actor, held_id)
    return answer(done.view(actor.language))


@router.post("/enrolments/{held_id}/withdraw", response_model=HeldView)
@needs(Action.ENROL)
async def withdraw_enrolment(held_id: str, request: Request) -> Response:
    """Forget that somebody was to be let in."""
    actor = actor_of(request)
    services = services_of(request)
    gone = await services.in_accounts_thread(services.enrolments.withdraw, actor, held_id)
    return answer(gone.view(actor.language))


@router.get("/accounts/trail", response_model=list[TrailView])
@needs(Action.TRAIL)
async def read_trail(
    request: Request,
    before: Annotated[Digits | None, Query(description="entries older than this one")] = None,
    limit: Annotated[Digits, Query(ge=1, le=1000)] = 200,
) -> Response:
    """Read who logged in, who was refused and who changed accounts, newest first."""
    found = services_of(request).accounts.trail(before=before, limit=limit)
    return answer([TrailView.of(entry) for entry in found])


ROUTES = tuple(router.routes)
