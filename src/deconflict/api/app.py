"""The operators' application: routes, accounts, refusals and the guard, put together."""

from collections.abc import Callable, Iterable

from fastapi import FastAPI
from starlette.middleware import Middleware

from deconflict import __version__
from deconflict.api.accounts import Accounts
from deconflict.api.direct import DirectApp
from deconflict.api.docs_page import add_docs
from deconflict.api.errors import add_error_handlers
from deconflict.api.guard import LOOPBACK_NAMES, Guard
from deconflict.api.node_face import NodeFace
from deconflict.api.routes import ROUTES
from deconflict.api.routes.base import BASE
from deconflict.api.services import Services

__all__ = ["build_operator_app"]

_ABOUT = """\
The JSON API of one node, for its own operators and for systems of the same party. It listens on
loopback. Times are RFC 3339 in UTC with `Z`, distances metres, geometry whole 1e-7 degrees and
tenths of a millimetre.

Log in with `POST /api/v1/session` and send the token as `Authorization: Bearer …`; a page in a
browser logs in with `browser: true` and sends its cookie with `Deconflict-CSRF`. Every refusal is
`{"error": {"type", "problem", "given", "expected", "remedy"}}`. JSON is read strictly: no unknown
or repeated key, no number that is a string, no NaN.

The node states facts and deadlines. Acknowledged is not permission; no conflict found is not
proof that the sky is empty.
"""


def build_operator_app(
    node: NodeFace,
    accounts: Accounts,
    *,
    now: Callable[[], int],
    random_bytes: Callable[[int], bytes],
    names: Iterable[str] = LOOPBACK_NAMES,
    release_persons: int = 1,
) -> FastAPI:
    """Return the application that serves one node to its operators.

    Args:
        node: the running node.
        accounts: who may log in; stays the caller's to close.
        now: the time in UTC milliseconds.
        random_bytes: a source fit for keys, for the ids of new declarations.
        names: the host names by which the server may be addressed.
        release_persons: how many persons let an account in, 1 or 2.
    """
    known = frozenset(names)
    app = DirectApp(
        routes=ROUTES,
        names=known,
        title="deconflict operators' API",
        version=__version__,
        description=_ABOUT,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        middleware=[Middleware(Guard, names=known)],
    )
    app.state.services = Services(node, accounts, now, random_bytes, release_persons)
    add_error_handlers(app)
    add_docs(app, base=BASE)
    return app
