"""Declarations as they come in, as JSON in the signed form or as GeoJSON; strict either way."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from fastapi import Request

from deconflict.airspace.where import located
from deconflict.api.errors import validated
from deconflict.api.permit import GEO_JSON, SMALL_BODY_BYTES, media_type_of
from deconflict.api.private_schemas import PrivatePlan, PrivatePlanOptions
from deconflict.api.schemas import Check, CheckOptions, DeclarationDraft, Declare, DeclareOptions
from deconflict.api.services import services_of
from deconflict.formats import read_declarations
from deconflict.messages.declaration import (
    Declaration,
    Purpose,
    declaration_from_wire,
    new_declaration_id,
)

__all__ = ["Wanted", "read_drafts", "reads"]

_REF: Final = "#/components/schemas/{model}"
_GEO_JSON_ABOUT: Final = (
    "A Feature or a FeatureCollection in deconflict's GeoJSON profile. What the JSON body says "
    "beside the declarations stands in the query: `lines` (comma between them), `line`, "
    "`drill=true`, `release`, `as_written=true`."
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a body asks for.

    Attributes:
        declarations: those it holds; None asks for what is declared already.
        named: the ids that the body itself gave.
        lines, line, drill, release, as_written: as in the JSON body.
    """

    declarations: tuple[Declaration, ...] | None
    named: frozenset[str]
    lines: Sequence[str] | None = None
    line: str | None = None
    drill: bool | None = None
    release: str = "OWN_FORCES"
    as_written: bool = False


async def read_drafts(
    request: Request,
    model: type[Declare] | type[Check] | type[PrivatePlan],
    options: type[DeclareOptions] | type[CheckOptions] | type[PrivatePlanOptions],
) -> Wanted:
    """Return what a body asks for, whichever of the two ways it is written.

    Args:
        request: its body is read and parsed already.
        model: the JSON body.
        options: the part of it that a GeoJSON request says in its query.

    Raises:
        InvalidInputError: it is written in neither way.
    """
    random_bytes = services_of(request).random_bytes
    body = await request.body()
    is_geo_json = media_type_of(request) == GEO_JSON
    if is_geo_json:
        asked = validated(options, _query(request))
    else:
        asked = validated(model, await request.json())

    def make() -> tuple[tuple[Declaration, ...] | None, frozenset[str]]:
        if is_geo_json:
            return _from_geo_json(body, random_bytes)
        drafts = asked.declarations
        return (None, frozenset()) if drafts is None else _from_wire(drafts, random_bytes)

    # Many geometries take seconds; the event loop has beats to send meanwhile.
    made, named = await asyncio.to_thread(make) if len(body) > SMALL_BODY_BYTES else make()
    return Wanted(made, named, **asked.model_dump(exclude={"declarations"}))


def reads(model: type[Declare] | type[Check] | type[PrivatePlan]) -> dict[str, Any]:
    """Return what OpenAPI says of a body that :func:`read_drafts` reads."""
    return {
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": model.model_json_schema(ref_template=_REF)},
                GEO_JSON: {"schema": {"type": "object", "description": _GEO_JSON_ABOUT}},
            },
        }
    }


def _query(request: Request) -> dict[str, Any]:
    """Return the query of a GeoJSON request as the fields the JSON body would have."""
    said: dict[str, Any] = dict(request.query_params)
    if "lines" in said:
        said["lines"] = said["lines"].split(",")
    for name in ("drill", "as_written"):
        if said.get(name) in ("true", "false"):
            said[name] = said[name] == "true"
    return said


def _from_wire(
    drafts: Sequence[DeclarationDraft], random_bytes: Callable[[int], bytes]
) -> tuple[tuple[Declaration, ...], frozenset[str]]:
    made = []
    for index, draft in enumerate(drafts):
        with located(f"declarations[{index}]"):
            made.append(
                declaration_from_wire(
                    {
                        "declaration_id": draft.declaration_id or new_declaration_id(random_bytes),
                        "purpose": draft.purpose,
                        "geometry": draft.geometry,
                        "label": draft.label,
                        "revision": 1,  # the node counts
                    }
                )
            )
    return tuple(made), frozenset(draft.declaration_id for draft in drafts if draft.declaration_id)


def _from_geo_json(
    body: bytes, random_bytes: Callable[[int], bytes]
) -> tuple[tuple[Declaration, ...], frozenset[str]]:
    read = read_declarations(body)
    made = []
    for each in read:
        with located(f"features[{each.source_index}]"):
            made.append(
                Declaration(
                    each.declaration_id or new_declaration_id(random_bytes),
                    Purpose(each.purpose),
                    each.geometry,
                    each.label,
                )
            )
    return tuple(made), frozenset(each.declaration_id for each in read if each.declaration_id)
