"""Requests that go past the framework's layers, where nothing in them needs these.

FastAPI describes every route and can answer every request; on the way to an endpoint it passes some
twenty layers, each for something that most of our endpoints do not use. A busy desk sends hundreds
of messages a second, and those layers were a fifth of what its node did. So a route whose signature
is plain (the request, names in the path, at most one body) is called here, by the same steps in the
same order: guard, permission, body, endpoint. What is unusual about a request, above all whatever
makes it unusable, is left to FastAPI, which words the refusal. A test holds the two ways together.
"""

import inspect
import re
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from typing import Any, Final, Self

from fastapi import FastAPI, Request
from pydantic import BaseModel, ValidationError
from starlette.convertors import StringConvertor
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from deconflict.api.errors import on_defect, response_of
from deconflict.api.guard import Guard
from deconflict.api.permit import PublicRoute, StrictRequest
from deconflict.errors import DeconflictError

__all__ = ["DirectApp", "DirectWay"]

_WAY: Final = "deconflict.direct"  # in the scope: the way of this request and its path's names


@dataclass(frozen=True, slots=True)
class DirectWay:
    """How an endpoint is called that needs nothing of the framework.

    Attributes:
        route: that it belongs to.
        endpoint: as the route has it.
        request: the argument that takes the request; None where none does.
        body: the argument that takes the body, and its model; None where there is none.
    """

    route: PublicRoute
    endpoint: Callable[..., Coroutine[Any, Any, Response]]
    request: str | None
    body: tuple[str, type[BaseModel]] | None

    @classmethod
    def of(cls, route: BaseRoute) -> Self | None:
        """Return the way to a route's endpoint, None where it asks for more than is given here."""
        if not isinstance(route, PublicRoute) or route.dependencies:
            return None
        if not all(type(each) is StringConvertor for each in route.param_convertors.values()):
            return None
        endpoint = route.endpoint
        signature = inspect.signature(endpoint, eval_str=True)
        returned = signature.return_annotation
        if not inspect.iscoroutinefunction(endpoint) or not _is_kind(returned, Response):
            return None
        request: str | None = None
        body: tuple[str, type[BaseModel]] | None = None
        for name, given in signature.parameters.items():
            if name in route.param_convertors:
                if given.annotation is not str:
                    return None
            elif given.default is not inspect.Parameter.empty:
                return None
            elif given.annotation is Request and request is None:
                request = name
            elif _is_kind(given.annotation, BaseModel) and body is None:
                body = name, given.annotation
            else:
                return None
        if not route.param_convertors.keys() <= signature.parameters.keys():
            return None
        return cls(route, endpoint, request, body)

    async def answer(self, request: StrictRequest, names: dict[str, str]) -> Response | None:
        """Return the endpoint's answer; None where the body is not surely what it takes.

        Raises:
            DeconflictError: the request is refused.
        """
        await self.route.open(request)
        arguments: dict[str, Any] = dict(names)
        if self.body is not None:
            name, model = self.body
            try:
                arguments[name] = model.model_validate(await request.json())
            except ValidationError:
                return None
        if self.request is not None:
            arguments[self.request] = request
        return self.route.marked(request, await self.endpoint(**arguments))


class DirectApp(FastAPI):
    """A FastAPI application that calls plain endpoints itself.

    Args:
        routes: ours, in the order in which they are tried.
        names: the host names by which the server may be addressed.
        options: of FastAPI.
    """

    def __init__(
        self, *, routes: Iterable[BaseRoute], names: frozenset[str], **options: Any
    ) -> None:
        ours = list(routes)
        super().__init__(routes=ours, **options)
        self._ways: dict[str, list[tuple[re.Pattern[str], DirectWay | None]]] = {}
        for route in ours:
            if isinstance(route, PublicRoute):
                way = DirectWay.of(route)
                for method in route.methods or ():
                    self._ways.setdefault(method, []).append((route.path_regex, way))
        self._direct: ASGIApp = ServerErrorMiddleware(
            Guard(self._answer, names=names), handler=on_defect
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        way = self._way(scope)
        if way is None:
            await super().__call__(scope, receive, send)
        else:
            scope["app"] = self
            scope[_WAY] = way
            await self._direct(scope, receive, send)

    def _way(self, scope: Scope) -> tuple[DirectWay, dict[str, str]] | None:
        if scope["type"] != "http" or scope.get("root_path"):
            return None
        path: str = scope["path"]
        for pattern, way in self._ways.get(scope["method"], ()):
            found = pattern.match(path)
            if found is not None:  # the first that matches has it, as in the framework
                return None if way is None else (way, found.groupdict())
        return None

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        way, names = scope.pop(_WAY)
        scope["path_params"] = names
        request = StrictRequest(scope, receive)
        try:
            answer = await way.answer(request, names)
        except DeconflictError as error:
            answer = response_of(error)
        if answer is None:
            again = _replayed(await request.body(), receive)
            await super().__call__(scope, again, send)
        else:
            await answer(scope, receive, send)


def _is_kind(annotation: Any, kind: type) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, kind)


def _replayed(body: bytes, receive: Receive) -> Receive:
    """Return what gives a body that was read already, and then what else comes."""
    given = False

    async def receive_again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_again
