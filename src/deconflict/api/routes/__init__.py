"""The routes of the operators' API, one module a subject."""

from typing import Final

from starlette.routing import BaseRoute

from deconflict.api.routes import (
    accounts,
    activities,
    calls,
    declarations,
    drafts,
    drills,
    events,
    findings,
    held,
    incidents,
    lines,
    machine,
    messages,
    node,
    passkeys,
    private,
    record,
    session,
    sheets,
    sites,
    watch,
)

__all__ = ["ROUTES"]

# One flat list: FastAPI matches routers within routers anew for each request, and that took a tenth
# of a busy node's time. What a watch sends most stands first, because the first match ends it.
ROUTES: Final[tuple[BaseRoute, ...]] = (
    *messages.ROUTES,
    *declarations.ROUTES,
    *sites.ROUTES,
    *events.ROUTES,
    *findings.ROUTES,
    *drafts.ROUTES,
    *lines.ROUTES,
    *record.ROUTES,
    *held.ROUTES,
    *node.ROUTES,
    *machine.ROUTES,
    *session.ROUTES,
    *passkeys.ROUTES,
    *accounts.ROUTES,
    *calls.ROUTES,
    *incidents.ROUTES,
    *watch.ROUTES,
    *sheets.ROUTES,
    *activities.ROUTES,
    *drills.ROUTES,
    *private.ROUTES,
)
