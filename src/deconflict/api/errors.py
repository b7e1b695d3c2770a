"""One table from errors to HTTP statuses, and one shape for all of them.

An answer says what was wrong, what was given and expected, and what to do. It never holds a stack
trace, a password or a token.
"""

import logging
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, cast

import msgspec
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from deconflict import errors

__all__ = [
    "STATUS_OF_ERROR",
    "BodyTooLargeError",
    "NodeStoppedError",
    "WrongMediaTypeError",
    "add_error_handlers",
    "error_response",
    "invalid_fields",
    "on_defect",
    "response_of",
    "status_of",
    "validated",
]

_log = logging.getLogger("deconflict.api")


class BodyTooLargeError(errors.InvalidDocumentError):
    """The body is larger than this route reads."""


class WrongMediaTypeError(errors.InvalidDocumentError):
    """The body is of a kind that this route does not read."""


class NodeStoppedError(errors.DeconflictError):
    """The node was told to stop before it had answered."""


# The nearest base class of an error decides.
STATUS_OF_ERROR: Final[Mapping[type[errors.DeconflictError], int]] = MappingProxyType(
    {
        errors.InvalidInputError: 400,
        errors.MissingExtraError: 501,
        errors.NotAuthenticatedError: 401,
        errors.NotPermittedError: 403,
        errors.NotFoundError: 404,
        errors.LineStateError: 409,
        errors.VerificationError: 409,  # what stands on the line does not prove what it claims
        BodyTooLargeError: 413,
        WrongMediaTypeError: 415,
        NodeStoppedError: 503,
        errors.TooManyAttemptsError: 429,
        errors.ConfigurationError: 503,
        errors.BrokenTurnError: 503,  # the node stops; started again, it goes on from its record
        errors.StoreError: 503,
        errors.PeerUnreachableError: 503,
        errors.NodeUnreachableError: 503,
        errors.PromiseBrokenError: 500,  # never raised by a node; its table is whole all the same
        errors.DeconflictError: 500,
    }
)

_WORDS_OF_STATUS: Final = MappingProxyType(
    {
        400: ("InvalidInputError", "the request cannot be used"),
        404: ("NotFoundError", "there is nothing at this address"),
        405: ("MethodNotAllowed", "this address does not answer this method"),
    }
)
_SECRET_FIELDS: Final = frozenset({"password", "old_password", "new_password", "token"})


def status_of(error: errors.DeconflictError) -> int:
    """Return the HTTP status of an error.

    >>> status_of(errors.InvalidTimeError("no zone")), status_of(errors.StoreDamagedError("x"))
    (400, 503)
    """
    return next(STATUS_OF_ERROR[kind] for kind in type(error).__mro__ if kind in STATUS_OF_ERROR)


def error_response(
    status: int,
    kind: str,
    problem: str,
    *,
    given: str = "",
    expected: str = "",
    remedy: str = "",
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return the answer that every refusal has."""
    body = {
        "error": {
            "type": kind,
            "problem": problem,
            "given": given,
            "expected": expected,
            "remedy": remedy,
        }
    }
    return Response(
        msgspec.json.encode(body), status, dict(headers or {}), media_type="application/json"
    )


def response_of(error: errors.DeconflictError) -> Response:
    """Return the answer to an error that was raised on purpose."""
    status = status_of(error)
    headers: dict[str, str] = {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, errors.TooManyAttemptsError):
        headers["Retry-After"] = str(error.retry_after_s)
    return error_response(
        status,
        type(error).__name__,
        error.problem,
        given=error.given,
        expected=error.expected,
        remedy=error.remedy,
        headers=headers,
    )


def add_error_handlers(app: FastAPI) -> None:
    """Make the app answer every refusal in the one shape."""
    app.add_exception_handler(errors.DeconflictError, _on_deconflict_error)
    app.add_exception_handler(RequestValidationError, _on_invalid_fields)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(Exception, on_defect)


async def _on_deconflict_error(_request: Request, error: Exception) -> Response:
    return response_of(cast(errors.DeconflictError, error))


async def _on_invalid_fields(_request: Request, error: Exception) -> Response:
    return response_of(invalid_fields(cast(RequestValidationError, error).errors()))


async def _on_http_exception(_request: Request, error: Exception) -> Response:
    refused = cast(HTTPException, error)
    kind, problem = _WORDS_OF_STATUS.get(refused.status_code, ("HttpError", str(refused.detail)))
    return error_response(refused.status_code, kind, problem, headers=refused.headers)


async def on_defect(request: Request, error: Exception) -> Response:
    """Return the answer to what nobody expected; the trace stays here."""
    # The operating log gets the trace (the server writes it); the caller does not.
    _log.error("defect in %s %s: %s", request.method, request.scope["path"], type(error).__name__)
    return error_response(
        500,
        "InternalError",
        "the node failed to answer; nothing more is known here",
        remedy="look at the node's operating log and report it",
    )


def validated(model: type[BaseModel], value: object) -> Any:
    """Return what a body or a query says, as the model reads it.

    Raises:
        InvalidDocumentError: a field is missing, unknown or of the wrong type.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise invalid_fields(error.errors()) from None


def invalid_fields(found: Sequence[Any]) -> errors.InvalidDocumentError:
    """Return what pydantic found wrong, in the words of one error; secrets are left out."""
    first = found[0]
    where = [str(part) for part in first["loc"]]
    if where[:1] in (["body"], ["query"], ["path"], ["header"]):  # said by FastAPI, not by pydantic
        where = where[1:]
    given = ""
    # For a missing field pydantic's input is the whole object around it.
    if first["type"] != "missing" and not _SECRET_FIELDS.intersection(where):
        shown = first.get("input")
        if isinstance(shown, str | int | float | bool) or shown is None:
            given = ascii(shown)[:80]
        else:
            given = f"a {'list' if isinstance(shown, list) else 'object'}"
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return errors.InvalidDocumentError(
        f"{'.'.join(where) or 'the request'}: {first['msg']}{more}",
        given=given,
        expected="see /docs",
    )
