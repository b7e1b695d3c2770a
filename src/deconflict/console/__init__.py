"""The thin console: one page and its files, nothing from elsewhere.

It shows what the API says and sends what a watch officer presses; it decides nothing. Whatever a
peer wrote is put on the screen as text, never as markup.
"""

from importlib.resources import files
from typing import Final

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

__all__ = ["add_console"]

_FILES: Final = {
    "/": ("console.html", "text/html"),
    "/console/console.css": ("console.css", "text/css"),
    "/console/console.js": ("console.js", "text/javascript"),
    "/console/events.js": ("events.js", "text/javascript"),
    "/console/fields.js": ("fields.js", "text/javascript"),
    "/favicon.ico": ("icon.svg", "image/svg+xml"),
    "/console/map.js": ("map.js", "text/javascript"),
}


def add_console(app: FastAPI) -> None:
    """Serve the console from an app of ``build_operator_app``, at ``/``."""
    folder = files("deconflict.console").joinpath("static")
    for path, (name, media_type) in _FILES.items():
        content = folder.joinpath(name).read_bytes()

        async def page(
            _request: Request, content: bytes = content, media_type: str = media_type
        ) -> Response:
            return Response(content, media_type=media_type)

        app.add_route(path, page)
