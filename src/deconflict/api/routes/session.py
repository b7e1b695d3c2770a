"""Coming on watch and leaving it."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from deconflict.api.answer import REFUSALS, answer
from deconflict.api.permit import OperatorRoute, PublicRoute, actor_of, bearer_token, needs
from deconflict.api.routes.base import BASE
from deconflict.api.schemas import Done, ErrorAnswer, Login, MeView, OwnPassword, SessionView
from deconflict.api.services import services_of
from deconflict.node.actor import Action, allowed

__all__ = ["ROUTES"]

public = APIRouter(prefix=BASE, tags=["session"], route_class=PublicRoute)
private = APIRouter(prefix=BASE, tags=["session"], route_class=OperatorRoute, responses=REFUSALS)

TOO_MANY: dict[int | str, dict[str, Any]] = {
    429: {"model": ErrorAnswer, "description": "too many wrong passwords: wait"}
}


@public.post("/session", response_model=SessionView, responses={401: REFUSALS[401], **TOO_MANY})
async def log_in(login: Login, request: Request) -> Response:
    """Log in.

    Returns a token that is valid for 12 hours: a session ends with the watch. Send it with every
    other call as `Authorization: Bearer <token>`. After five wrong passwords the account has to
    wait, longer each time, up to a minute.
    """
    services = services_of(request)
    session = await services.in_accounts_thread(
        services.accounts.log_in, login.account, login.password
    )
    return answer(SessionView.of(session))


@private.delete("/session", response_model=Done)
@needs(Action.VIEW_NODE)
async def log_out(request: Request) -> Response:
    """Log out: the token is worth nothing from now on, and its event streams end."""
    services = services_of(request)
    await services.in_accounts_thread(services.accounts.log_out, bearer_token(request))
    return answer(Done())


@private.get("/me", response_model=MeView)
@needs(Action.VIEW_NODE)
async def me(request: Request) -> Response:
    """Say who holds this token, and what it allows."""
    actor = actor_of(request)
    return answer(
        MeView(
            actor.account,
            tuple(sorted(actor.roles)),
            actor.desk,
            tuple(action for action in Action if allowed(actor.roles, action)),
        )
    )


@private.post("/me/password", response_model=Done, responses=TOO_MANY)
@needs(Action.VIEW_NODE)
async def change_own_password(
    passwords: OwnPassword,
    request: Request,
) -> Response:
    """Change the own password. All sessions of the account end."""
    actor = actor_of(request)
    services = services_of(request)
    await services.in_accounts_thread(
        services.accounts.change_password,
        actor.account,
        passwords.old_password,
        passwords.new_password,
    )
    return answer(Done())


ROUTES = (*public.routes, *private.routes)
