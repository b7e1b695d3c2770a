"""The files of the console over HTTP: a fixed set, read when they are first asked for.

Only what the package holds is served; a name that is not in it is not looked for on the disk. A
browser asks again with the hash it knows and is told that nothing changed, so that a console opened
anew moves no bytes, and one of a newer node is never a mixture of two.
"""

import gzip
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from deconflict.console.words import words_json
from deconflict.errors import NotFoundError
from deconflict.messages.words import LANGUAGES

__all__ = ["Asset", "Assets", "add_console"]

_MEDIA: Final = {
    "css": "text/css; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "json": "application/json",
    "mjs": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
    "toml": "text/plain; charset=utf-8",
    "txt": "text/plain; charset=utf-8",
}
_PAGE: Final = "console.html"
_ICON: Final = "icon.svg"
_WORKER: Final = "worker.js"


@dataclass(frozen=True)
class Asset:
    """One file as it is served."""

    content: bytes
    media_type: str

    @cached_property
    def tag(self) -> str:
        """The hash by which a browser asks whether it changed."""
        return f'"{hashlib.sha256(self.content).hexdigest()[:32]}"'

    @cached_property
    def packed(self) -> bytes:
        """The content as gzip; always the same bytes."""
        return gzip.compress(self.content, 9, mtime=0)


class Assets:
    """The console's files by their path below ``/console/``."""

    def __init__(self) -> None:
        self._read: dict[str, Asset] = {}

    @cached_property
    def _files(self) -> dict[str, Traversable]:
        return dict(_walk(files("deconflict.console").joinpath("static"), ""))

    def __iter__(self) -> Iterator[str]:
        yield from self._files
        yield from (f"words/{language}.json" for language in LANGUAGES)

    def get(self, path: str) -> Asset:
        """Return a file.

        Raises:
            NotFoundError: the console has none of that name.
        """
        if path not in self._read:
            if path not in set(self):
                raise NotFoundError("the console has no such file", given=ascii(path[:80]))
            found = self._files.get(path)
            language = path.removeprefix("words/").removesuffix(".json")
            content = words_json(language) if found is None else found.read_bytes()
            self._read[path] = Asset(content, _MEDIA[path.rpartition(".")[2]])
        return self._read[path]

    def answer(self, path: str, request: Request) -> Response:
        """Answer a request for a file, packed where the browser takes that.

        Raises:
            NotFoundError: the console has none of that name.
        """
        asset = self.get(path)
        headers = {"Cache-Control": "no-cache", "ETag": asset.tag, "Vary": "Accept-Encoding"}
        if request.headers.get("if-none-match") == asset.tag:
            return Response(status_code=304, headers=headers)
        if "gzip" in request.headers.get("accept-encoding", ""):
            headers["Content-Encoding"] = "gzip"
            return Response(asset.packed, headers=headers, media_type=asset.media_type)
        return Response(asset.content, headers=headers, media_type=asset.media_type)


def add_console(app: FastAPI) -> None:
    """Serve the console from an app of ``build_operator_app``, at ``/``."""
    assets = Assets()

    async def page(request: Request) -> Response:
        return assets.answer(_PAGE, request)

    async def icon(request: Request) -> Response:
        return assets.answer(_ICON, request)

    async def worker(request: Request) -> Response:
        return assets.answer(_WORKER, request)

    async def file(request: Request) -> Response:
        return assets.answer(request.path_params["path"], request)

    app.add_route("/", page)
    app.add_route("/favicon.ico", icon)
    app.add_route("/worker.js", worker)  # here, not below: it answers for the page at `/`
    app.add_route("/console/{path:path}", file)


def _walk(folder: Traversable, before: str) -> Iterator[tuple[str, Traversable]]:
    for each in folder.iterdir():
        if each.is_dir():
            yield from _walk(each, f"{before}{each.name}/")
        else:
            yield before + each.name, each
