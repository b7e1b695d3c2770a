"""The API's documentation as one page that needs no network: written on the server, no script."""

import json
from collections.abc import Iterable, Mapping
from html import escape
from importlib.resources import files
from typing import Any, Final

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from deconflict.api.credentials import CSRF_HEADER, cookie_name
from deconflict.api.permit import BEARER, COOKIE, CSRF

__all__ = ["add_docs", "docs_html"]

Json = Mapping[str, Any]
_METHODS: Final = ("get", "post", "put", "delete")
_OF_A_BODY: Final = {
    "413": "the body is larger than this call reads; send it in parts",
    "415": "the body is of a kind that this call does not read",
}


def add_docs(app: FastAPI, *, base: str) -> None:
    """Serve ``/docs``, its style sheet, and the OpenAPI document below ``base``."""
    style = files("deconflict.api").joinpath("docs.css").read_bytes()
    pages: dict[str, str] = {}

    def described() -> Json:
        openapi = app.openapi()  # kept by the app, so this is done once
        _hoist(openapi)
        _true_refusals(openapi)
        _name_proofs(openapi, cookie_name(app.state.services, "http"))
        return openapi

    async def page(_request: Request) -> Response:
        if not pages:
            pages["docs"] = docs_html(described(), document=f"{base}/openapi.json")
        return HTMLResponse(pages["docs"])

    async def sheet(_request: Request) -> Response:
        return Response(style, media_type="text/css")

    async def document(_request: Request) -> Response:
        return Response(json.dumps(described(), ensure_ascii=False), media_type="application/json")

    app.add_route("/docs", page)
    app.add_route("/docs/docs.css", sheet)
    app.add_route(f"{base}/openapi.json", document)


def _hoist(openapi: dict[str, Any]) -> None:
    """Move the shapes that a body carries in ``$defs`` to where OpenAPI looks for them."""
    schemas = openapi.setdefault("components", {}).setdefault("schemas", {})
    for methods in openapi["paths"].values():
        for operation in methods.values():
            for content in operation.get("requestBody", {}).get("content", {}).values():
                schema = content["schema"]
                schemas.update(schema.pop("$defs", {}))


def _true_refusals(openapi: dict[str, Any]) -> None:
    """Say which refusals a call gives: FastAPI's own 422 never leaves this API, it is a 400 here.

    Whatever reads a body may find it too large or of another kind.
    """
    for methods in openapi["paths"].values():
        for operation in methods.values():
            refusals = operation["responses"]
            refusals.pop("422", None)
            shape = refusals.get("400")
            if shape is not None and "requestBody" in operation:
                for status, words in _OF_A_BODY.items():
                    refusals[status] = {**shape, "description": words}
            operation["responses"] = dict(sorted(refusals.items()))
    for name in ("HTTPValidationError", "ValidationError"):
        openapi["components"]["schemas"].pop(name, None)


def _name_proofs(openapi: dict[str, Any], cookie: str) -> None:
    """Say what proves a session on most calls: a token, or a browser's two halves."""
    openapi["components"]["securitySchemes"] = {
        BEARER: {
            "type": "http",
            "scheme": "bearer",
            "description": "the token of POST /api/v1/session",
        },
        COOKIE: {
            "type": "apiKey",
            "in": "cookie",
            "name": cookie,
            "description": "of a login with browser: true; its name begins with __Host- over TLS",
        },
        CSRF: {
            "type": "apiKey",
            "in": "header",
            "name": CSRF_HEADER,
            "description": "the csrf_token of that login: a cookie alone opens nothing",
        },
    }


def docs_html(openapi: Json, *, document: str) -> str:
    """Return the page for an OpenAPI document; everything in it is escaped."""
    info = openapi["info"]
    schemas: Json = openapi.get("components", {}).get("schemas", {})
    by_tag: dict[str, list[tuple[str, str, Json]]] = {}
    for path, methods in openapi["paths"].items():
        for method in _METHODS:
            if method in methods:
                tag = methods[method].get("tags", ["other"])[0]
                by_tag.setdefault(tag, []).append((method, path, methods[method]))
    contents = "".join(f'<li><a href="#{escape(tag)}">{escape(tag)}</a></li>' for tag in by_tag)
    sections = "".join(
        f'<section id="{escape(tag)}"><h2>{escape(tag)}</h2>'
        + "".join(_operation(*each, schemas) for each in operations)
        + "</section>"
        for tag, operations in by_tag.items()
    )
    shapes = "".join(_shape(name, schemas[name], schemas) for name in sorted(schemas))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(info['title'])}</title>"
        '<link rel="stylesheet" href="/docs/docs.css"></head><body>'
        f"<header><h1>{escape(info['title'])} <small>{escape(info['version'])}</small></h1>"
        f"{_prose(info['description'])}"
        f'<p>Machine-readable: <a href="{escape(document)}">{escape(document)}</a></p></header>'
        f'<nav aria-label="Contents"><ul>{contents}<li><a href="#shapes">shapes</a></li></ul></nav>'
        f'<main>{sections}<section id="shapes"><h2>Shapes</h2>{shapes}</section></main>'
        "</body></html>"
    )


def _operation(method: str, path: str, operation: Json, schemas: Json) -> str:
    roles = operation.get("x-roles")
    who = "anybody" if roles is None else ", ".join(role.replace("_", " ") for role in roles)
    parts = [
        f'<article id="{escape(operation["operationId"])}">',
        f'<h3><span class="method {method}">{method.upper()}</span> '
        f"<code>{escape(path)}</code></h3>",
        f'<p class="who">For: {escape(who)}</p>',
        _prose(operation.get("description", "")),
    ]
    if parameters := operation.get("parameters"):
        rows = (
            (
                f"{each['name']} ({each['in']})",
                _type_of(each["schema"]),
                escape(each.get("description", "")) or _default(each["schema"]),
            )
            for each in parameters
        )
        parts.append(_table(("Parameter", "Type", "Meaning"), rows))
    for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
        schema = content.get("schema", {})
        parts.append(f"<h4>Body, <code>{escape(media_type)}</code></h4>")
        parts.append(_fields(_resolved(schema, schemas)))
        examples = _resolved(schema, schemas).get("examples", ())
        parts += [_code(example) for example in examples]
    for status, response in operation.get("responses", {}).items():
        if status == "200":
            for media_type, content in response.get("content", {}).items():
                kind = _type_of(content["schema"]) if content.get("schema") else ""
                parts.append(f"<h4>Answer</h4><p><code>{escape(media_type)}</code> {kind}</p>")
    refusals = [status for status in operation.get("responses", {}) if status != "200"]
    if refusals:
        parts.append(f'<p class="refusals">Refusals: {escape(", ".join(refusals))}</p>')
    return "".join(parts) + "</article>"


def _shape(name: str, schema: Json, schemas: Json) -> str:
    return (
        f'<details id="shape-{escape(name)}"><summary><code>{escape(name)}</code></summary>'
        f"{_prose(schema.get('description', ''))}{_fields(_resolved(schema, schemas))}</details>"
    )


def _fields(schema: Json) -> str:
    required = schema.get("required", ())
    rows = (
        (
            name,
            _type_of(field),
            (escape(field.get("description", "")) or _default(field))
            + ("" if name in required else " <em>may be left out</em>"),
        )
        for name, field in schema.get("properties", {}).items()
    )
    return _table(("Field", "Type", "Meaning"), rows) if schema.get("properties") else ""


def _type_of(schema: Json) -> str:
    """Return a schema's type in a word or two, with a link where it has a shape of its own."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f'<a href="#shape-{escape(name)}">{escape(name)}</a>'
    if "anyOf" in schema:
        return " or ".join(_type_of(each) for each in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(escape(str(each)) for each in schema["enum"])
    if "const" in schema:
        return escape(str(schema["const"]))
    if schema.get("type") == "array":
        return f"list of {_type_of(schema.get('items', {}))}"
    return escape(str(schema.get("type", "any")))


def _default(schema: Json) -> str:
    return f"default {escape(json.dumps(schema['default']))}" if "default" in schema else ""


def _resolved(schema: Json, schemas: Json) -> Json:
    if "$ref" in schema:
        found: Json = schemas[schema["$ref"].rpartition("/")[2]]
        return found
    return schema


def _table(heads: Iterable[str], rows: Iterable[tuple[str, str, str]]) -> str:
    """Return a table; the first cell is plain text, the others are HTML already."""
    head = "".join(f'<th scope="col">{escape(each)}</th>' for each in heads)
    body = "".join(
        f"<tr><td><code>{escape(name)}</code></td><td>{kind}</td><td>{meaning}</td></tr>"
        for name, kind, meaning in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _code(value: Any) -> str:
    return f"<pre><code>{escape(json.dumps(value, indent=2, ensure_ascii=False))}</code></pre>"


def _prose(text: str) -> str:
    """Return paragraphs; ``code`` between backticks is the one mark-up."""
    paragraphs = []
    for block in text.strip().split("\n\n"):
        pieces = escape(" ".join(block.split())).split("`")
        marked = "".join(
            f"<code>{piece}</code>" if index % 2 else piece for index, piece in enumerate(pieces)
        )
        paragraphs.append(f"<p>{marked}</p>")
    return "".join(paragraphs) if text.strip() else ""
