"""What requests about private checks hold."""

from typing import Annotated

from pydantic import Field

from deconflict.api.schemas import DeclarationDraft, Hash, Name, Request
from deconflict.messages.private_bodies import MAX_REFINED, MAX_RUNS

__all__ = [
    "PrivateDeclined",
    "PrivatePlan",
    "PrivatePlanOptions",
    "PrivateProposed",
    "PrivateRefines",
    "PrivateRunAsked",
    "PrivateRunNamed",
]

Run = Annotated[int, Field(ge=0, lt=MAX_RUNS)]


class PrivatePlanOptions(Request):
    """A plan needs no options; a GeoJSON request has no query."""


class PrivatePlan(PrivatePlanOptions):
    """What is flown; empty when nothing is."""

    declarations: Annotated[list[DeclarationDraft], Field(max_length=10_000)]


class PrivateRefines(Request):
    """A closer look at some slots of a run."""

    of: Hash
    run: Run
    parts: Annotated[int, Field(ge=2, le=64)]
    slots: Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1, max_length=MAX_REFINED)]


class PrivateProposed(Request):
    """A private check to be proposed."""

    line: Name
    start_utc: Name | None = Field(None, description="default: the next period")
    runs: Annotated[int, Field(ge=1, le=MAX_RUNS)] = 1
    refines: PrivateRefines | None = None
    drill: bool | None = Field(None, description="default: as the line is")


class PrivateDeclined(Request):
    """Why one does not take part, as the number of an agreed phrase."""

    reason_number: int | None = None


class PrivateRunAsked(Request):
    """Which run; none named for the next one, and when cancelling for all to come."""

    run: Run | None = None


class PrivateRunNamed(Request):
    """Which run."""

    run: Run
