"""Routes that know who may use them, and read nothing from anybody else.

A route class, not a decorator: a route without its permission cannot be built, and the token is
looked at before a byte of the body is read.
"""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from functools import cached_property
from typing import Any, Final, NoReturn, TypeVar
from urllib.parse import parse_qsl

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from deconflict.api.credentials import proof_of
from deconflict.api.errors import BodyTooLargeError, WrongMediaTypeError
from deconflict.api.services import services_of
from deconflict.errors import InvalidDocumentError, InvalidInputError
from deconflict.formats.bounded_json import parse_json
from deconflict.line.parcel import MAX_PARCEL_BYTES
from deconflict.messages.words import LANGUAGES
from deconflict.node.actor import Action, Actor, Role, allowed, require

__all__ = [
    "BEARER",
    "COOKIE",
    "CSRF",
    "DRILL_HEADER",
    "GEO_JSON",
    "LANGUAGE_HEADER",
    "OCTETS",
    "SMALL_BODY_BYTES",
    "BulkRoute",
    "OperatorRoute",
    "ParcelRoute",
    "PastedRoute",
    "PublicRoute",
    "StreamedRoute",
    "StrictRequest",
    "actor_of",
    "media_type_of",
    "needs",
]

GEO_JSON: Final = "application/geo+json"
OCTETS: Final = "application/octet-stream"
SMALL_BODY_BYTES: Final = 64 * 1024
BULK_BODY_BYTES: Final = 64 * 1024 * 1024
PASTED_BODY_BYTES: Final = 12 * 1024 * 1024  # a text of 8 MiB, as JSON escapes it
BODY_TIMEOUT_S: Final = 30.0

# How the OpenAPI document calls what proves a session. Not FastAPI's HTTPBearer: it would read each
# request's token a second time, for nothing but this.
BEARER: Final = "HTTPBearer"
COOKIE: Final = "BrowserCookie"
CSRF: Final = "BrowserToken"
DRILL_HEADER: Final = "Deconflict-Drill"
# Of a request: its texts in this language, whatever the account's. Not Accept-Language: a browser
# sends that unasked, and its language need not be the officer's.
LANGUAGE_HEADER: Final = "Deconflict-Language"

EndpointT = TypeVar("EndpointT", bound=Callable[..., Any])


def needs(action: Action) -> Callable[[EndpointT], EndpointT]:
    """Say which action an endpoint is; an :class:`OperatorRoute` takes no other.

    No dependency of FastAPI's: each of those is worked out anew for each request.
    """

    def mark(endpoint: EndpointT) -> EndpointT:
        endpoint.needs = action  # type: ignore[attr-defined]
        return endpoint

    return mark


def actor_of(request: Request) -> Actor:
    """Return who asks; the route admitted them before the body was read."""
    actor: Actor = request.state.actor
    return actor


class PublicRoute(APIRoute):
    """A route anybody may use: strict about its body and its query, and that is all."""

    max_body_bytes = SMALL_BODY_BYTES

    def admit(self, request: Request) -> None:
        """Let everybody in."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        inner = super().get_route_handler()

        async def handle(request: Request) -> Response:
            strict = StrictRequest(request.scope, request.receive)
            await self.open(strict)
            return self.marked(strict, await inner(strict))

        return handle

    async def open(self, request: "StrictRequest") -> None:
        """Let in who may come, and read the body if there is one to be read.

        Raises:
            DeconflictError: who asks is not let in, or the query or the body cannot be used.
        """
        self.admit(request)
        _refuse_repeated_query(request)
        if self._media_types:
            await request.load(self.max_body_bytes, self._media_types)

    @cached_property
    def _media_types(self) -> frozenset[str]:
        """Which kinds of body this route reads; none where it reads no body."""
        described = (self.openapi_extra or {}).get("requestBody", {}).get("content", {})
        if self.body_field is None and not described:
            return frozenset()
        return frozenset(described or {"application/json"})

    def marked(self, request: Request, answer: Response) -> Response:  # noqa: ARG002 (an operator's)
        """Return the answer as it goes out."""
        return answer


class OperatorRoute(PublicRoute):
    """A route that only those may use whose role allows its action.

    Raises:
        TypeError: its endpoint was not marked with :func:`needs`.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, endpoint, **options)
        action = getattr(endpoint, "needs", None)
        if not isinstance(action, Action):
            raise TypeError(f"route {path} does not say which action it needs")
        self.action = action
        roles = [role.value for role in Role if allowed({role}, action)]
        self.openapi_extra = {
            **(self.openapi_extra or {}),
            "security": [{BEARER: []}, {COOKIE: [], CSRF: []}],
            "x-roles": roles,
        }

    def admit(self, request: Request) -> None:
        """Let in who has a valid session and a role that allows the action.

        Raises:
            NotAuthenticatedError: no valid session.
            NotPermittedError: none of the account's roles allows the action.
            InvalidInputError: it is proven in two ways, or texts are wanted in a language that has
                none here.
        """
        actor = services_of(request).accounts.sessions.authenticate(proof_of(request))
        wanted = request.headers.get(LANGUAGE_HEADER)
        if wanted is not None:
            actor = replace(actor, language=_language(wanted))
        request.state.actor = require(actor, self.action)

    def marked(self, request: Request, answer: Response) -> Response:
        """Say on every answer that an exercise of this side lasts, on which lines, until when."""
        own = [each for each in services_of(request).node.exercises() if each.until_utc]
        if own:
            answer.headers[DRILL_HEADER] = ", ".join(f"{e.peer} until {e.until_utc}" for e in own)
        return answer


class BulkRoute(OperatorRoute):
    """A route that takes many declarations at once."""

    max_body_bytes = BULK_BODY_BYTES


class PastedRoute(OperatorRoute):
    """A route that takes what somebody pasted: a text in JSON, or a file as bytes."""

    max_body_bytes = PASTED_BODY_BYTES


class ParcelRoute(OperatorRoute):
    """A route that takes one parcel, as bytes."""

    max_body_bytes = MAX_PARCEL_BYTES


class StreamedRoute(OperatorRoute):
    """A route that takes a file as it comes, and bounds it itself: it is never held in memory."""

    async def open(self, request: "StrictRequest") -> None:
        """Let in who may come; the body waits to be read.

        Raises:
            DeconflictError: who asks is not let in, or the query or the kind of body is refused.
        """
        self.admit(request)
        _refuse_repeated_query(request)
        _require_media_type(request, self._media_types)


class StrictRequest(Request):
    """A request whose body is read once, up to a limit, and parsed without guessing."""

    async def load(self, limit: int, media_types: frozenset[str]) -> None:
        declared = self.headers.get("content-length", "")
        if declared.isdecimal() and int(declared) > limit:
            _too_large(limit)
        chunks: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(BODY_TIMEOUT_S):
                async for chunk in self.stream():
                    size += len(chunk)
                    if size > limit:
                        _too_large(limit)
                    chunks.append(chunk)
        except TimeoutError:
            raise InvalidDocumentError(
                "the body did not arrive", expected=f"all of it within {BODY_TIMEOUT_S:.0f} s"
            ) from None
        except ClientDisconnect:
            raise InvalidDocumentError("the body did not arrive whole") from None
        self._body = b"".join(chunks)
        media_type = media_type_of(self)
        if self._body:
            _require_media_type(self, media_types)
        # A large body is parsed beside the event loop, which has beats to send meanwhile. GeoJSON
        # is read by the room that knows it, and so are bytes.
        if not self._body or media_type in (GEO_JSON, OCTETS):
            self._json: Any = None
        elif size > SMALL_BODY_BYTES:
            self._json = await asyncio.to_thread(parse_json, self._body)
        else:
            self._json = parse_json(self._body)


def media_type_of(request: Request) -> str:
    """Return the media type of the body, without its parameters, in lower case."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _require_media_type(request: Request, media_types: frozenset[str]) -> None:
    media_type = media_type_of(request)
    if media_type not in media_types:
        raise WrongMediaTypeError(
            "the body is of a kind this call does not read",
            given=media_type[:60] or "no Content-Type",
            expected=" or ".join(sorted(media_types)),
        )


def _language(wanted: str) -> str:
    if wanted not in LANGUAGES:
        raise InvalidInputError(
            "no texts in this language",
            given=ascii(wanted[:20]),
            expected=", ".join(LANGUAGES),
            remedy=f"leave out {LANGUAGE_HEADER}: the account has a language",
        )
    return wanted


def _refuse_repeated_query(request: Request) -> None:
    raw = request.scope["query_string"]
    if not raw:
        return
    names = [name for name, _ in parse_qsl(raw.decode("latin-1"), keep_blank_values=True)]
    for name in names:
        if names.count(name) > 1:
            raise InvalidDocumentError("a query parameter stands twice", given=ascii(name[:40]))


def _too_large(limit: int) -> NoReturn:
    raise BodyTooLargeError(
        "the body is too large", expected=f"at most {limit // 1024} KiB", remedy="send it in parts"
    )
