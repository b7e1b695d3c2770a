"""A case of the scenario set as values, read strictly: what is not known is refused, not ignored.

The format is that of ``scenarios/README.md``. Times become UTC milliseconds, positions and
volumes the values of ``airspace``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from deconflict.airspace.instant import parse_utc
from deconflict.errors import InvalidDocumentError
from deconflict.formats.bounded_json import parse_json
from deconflict.replay.items import (
    AccountItem,
    ActivityItem,
    DeclarationItem,
    Expectation,
    Item,
    LinkItem,
    MessageItem,
    ObservationItem,
    PartyItem,
    PlaceItem,
    SiteItem,
    TestParameters,
    TrackItem,
    VolumeItem,
)

__all__ = ["CARRIED", "Case", "Common", "read_case", "read_common"]

# Carried by the line; the rest is context that a person or a watch may use.
CARRIED: Final = (
    "NOTIFY_ACTIVITY",
    "ACK",
    "CEASE_REQUEST",
    "CEASED",
    "SAFETY_OF_FLIGHT",
    "UNKNOWN_TRACK_QUERY",
    "SUSPEND",
    "RESUME",
)


class _Zone(Item, frozen=True):
    id: str
    owner: str
    volume: VolumeItem
    exclusive: tuple[str, ...] = ()
    acknowledged: bool = True


class _AgreedLine(Item, frozen=True):
    id: str
    points: tuple[PlaceItem, ...]
    west: str
    east: str
    agreed: Literal["verbal", "written"]


class _CaseFile(Item, frozen=True):
    schema: Literal["deconflict-scenario/1"]
    id: str
    title: str
    kind: Literal["reconstruction"]
    place: str
    parties: tuple[PartyItem, ...]
    facts: tuple[dict[str, Any], ...]
    disputed: tuple[dict[str, Any], ...]
    assumptions: tuple[str, ...]
    declarations: tuple[DeclarationItem, ...]
    tracks: tuple[TrackItem, ...]
    messages: tuple[MessageItem, ...]
    computed: dict[str, Any]
    expected: tuple[Expectation, ...]
    accounts: tuple[AccountItem, ...] = ()
    zones: tuple[_Zone, ...] = ()
    lines: tuple[_AgreedLine, ...] = ()
    protected_sites: tuple[SiteItem, ...] = ()
    links: tuple[LinkItem, ...] = ()
    activity: tuple[ActivityItem, ...] = ()
    observations: tuple[ObservationItem, ...] = ()
    not_expected: tuple[str, ...] = ()
    variants: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """One case, or one variant of it, ready to be played.

    Attributes:
        variant: id of the variant; None for a case without variants.
    """

    id: str
    variant: str | None
    title: str
    place: str
    parties: tuple[PartyItem, ...]
    declarations: tuple[DeclarationItem, ...]
    tracks: tuple[TrackItem, ...]
    messages: tuple[MessageItem, ...]
    expected: tuple[Expectation, ...]
    accounts: tuple[AccountItem, ...]
    protected_sites: tuple[SiteItem, ...]
    links: tuple[LinkItem, ...]
    activity: tuple[ActivityItem, ...]
    observations: tuple[ObservationItem, ...]
    not_expected: tuple[str, ...]

    @property
    def name(self) -> str:
        """The case, with its variant if it is one."""
        return self.id if self.variant is None else f"{self.id}/{self.variant}"

    @property
    def connected(self) -> tuple[str, ...]:
        """The parties that have a node."""
        return tuple(party.id for party in self.parties if party.connected)


class Common(msgspec.Struct, frozen=True, kw_only=True):
    """What all cases share: limits, and every rule with its meaning."""

    schema: Literal["deconflict-scenario/1"]
    test_parameters: TestParameters
    rules: Mapping[str, str]


def read_common(file: Path) -> Common:
    """Return the ``common.json`` beside a case.

    Raises:
        InvalidDocumentError: it is missing or does not say what it must.
    """
    path = file.parent / "common.json"
    if not path.is_file():
        raise InvalidDocumentError(
            "a case needs the limits and rules of its set",
            given=str(path),
            expected="common.json in the same folder",
            remedy="copy it there with the case",
        )
    common: Common = _convert(parse_json(path.read_bytes()), Common, path.name)
    return common


def read_case(file: Path, common: Common) -> tuple[Case, ...]:
    """Return a case: itself, or its variants when it has some.

    Raises:
        InvalidDocumentError: a key, rule, party or message type that the format does not know.
        InvalidInputError: a position, time or volume that cannot be.
    """
    name = file.name
    document = parse_json(file.read_bytes())
    whole = _convert(document, _CaseFile, name)
    if not isinstance(document, dict) or not whole.variants:
        cases = [_case(whole, None)]
    else:
        cases = [_variant(document, whole, changes, name) for changes in whole.variants]
    for case in cases:
        _check(case, common, name)
    return tuple(cases)


def _variant(
    document: dict[str, Any], whole: _CaseFile, changes: dict[str, Any], name: str
) -> Case:
    replaced = {**document, **changes}
    variant = replaced.pop("id")
    dropped = frozenset(replaced.pop("drop_tracks", ()))
    replaced |= {"id": whole.id, "variants": []}
    case = _convert(replaced, _CaseFile, f"{name}, variant {variant}")
    unknown = dropped - {track.id for track in case.tracks}
    if unknown:
        raise _malformed(name, f"variant {variant} drops {', '.join(sorted(unknown))}", "a track")
    expected = case.expected
    if "expected" in changes:
        expected = (*whole.expected, *expected)
    return _case(case, str(variant), dropped, expected)


def _case(
    file: _CaseFile,
    variant: str | None,
    dropped: frozenset[str] = frozenset(),
    expected: tuple[Expectation, ...] | None = None,
) -> Case:
    return Case(
        id=file.id,
        variant=variant,
        title=file.title,
        place=file.place,
        parties=file.parties,
        declarations=file.declarations,
        tracks=tuple(track for track in file.tracks if track.id not in dropped),
        messages=file.messages,
        expected=file.expected if expected is None else expected,
        accounts=file.accounts,
        protected_sites=file.protected_sites,
        links=file.links,
        activity=file.activity,
        observations=file.observations,
        not_expected=file.not_expected,
    )


def _check(case: Case, common: Common, name: str) -> None:
    parties = {party.id for party in case.parties}
    for declaration in case.declarations:
        _require(declaration.from_ in parties, name, f"{declaration.id} from {declaration.from_}")
        known = declaration.to == "ALL" or declaration.to in parties
        _require(known, name, f"{declaration.id} to {declaration.to}")
        parse_utc(declaration.sent or "2000-01-01T00:00:00Z")
    for message in case.messages:
        carried = message.type in CARRIED
        known = {message.from_, message.to} <= parties
        _require(known or not carried, name, f"{message.type} {message.from_} to {message.to}")
    for by, what in (
        *((site.by, site.id) for site in case.protected_sites),
        *((activity.party, activity.id) for activity in case.activity),
        *((party, "links") for link in case.links for party in link.between),
    ):
        _require(by in parties, name, f"{what} of {by}")
    if len(case.connected) < 2:
        raise _malformed(name, f"{len(case.connected)} connected parties", "two at least")
    for expectation in case.expected:
        if expectation.rule not in common.rules:
            raise _malformed(
                name, f"rule {expectation.rule}", "one of common.json: " + ", ".join(common.rules)
            )


def _require(holds: bool, name: str, what: str) -> None:
    if not holds:
        raise _malformed(name, what, "parties that the case lists")


def _malformed(name: str, given: str, expected: str) -> InvalidDocumentError:
    return InvalidDocumentError(
        f"{name} is no case that can be played",
        given=f"{given:.200}",
        expected=f"{expected:.300}",
        remedy="see scenarios/README.md",
    )


def _convert(document: object, form: type[Any], name: str) -> Any:
    try:
        return msgspec.convert(document, form, strict=True)
    except msgspec.ValidationError as error:
        raise _malformed(name, str(error), "the keys of scenarios/README.md") from error
