"""Coming on watch and leaving it."""

from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from deconflict.api.account_schemas import (
    BrowserSessionView,
    LanguageWanted,
    Login,
    MeView,
    OwnPassword,
    SessionView,
)
from deconflict.api.answer import REFUSALS, answer
from deconflict.api.credentials import clear_cookie, proof_of, set_cookie
from deconflict.api.permit import OperatorRoute, PublicRoute, actor_of, needs
from deconflict.api.routes.base import BASE
from deconflict.api.schemas import Done, ErrorAnswer
from deconflict.api.services import services_of
from deconflict.node.actor import Action

__all__ = ["ROUTES", "TOO_MANY"]

public = APIRouter(prefix=BASE, tags=["session"], route_class=PublicRoute)
private = APIRouter(prefix=BASE, tags=["session"], route_class=OperatorRoute, responses=REFUSALS)

TOO_MANY: Final[dict[int | str, dict[str, Any]]] = {
    429: {"model": ErrorAnswer, "description": "too many wrong passwords: wait"}
}


@public.post(
    "/session",
    response_model=SessionView | BrowserSessionView,
    responses={401: REFUSALS[401], **TOO_MANY},
)
async def log_in(login: Login, request: Request) -> Response:
    """Log in.

    Returns a token that is valid for 12 hours, or until the watch has been taken over from this
    account. Send it with every other call as `Authorization: Bearer <token>`. After five wrong
    passwords the account has to wait, longer each time, up to a minute.

    With `browser: true` there is no token: the answer sets a cookie that no script can read, and
    its `csrf_token` goes with every other call as `Deconflict-CSRF`. Neither opens anything alone.
    """
    services = services_of(request)
    session = await services.in_accounts_thread(
        services.accounts.log_in, login.account, login.password, browser=login.browser
    )
    if not login.browser:
        return answer(SessionView.of(session))
    granted = answer(BrowserSessionView.of(session))
    set_cookie(granted, request, session)
    return granted


@private.delete("/session", response_model=Done)
@needs(Action.VIEW_NODE)
async def log_out(request: Request) -> Response:
    """Log out: the session is worth nothing from now on, and its event streams end."""
    services = services_of(request)
    await services.in_accounts_thread(services.accounts.log_out, proof_of(request))
    services.wake_streams([actor_of(request).account])
    done = answer(Done())
    clear_cookie(done, request)
    return done


@private.get("/me", response_model=MeView)
@needs(Action.VIEW_NODE)
async def me(request: Request) -> Response:
    """Say whose session this is, what it may do, and in which language it is told things."""
    return answer(MeView.of(actor_of(request)))


@private.post("/me/language", response_model=MeView)
@needs(Action.VIEW_NODE)
async def choose_language(wanted: LanguageWanted, request: Request) -> Response:
    """Choose the language of the own account; null for the node's."""
    services = services_of(request)
    name = actor_of(request).account
    await services.in_accounts_thread(
        services.accounts.set_language, name, wanted.language, by=name
    )
    return answer(MeView.of(services.accounts.authenticate(proof_of(request))))


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
    services.wake_streams([actor.account])
    done = answer(Done())
    clear_cookie(done, request)
    return done


ROUTES = (*public.routes, *private.routes)
