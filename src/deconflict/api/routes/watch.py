"""The watch: the sheet that is handed over, signing off, taking over."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from deconflict.api.answer import REFUSALS, answer
from deconflict.api.permit import OperatorRoute, actor_of, needs
from deconflict.api.routes.base import BASE
from deconflict.api.schemas import Digits, SignOff, TakeOver
from deconflict.api.services import services_of
from deconflict.node.actor import Action
from deconflict.node.handover import AHEAD_MS, GAP_MS, Sheet

__all__ = ["ROUTES"]

router = APIRouter(prefix=BASE, tags=["watch"], route_class=OperatorRoute, responses=REFUSALS)

_MOST_MS = 366 * 86_400_000


@router.get("/watch", response_model=Sheet)
@needs(Action.READ)
async def view_sheet(
    request: Request,
    ahead_ms: Annotated[Digits, Query(ge=0, le=_MOST_MS, description="how far to look")] = AHEAD_MS,
    gap_ms: Annotated[
        Digits, Query(ge=0, le=_MOST_MS, description="by when the next watch is expected")
    ] = GAP_MS,
) -> Response:
    """Show the sheet of the account's desk: what is open, what ends, what is due, what to know."""
    actor, node = actor_of(request), services_of(request).node
    await node.word_alerts(actor.language)
    sheet = node.handover(actor.desk, ahead_ms=ahead_ms, gap_ms=gap_ms, language=actor.language)
    return answer(sheet)


@router.post("/watch/sign-off", response_model=Sheet)
@needs(Action.SEND)
async def sign_off(
    asked: SignOff,
    request: Request,
) -> Response:
    """Sign the watch off at the account's desk.

    Refused with 409 while a cease request is open or own cover ends before the next watch is
    expected, unless `with_open` says that this is known. The sessions of the watch that ends, those
    of this account and of the one that took it over, go on reading until another account takes the
    watch, and do nothing else.
    """
    actor = actor_of(request)
    services = services_of(request)
    async with services.watch:
        before = services.node.shift(actor.desk)
        sheet = await services.node.sign_off(
            actor, ahead_ms=asked.ahead_ms, gap_ms=asked.gap_ms, with_open=asked.with_open
        )
        leaving = {actor.account} if before is None else {actor.account, before.account}
        await asyncio.to_thread(services.accounts.sessions.sign_off, leaving)
    return answer(sheet)


@router.post("/watch/take-over", response_model=Sheet)
@needs(Action.SEND)
async def take_over(
    asked: TakeOver,
    request: Request,
) -> Response:
    """Take the watch at the account's desk; every peer is told the desk, the time, the languages.

    Nobody takes over from their own account. The sessions of the account that had the watch, or
    signed it off, end.
    """
    actor = actor_of(request)
    services = services_of(request)
    async with services.watch:
        before = services.node.shift(actor.desk)
        sheet = await services.node.take_over(
            actor, asked.languages, ahead_ms=asked.ahead_ms, gap_ms=asked.gap_ms, drill=asked.drill
        )
        # Only now: while nobody else had the watch, an alert might have been on no other screen.
        if before is not None:
            await asyncio.to_thread(
                services.accounts.sessions.end_watch, before.account, services.now()
            )
            services.wake_streams([before.account])
    return answer(sheet)


ROUTES = tuple(router.routes)
