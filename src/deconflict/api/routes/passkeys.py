"""Passkeys: made while logged in, used to log in, removed."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from deconflict.api.account_schemas import (
    BrowserSessionView,
    NewPasskey,
    PasskeyLogin,
    PasskeyView,
    PasskeyWanted,
)
from deconflict.api.answer import REFUSALS, answer
from deconflict.api.credentials import proof_of, set_cookie
from deconflict.api.passkeys import RelyingParty
from deconflict.api.permit import OperatorRoute, PublicRoute, actor_of, needs
from deconflict.api.routes.base import BASE
from deconflict.api.routes.session import TOO_MANY
from deconflict.api.schemas import Done
from deconflict.api.services import services_of
from deconflict.node.actor import Action

__all__ = ["ROUTES"]

public = APIRouter(prefix=BASE, tags=["session"], route_class=PublicRoute)
private = APIRouter(prefix=BASE, tags=["session"], route_class=OperatorRoute, responses=REFUSALS)
kept = APIRouter(prefix=BASE, tags=["accounts"], route_class=OperatorRoute, responses=REFUSALS)

LOGGING_IN: dict[int | str, dict[str, Any]] = {
    400: {**REFUSALS[400], "description": "this page is open at an address, not at a host name"},
    401: {**REFUSALS[401], "description": "this passkey opens nothing here"},
    **TOO_MANY,
}


@public.post("/session/passkey/options", response_model=dict[str, Any], responses=LOGGING_IN)
async def ask_passkey(request: Request) -> Response:
    """Say what a passkey has to sign to log in.

    The answer is for `PublicKeyCredential.parseRequestOptionsFromJSON`. It names no account: the
    authenticator knows which it has. Good once, for five minutes.
    """
    services = services_of(request)
    options = await services.in_accounts_thread(
        services.passkeys.login_options, _relying_party(request)
    )
    return answer(options)


@public.post("/session/passkey", response_model=BrowserSessionView, responses=LOGGING_IN)
async def log_in_by_passkey(login: PasskeyLogin, request: Request) -> Response:
    """Log in by passkey: the session is that of `POST /session` with `browser: true`."""
    services = services_of(request)
    session = await services.in_accounts_thread(
        services.passkeys.log_in, login.credential, _relying_party(request)
    )
    granted = answer(BrowserSessionView.of(session))
    set_cookie(granted, request, session)
    return granted


@private.get("/me/passkeys", response_model=list[PasskeyView])
@needs(Action.VIEW_NODE)
async def list_own_passkeys(request: Request) -> Response:
    """List the passkeys of the own account."""
    return answer(_listed(request, actor_of(request).account))


@private.post("/me/passkeys/options", response_model=dict[str, Any], responses=TOO_MANY)
@needs(Action.VIEW_NODE)
async def ask_new_passkey(wanted: PasskeyWanted, request: Request) -> Response:
    """Say what the browser has to make; takes the account's password, as changing it does.

    The answer is for `PublicKeyCredential.parseCreationOptionsFromJSON`. Good once, for five
    minutes, and for this session alone.
    """
    services = services_of(request)
    options = await services.in_accounts_thread(
        services.passkeys.registration_options,
        actor_of(request).account,
        wanted.password,
        proof_of(request),
        _relying_party(request),
    )
    return answer(options)


@private.post("/me/passkeys", response_model=PasskeyView)
@needs(Action.VIEW_NODE)
async def add_own_passkey(passkey: NewPasskey, request: Request) -> Response:
    """Keep the passkey that the browser has made; it logs in from now on."""
    services = services_of(request)
    added = await services.in_accounts_thread(
        services.passkeys.register,
        actor_of(request).account,
        passkey.name,
        passkey.credential,
        proof_of(request),
        _relying_party(request),
    )
    return answer(PasskeyView.of(added))


@private.delete("/me/passkeys/{passkey_id}", response_model=Done)
@needs(Action.VIEW_NODE)
async def remove_own_passkey(passkey_id: str, request: Request) -> Response:
    """Remove a passkey of the own account. The sessions that it opened end."""
    name = actor_of(request).account
    await _remove(request, name, passkey_id, by=name)
    return answer(Done())


@kept.get("/accounts/{name}/passkeys", response_model=list[PasskeyView])
@needs(Action.ADMINISTER)
async def list_passkeys(name: str, request: Request) -> Response:
    """List the passkeys of an account."""
    return answer(_listed(request, name))


@kept.delete("/accounts/{name}/passkeys/{passkey_id}", response_model=Done)
@needs(Action.ADMINISTER)
async def remove_passkey(name: str, passkey_id: str, request: Request) -> Response:
    """Remove a passkey of an account: it is lost, say. The sessions that it opened end."""
    await _remove(request, name, passkey_id, by=actor_of(request).account)
    return answer(Done())


def _relying_party(request: Request) -> RelyingParty:
    # The guard has compared the name with this server's; the port is the server's own.
    return RelyingParty.of(
        request.url.scheme, request.url.hostname or "", request.scope["server"][1]
    )


def _listed(request: Request, account: str) -> list[PasskeyView]:
    return [PasskeyView.of(each) for each in services_of(request).passkeys.book.of(account)]


async def _remove(request: Request, account: str, passkey_id: str, *, by: str) -> None:
    services = services_of(request)
    await services.in_accounts_thread(services.passkeys.book.remove, account, passkey_id, by=by)
    services.wake_streams([account])


ROUTES = (*public.routes, *private.routes, *kept.routes)
