"""How an answer becomes bytes, and which refusals every route may give."""

from typing import Any, Final

import msgspec
from starlette.responses import Response

from deconflict.api.schemas import ErrorAnswer

__all__ = ["REFUSALS", "answer"]

REFUSALS: Final[dict[int | str, dict[str, Any]]] = {
    400: {"model": ErrorAnswer, "description": "the request cannot be used; the error says why"},
    401: {"model": ErrorAnswer, "description": "no valid login"},
    403: {"model": ErrorAnswer, "description": "this account's roles do not allow it"},
    404: {"model": ErrorAnswer, "description": "there is no such thing"},
    409: {"model": ErrorAnswer, "description": "impossible in the present state of the line"},
    503: {"model": ErrorAnswer, "description": "database or peer cannot be used at present"},
}

_encoder = msgspec.json.Encoder()


def answer(value: Any, status: int = 200) -> Response:
    """Return a JSON answer; the value is a view, already decided, and is written as it is."""
    return Response(_encoder.encode(value), status, media_type="application/json")
