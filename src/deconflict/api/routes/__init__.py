"""The routes of the operators' API, one module a subject."""

from typing import Final

from fastapi import APIRouter

from deconflict.api.routes import (
    accounts,
    declarations,
    events,
    findings,
    lines,
    messages,
    node,
    session,
)

__all__ = ["ROUTERS"]

ROUTERS: Final[tuple[APIRouter, ...]] = (
    session.router,
    node.router,
    lines.router,
    messages.router,
    declarations.router,
    findings.router,
    events.router,
    accounts.router,
)
