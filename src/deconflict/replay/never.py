"""The sentences that must stay false, one check each, by case and text.

A sentence is said in a person's words; what makes it false is written here for the one case that
says it. Everything else in this package knows no case by name.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from deconflict.airspace.altitude import AltitudeReference
from deconflict.airspace.instant import format_utc, parse_utc
from deconflict.airspace.position import Position
from deconflict.line.delivery import DeliveryState
from deconflict.line.envelope import SealedEnvelope
from deconflict.line.packets import decode_packets
from deconflict.messages.bodies import Cease, Query
from deconflict.messages.kinds import Kind
from deconflict.messages.wire_form import Level, Place
from deconflict.replay.case import Common
from deconflict.replay.play import Player, play
from deconflict.replay.played import Played
from deconflict.replay.said import safety_of
from deconflict.replay.world import Station

__all__ = ["NEVER", "Never"]


@dataclass(frozen=True, slots=True)
class Never:
    """What a check found.

    Attributes:
        checked: how it was looked for, in words.
        violations: what makes the sentence true; empty when it is false, as it must be.
    """

    checked: str
    violations: tuple[str, ...]


Check = Callable[[Played, Common], Never]


def cease_waits_for_nobody(played: Played, common: Common) -> Never:
    """Look at every CEASE: addressed to a desk, on a desk's screen at once, receipted in time."""
    limit_ms = common.test_parameters.cease_ack_limit_s * 1_000
    violations = []
    asked = 0
    for sender in played.world.stations.values():
        for line in sender.core.lines.values():
            receiver = played.world.stations[line.peer]
            for row in sender.store.entries(line.line_id, sender.party):
                envelope = sender.core.envelope_of(row.hash)
                if envelope is None or envelope.kind != Kind.CEASE:
                    continue
                asked += 1
                if envelope.to.desk not in receiver.core.desks:
                    violations.append(f"addressed to {envelope.to.desk}, which is no desk")
                if not _lacked_within(sender, row.hash, envelope.created_utc_ms + limit_ms):
                    violations.append(f"not receipted in time: {envelope.created_utc}")
                if not _on_a_desk(receiver, row.hash, envelope.created_utc_ms + limit_ms):
                    violations.append(f"on no desk in time: {envelope.created_utc}")
    if not asked:
        violations.append("no CEASE was played")
    return Never(f"{asked} CEASE looked at, at both ends", tuple(violations))


def nothing_shows_the_activity(played: Played, common: Common) -> Never:
    """Play the case once more without the activity: the owner of the site must see no difference.

    Every byte that came to its node and every event that its screens showed is compared.
    """
    (activity,) = played.case.activity
    owner = played.case.protected_sites[0].by
    other = play(played.case, common, seed=played.seed, without_activity_of=activity.party)
    try:
        with_it, without = played.world.stations[owner], other.world.stations[owner]
        acting = [story for story in played.stories if activity.id in story.names]
        violations = []
        if with_it.received != without.received:
            violations.append(f"what came to {owner} is not the same without {activity.id}")
        if with_it.events != without.events:
            violations.append(f"what {owner} is shown is not the same without {activity.id}")
        said = b"\n".join(
            packet.data
            for item in with_it.received
            for packet in decode_packets(item.body)
            if isinstance(packet, SealedEnvelope)
        ).decode()
        told = repr(with_it.events)
        secrets = [format_utc(parse_utc(time)) for time in (activity.start, activity.end)]
        # The owner may itself file an account under this label: then it is no secret of anybody's.
        if activity.id not in {a.event for a in played.case.accounts if a.by == owner}:
            secrets.append(activity.id)
        violations += [
            f"{owner} can read {secret}"
            for secret in secrets
            if f'"{secret}"' in said or f"'{secret}'" in told
        ]
        if not acting:
            violations.append(f"{activity.id} was not played")
        return Never(
            f"{len(with_it.received)} bodies and {len(with_it.events)} events at {owner}: "
            f"the same to the last byte with and without {activity.id}",
            tuple(violations),
        )
    finally:
        other.world.close()


def safety_and_cease_always_pass(played: Played, common: Common) -> Never:
    """Play the case once more with a SAFETY and a CEASE each way, and a QUERY, while suspended."""
    suspended = next(message for message in played.case.messages if message.type == "SUSPEND")
    at_ms = parse_utc(suspended.effective or suspended.t) + 3_600_000
    parties = (suspended.from_, suspended.to)
    passed: list[tuple[str, str, Kind, str]] = []
    refused: list[str] = []

    def ask(player: Player) -> None:
        def said() -> None:
            for one, other in (parties, parties[::-1]):
                cease = Cease(
                    effective_utc=format_utc(at_ms),
                    position=Place.of(Position(0, 0)),
                    reach_mm=1_000_000,
                )
                safety = safety_of(played.case, one, at_ms, "asked while suspended")
                for kind, body in ((Kind.SAFETY, safety), (Kind.CEASE, cease)):
                    sent = player.say(one, other, kind, body)
                    passed.extend((one, other, kind, message) for message in sent)
                query = Query(
                    position=Place.of(Position(0, 0)),
                    level=Level(AltitudeReference.AMSL, 0),
                    course_ddeg=0,
                    speed_mmps=0,
                    at_utc=format_utc(at_ms),
                )
                if not player.say(one, other, Kind.QUERY, query):
                    refused.append(one)

        player.world.at(at_ms, said)

    other = play(played.case, common, seed=played.seed, extra=ask)
    try:
        violations = [f"{len(passed)} of 4 were taken"] if len(passed) != 4 else []
        if sorted(refused) != sorted(parties):
            violations.append("routine traffic was not stopped")
        for sender, receiver, kind, message in passed:
            if not _lacked_within(other.world.stations[sender], message, at_ms + 10_000):
                violations.append(f"{kind} of {sender} was not receipted")
            if other.world.stations[receiver].store.entry(message) is None:
                violations.append(f"{kind} of {sender} is not in the record of {receiver}")
        return Never(
            "SAFETY and CEASE each way an hour into the suspension: logged and receipted; "
            "a QUERY was stopped",
            tuple(violations),
        )
    finally:
        other.world.close()


def _lacked_within(station: Station, message_hash: str, by_ms: int) -> bool:
    return any(
        event.kind == "delivery"
        and event.data["hash"] == message_hash
        and event.data["state"] == DeliveryState.LACKED
        and parse_utc(event.at_utc) <= by_ms
        for event in station.events
    )


def _on_a_desk(station: Station, message_hash: str, by_ms: int) -> bool:
    return any(
        event.kind == "alert"
        and event.data["rule"] == "CEASE_RECEIVED"
        and event.data["facts"]["message"] == message_hash
        and event.data["desk"] in station.core.desks
        and parse_utc(event.at_utc) <= by_ms
        for event in station.events
    )


NEVER: Final[Mapping[tuple[str, str], Check]] = MappingProxyType(
    {
        (
            "DEZ-2016-09-17",
            "any state in which a CEASE_REQUEST waits on a named individual",
        ): cease_waits_for_nobody,
        (
            "KUNDUZ-2015-10-03",
            "anything shown or sent to MSF that reveals A1 or its time or place: a party's "
            "activity is never shown to the humanitarian party",
        ): nothing_shows_the_activity,
        (
            "SHAYRAT-2017-04-07",
            "a SAFETY_OF_FLIGHT or CEASE_REQUEST refused or unlogged while the line is suspended",
        ): safety_and_cease_always_pass,
    }
)
