"""The sheet that one watch hands to the next: what is open, what ends, what is due (R8).

A pure function of what the node shows anyway, so that the sheet says nothing that the screens do
not. It states facts: whether the watch can be left is for the officer who leaves it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from deconflict.airspace.instant import format_utc, parse_utc
from deconflict.messages.kinds import Kind
from deconflict.messages.phrases import render_named, word_for
from deconflict.messages.values import ValueType
from deconflict.node.views import AlertView, DeclarationView, HeldView, LineView

__all__ = [
    "AHEAD_MS",
    "GAP_MS",
    "ArrangedView",
    "CheckView",
    "OpenView",
    "Part",
    "Sheet",
    "SheetItem",
    "hand_over_sheet",
]

AHEAD_MS: Final = 8 * 3_600_000  # a watch of eight hours
GAP_MS: Final = 30 * 60_000

# An alert that only repeats an open message is not listed a second time.
_SAME_AS_MESSAGE: Final = ("CEASE_OPEN",)


class Part(StrEnum):
    """A part of the sheet, in the order in which it is read."""

    WARNINGS = "WARNINGS"
    CEASES = "CEASES"
    QUERIES = "QUERIES"
    OTHERS = "OTHERS"
    ALERTS = "ALERTS"
    ENDING = "ENDING"
    UPCOMING = "UPCOMING"
    HELD = "HELD"
    CHECKS = "CHECKS"


@dataclass(frozen=True, slots=True)
class OpenView:
    """One message that still waits for an answer or for its end."""

    message: str
    line_id: str
    peer: str
    own: bool
    kind: str
    precedence: str
    sent_utc: str
    due_utc: str
    seen: bool
    answered_by: str | None
    declaration_id: str | None
    drill: bool
    standby_text: str = ""  # that STANDBY was given, and when; nothing where it was not


@dataclass(frozen=True, slots=True)
class CheckView:
    """The next check of a line by people."""

    line_id: str
    peer: str
    by: str
    due_utc: str
    last_utc: str


@dataclass(frozen=True, slots=True)
class ArrangedView:
    """One call that is arranged and not over."""

    call_id: str
    peer: str
    start_utc: str
    end_utc: str
    tier: str
    medium: str
    drill: bool


@dataclass(frozen=True, slots=True)
class SheetItem:
    """One line of the sheet.

    Attributes:
        part: where it stands.
        key: names the same matter on a later sheet.
        text: in the desk's language.
        done: what was done about it, in words.
        about: what an answer names: a message, a declaration, what is held.
        urgency: of an alert or a message.
        due_utc: by when.
        drill: exercise only.
        new: not on the sheet that was signed off.
    """

    part: Part
    key: str
    text: str
    done: tuple[str, ...] = ()
    about: str | None = None
    urgency: str | None = None
    due_utc: str | None = None
    drill: bool = False
    new: bool = False


@dataclass(frozen=True, slots=True)
class Sheet:
    """The sheet of one desk.

    Attributes:
        made_utc: as things stood then.
        ahead_utc: declarations that end before this are on it.
        next_watch_utc: by when the next watch is expected; what ends before it ends unwatched.
        signed_off_utc: since when the desk is signed off; None while somebody has the watch.
        lines: the connections.
        items: everything else, part by part.
    """

    party: str
    desk: str
    language: str
    made_utc: str
    ahead_utc: str
    next_watch_utc: str
    signed_off_utc: str | None
    lines: tuple[LineView, ...]
    items: tuple[SheetItem, ...]

    @property
    def warnings(self) -> tuple[SheetItem, ...]:
        """What an officer who leaves has to know first."""
        return tuple(item for item in self.items if item.part is Part.WARNINGS)


def hand_over_sheet(
    *,
    party: str,
    desk: str,
    language: str,
    now_ms: int,
    ahead_ms: int,
    gap_ms: int,
    lines: Sequence[LineView],
    opened: Sequence[OpenView],
    alerts: Sequence[AlertView],
    declarations: Sequence[DeclarationView],
    held: Sequence[HeldView],
    checks: Sequence[CheckView],
    calls: Sequence[ArrangedView] = (),
    signed_off_utc: str | None = None,
    known: frozenset[str] | None = None,
) -> Sheet:
    """Return the sheet as of ``now_ms``.

    Args:
        party: whose node.
        desk: whose watch.
        language: of the texts.
        now_ms: the present.
        ahead_ms: how far ahead declarations that end are looked for.
        gap_ms: until when, from now, the next watch is expected.
        lines: how each line is, and what of it is suspended later.
        opened: messages without an answer or an end.
        alerts: the open ones.
        declarations: the active ones; the peers' are passed over.
        held: what waits for a second person.
        checks: the next check of each line.
        calls: those arranged, however far ahead.
        signed_off_utc: since when nobody has the watch.
        known: keys of what was on the sheet that was signed off; None when none was.
    """
    own = [each for each in declarations if each.own and each.state == "ACTIVE"]
    ending = sorted(
        (each for each in own if parse_utc(each.end_utc) <= now_ms + ahead_ms),
        key=lambda each: (each.end_utc, each.declaration_id),
    )
    items = [
        *_warnings(opened, ending, now_ms + gap_ms, language),
        *_open(opened, language),
        *_alerts(alerts, opened),
        *(_ends(each, now_ms, language) for each in ending),
        *_upcoming(own, lines, now_ms, now_ms + ahead_ms, language),
        *_calls(calls, language),
        *_held(held, language),
        *_checks(checks, language),
    ]
    order = tuple(Part)
    items.sort(key=lambda item: order.index(item.part))  # stable: within a part as they came
    if known is not None:
        items = [replace(item, new=True) if item.key not in known else item for item in items]
    return Sheet(
        party=party,
        desk=desk,
        language=language,
        made_utc=format_utc(now_ms),
        ahead_utc=format_utc(now_ms + ahead_ms),
        next_watch_utc=format_utc(now_ms + gap_ms),
        signed_off_utc=signed_off_utc,
        lines=tuple(lines),
        items=tuple(items),
    )


def _warnings(
    opened: Iterable[OpenView], ending: Sequence[DeclarationView], gap_end_ms: int, language: str
) -> Iterator[SheetItem]:
    """Yield what is left behind: open cease requests, and own cover that ends meanwhile."""
    leaving = [each for each in ending if not each.drill and parse_utc(each.end_utc) <= gap_end_ms]
    for each in opened:
        if each.kind != Kind.CEASE or each.drill:
            continue
        name = "SHEET_THEIRS" if not each.own else "COVER_LEAVING" if leaving else "CEASE_OPEN"
        values: dict[str, Any] = {"peer": each.peer, "sent": each.sent_utc}
        if not each.own:
            values["kind"] = each.kind
        yield SheetItem(
            Part.WARNINGS,
            f"warning/{each.message}",
            render_named(name, values, language),
            about=each.message,
            urgency=each.precedence,
        )
    for declared in leaving:
        yield SheetItem(
            Part.WARNINGS,
            f"warning/{declared.declaration_id}",
            render_named(
                "COVER_ENDS",
                {
                    "declaration": declared.declaration_id,
                    "end": declared.end_utc,
                    "until": format_utc(gap_end_ms),
                },
                language,
            ),
            about=declared.declaration_id,
            due_utc=declared.end_utc,
        )


def _open(opened: Iterable[OpenView], language: str) -> Iterator[SheetItem]:
    parts = {Kind.CEASE.value: Part.CEASES, Kind.QUERY.value: Part.QUERIES}
    for each in opened:
        done = [Kind.SEEN.value] if each.seen else []
        if each.answered_by is not None:
            done.append(each.answered_by)
        values = {"kind": each.kind, "peer": each.peer, "sent": each.sent_utc}
        name = "SHEET_OURS" if each.own else "SHEET_THEIRS"
        yield SheetItem(
            parts.get(each.kind, Part.OTHERS),
            f"message/{each.message}",
            f"{render_named(name, values, language)} {each.standby_text}".rstrip(),
            done=tuple(word_for(ValueType.KIND, kind, language) for kind in done),
            about=each.message,
            urgency=each.precedence,
            due_utc=each.due_utc,
            drill=each.drill,
        )


def _alerts(alerts: Iterable[AlertView], opened: Iterable[OpenView]) -> Iterator[SheetItem]:
    messages = {each.message for each in opened}
    for alert in alerts:
        repeats = alert.rule in _SAME_AS_MESSAGE or alert.rule.endswith("_RECEIVED")
        if repeats and alert.subject in messages:
            continue
        # The steps asked for stand in the text, each with its time: it is what was done so far.
        yield SheetItem(
            Part.ALERTS,
            f"alert/{alert.alert_id}",
            alert.text,
            about=alert.subject,
            urgency=alert.urgency,
            due_utc=alert.deadline_utc,
            drill=alert.drill,
        )


def _ends(declared: DeclarationView, now_ms: int, language: str) -> SheetItem:
    values = {
        "party": declared.party,
        "declaration": declared.declaration_id,
        "end": declared.end_utc,
        "left": max(0, parse_utc(declared.end_utc) - now_ms) // 1_000 * 1_000,
    }
    return SheetItem(
        Part.ENDING,
        f"declaration/{declared.declaration_id}",
        render_named("DECLARATION_EXPIRING", values, language),
        about=declared.declaration_id,
        due_utc=declared.end_utc,
        drill=declared.drill,
    )


def _upcoming(
    own: Iterable[DeclarationView],
    lines: Iterable[LineView],
    now_ms: int,
    until_ms: int,
    language: str,
) -> Iterator[SheetItem]:
    """Yield own declarations that begin within the watch, and what is suspended later."""
    starting = [each for each in own if now_ms < parse_utc(each.start_utc) <= until_ms]
    for declared in sorted(starting, key=lambda each: (each.start_utc, each.declaration_id)):
        values = {
            "declaration": declared.declaration_id,
            "purpose": declared.purpose,
            "start": declared.start_utc,
        }
        yield SheetItem(
            Part.UPCOMING,
            f"begins/{declared.declaration_id}/{declared.start_utc}",
            render_named("SHEET_BEGINS", values, language),
            about=declared.declaration_id,
            due_utc=declared.start_utc,
            drill=declared.drill,
        )
    for line in lines:
        for each in line.suspensions:
            if each.in_effect:
                continue
            yield SheetItem(
                Part.UPCOMING,
                f"suspension/{line.line_id}/{each.by}/{each.scope}/{each.effective_utc}",
                render_named(
                    "SUSPENDED_LATER",
                    {
                        "peer": line.peer,
                        "party": each.by,
                        "scope": each.scope,
                        "effective": each.effective_utc,
                    },
                    language,
                ),
                due_utc=each.effective_utc,
                drill=each.drill,
            )


def _calls(calls: Iterable[ArrangedView], language: str) -> Iterator[SheetItem]:
    for each in sorted(calls, key=lambda each: (each.start_utc, each.call_id)):
        values = {
            "peer": each.peer,
            "start": each.start_utc,
            "end": each.end_utc,
            "tier": each.tier,
            "medium": each.medium,
        }
        yield SheetItem(
            Part.UPCOMING,
            f"call/{each.call_id}",
            render_named("SHEET_CALL", values, language),
            about=each.call_id,
            due_utc=each.start_utc,
            drill=each.drill,
        )


def _held(held: Iterable[HeldView], language: str) -> Iterator[SheetItem]:
    for each in held:
        if each.text:
            yield SheetItem(
                Part.HELD,
                f"held/{each.held_id}",
                each.text,
                about=each.held_id,
                due_utc=each.expires_utc,
            )
        for number, message in enumerate(each.messages):
            values = {"kind": message.kind, "peer": message.peer, "written": each.written_utc}
            yield SheetItem(
                Part.HELD,
                f"held/{each.held_id}/{number}",
                render_named("SHEET_HELD", values, language),
                about=each.held_id,
                drill=message.drill,
            )


def _checks(checks: Iterable[CheckView], language: str) -> Iterator[SheetItem]:
    for each in checks:
        values = {"peer": each.peer, "party": each.by, "due": each.due_utc}
        yield SheetItem(
            Part.CHECKS,
            f"check/{each.line_id}/{each.due_utc}",
            render_named("SHEET_LINE_CHECK", values, language),
            due_utc=each.due_utc,
        )
