"""What requests about private checks hold."""

from typing import Annotated, Literal

from pydantic import Field

from deconflict.api.schemas import DeclarationDraft, Hash, Name, Request
from deconflict.messages.private_bodies import MAX_REFINED, MAX_RUNS
from deconflict.node.private.mediator_files import DEFAULT_MOST_BYTES

__all__ = [
    "MediatedProposed",
    "MediatesGiven",
    "PrivateDeclined",
    "PrivatePlan",
    "PrivatePlanOptions",
    "PrivateProposed",
    "PrivateRefines",
    "PrivateRunAsked",
    "PrivateRunNamed",
    "SiteConsentGiven",
    "SiteHeld",
    "SitesHeld",
    "SitesProposed",
]

Run = Annotated[int, Field(ge=0, lt=MAX_RUNS)]


class PrivatePlanOptions(Request):
    """A plan needs no options; a GeoJSON request has no query."""


class PrivatePlan(PrivatePlanOptions):
    """What is flown; empty when nothing is."""

    declarations: Annotated[list[DeclarationDraft], Field(max_length=10_000)]


class SiteHeld(Request):
    """One protected site."""

    label: Annotated[str, Field(max_length=200)] = ""
    lat_e7: Annotated[int, Field(ge=-900_000_000, le=900_000_000)]
    lon_e7: Annotated[int, Field(ge=-1_800_000_000, le=1_800_000_000)]
    radius_mm: Annotated[int, Field(ge=1, le=1_000_000_000)]


class SitesHeld(Request):
    """The list of this party, and what may be asked of it."""

    sites: Annotated[list[SiteHeld], Field(min_length=1, max_length=20_000)]
    decoys: Annotated[int, Field(ge=0, le=20_000)] = 0
    points_a_query: Annotated[int, Field(ge=17, le=65_535)] = 1_024
    queries_a_day: Annotated[int, Field(ge=1, le=1_000_000)] = 4
    share_per_mille: Annotated[int, Field(ge=1, le=1_000)] = 100
    share_all_per_mille: Annotated[int, Field(ge=1, le=1_000)] = 200


class SiteConsentGiven(Request):
    """Until when the peer of a line is answered."""

    until_utc: Name


class SitesProposed(Request):
    """A check of an activity against protected sites, to be proposed."""

    line: Name
    protector: Name | None = Field(None, description="default: the peer")
    points: Annotated[int, Field(ge=17, le=65_535)] = 1_024
    bucket: Annotated[int, Field(ge=64, le=1 << 20)] = 65_536
    label: Annotated[int, Field(ge=0, le=1_024)] = 64
    drill: bool | None = Field(None, description="default: as the line is")


class MediatedProposed(Request):
    """A check through a third party, who with either side can learn the other's plan."""

    line: Name
    mediator: Name
    answer: Literal["YES_NO", "COUNT"]
    lists: Annotated[int, Field(ge=4, le=256)] = 16
    bucket: Annotated[int, Field(ge=16, le=1 << 20)] | None = Field(
        None, description="default: as the terms say of a check without mediator"
    )
    start_utc: Name | None = Field(None, description="default: the next period")
    drill: bool | None = Field(None, description="default: as the line is")


class MediatesGiven(Request):
    """How much the peer of a line may have this node compare."""

    most_bytes: Annotated[int, Field(ge=1_024, le=1 << 30)] = DEFAULT_MOST_BYTES


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
