"""What a request proves itself by: a token in its header, or a browser's cookie with its header.

Cookies of one host go to each of its ports, so on loopback every program that listens here gets
what a browser holds for us, and may set it too. A cookie alone therefore proves nothing on any
call, reading ones included; the other half stays in the page, where other ports cannot look.
"""

from typing import Final

from fastapi import Request
from starlette.responses import Response

from deconflict.api.services import Services, services_of
from deconflict.api.sessions import Session, browser_proof
from deconflict.errors import InvalidInputError, NotAuthenticatedError, NotPermittedError

__all__ = ["CSRF_HEADER", "clear_cookie", "cookie_name", "proof_of", "set_cookie"]

CSRF_HEADER: Final = "Deconflict-CSRF"


def cookie_name(services: Services, scheme: str) -> str:
    """Return how this node calls its cookie: other nodes at the same host call theirs otherwise."""
    prefix = "__Host-" if scheme == "https" else ""
    return f"{prefix}deconflict-{services.accounts.file.tag}"


def proof_of(request: Request) -> str:
    """Return what this request proves its session by.

    Raises:
        NotAuthenticatedError: it brings nothing, or half of what a browser has to bring.
        NotPermittedError: a page of another origin makes a browser send it.
        InvalidInputError: it brings both, and one of them may be somebody else's.
    """
    authorization, cookies = "", ""
    for name, value in request.scope["headers"]:
        if name == b"authorization":
            authorization = authorization or value.decode("latin-1")
        elif name == b"cookie":
            cookies = f"{cookies};{value.decode('latin-1')}"
    held = _own_cookies(request, cookies) if cookies else []
    if not held:
        return _bearer_token(authorization)
    if authorization:
        raise InvalidInputError(
            "a request proves its login in two ways",
            given="Authorization and a session cookie",
            expected="one of them",
            remedy="log out in the browser, or send no Authorization header",
        )
    # A browser says for which page it sends; a program that is none says nothing.
    site = request.headers.get("sec-fetch-site", "same-origin")
    if site != "same-origin":
        raise NotPermittedError(
            "a page from elsewhere may not call this",
            given=f"Sec-Fetch-Site: {site[:40]!a}",
            expected="a call of the console's own page",
        )
    csrf_token = request.headers.get(CSRF_HEADER, "")
    if not csrf_token:
        raise NotAuthenticatedError(
            "a session cookie alone opens nothing",
            expected=f"{CSRF_HEADER}: the csrf_token of the login",
            remedy="log in again",
        )
    # Two of one name: another program of this host has set one of them.
    return browser_proof(held[0] if len(held) == 1 else "", csrf_token)


def set_cookie(answer: Response, request: Request, session: Session) -> None:
    """Give the browser its half of a session; it forgets it when it is closed."""
    secure = request.url.scheme == "https"
    answer.set_cookie(
        cookie_name(services_of(request), request.url.scheme),
        session.token,
        path="/",
        secure=secure,
        httponly=True,
        samesite="strict",
    )


def clear_cookie(answer: Response, request: Request) -> None:
    """Take back the cookie of a request that brought one."""
    if not _own_cookies(request, request.headers.get("cookie", "")):
        return
    answer.delete_cookie(
        cookie_name(services_of(request), request.url.scheme),
        path="/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )


def _bearer_token(authorization: str) -> str:
    scheme, _, given = authorization.partition(" ")
    token = given.strip()
    # A browser's session is never taken from here: two halves that travel as one are no halves.
    if scheme.lower() != "bearer" or not token or "." in token:
        raise NotAuthenticatedError(
            "this call needs a login",
            expected=f"Authorization: Bearer <token>, or a session cookie with {CSRF_HEADER}",
            remedy="POST /api/v1/session with account and password",
        )
    return token


def _own_cookies(request: Request, header: str) -> list[str]:
    """Return the values that stand under this node's name; other cookies are others' business."""
    wanted = cookie_name(services_of(request), request.url.scheme)
    pairs = (each.strip().partition("=") for each in header.split(";"))
    return [value for name, _, value in pairs if name == wanted]
