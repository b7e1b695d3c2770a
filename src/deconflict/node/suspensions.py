"""Which scopes of a line are suspended: by whom, from when, until when.

Each side has its own suspension of a scope. What one suspended, the other can neither end nor put
off; the scope is free again when neither holds it (specs/messages.md §4). What is an exercise is
kept apart: it changes nothing that is real. No side can say of a time that has passed that a scope
was suspended then, or was not: such a message counts from when it was logged.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from deconflict.airspace.instant import format_utc, parse_utc
from deconflict.errors import InvalidTimeError, LineStateError
from deconflict.line.precedence import DEFAULT_TIMERS, Precedence, Timers
from deconflict.messages.in_force import timers_of
from deconflict.messages.suspension_bodies import Resume, ScopeChange, Suspend
from deconflict.messages.terms import Terms
from deconflict.node.taken import Taken

__all__ = ["Suspension", "Suspensions", "counts_from", "require_not_past"]

# However small an error of the clocks the terms allow, "now" is said a moment before it is logged.
_LEAST_TOLERANCE_MS: Final = DEFAULT_TIMERS.clock_tolerance_ms


def counts_from(effective_ms: int, logged_ms: int, terms: Terms | None) -> int:
    """Return from when a message counts: as it says, or from when it was logged.

    The latter where it names a time that had passed by more than clocks may be apart and the
    message may be on its way. What its author stamped is not asked: whoever dates back can date
    that back too.
    """
    timers = _timers(terms)
    way_ms = timers.limits[Precedence.IMMEDIATE].lack_ms
    earliest_ms = logged_ms - _tolerance_ms(timers) - way_ms
    return logged_ms if effective_ms < earliest_ms else effective_ms


def require_not_past(effective_utc: str, now_ms: int, terms: Terms | None) -> None:
    """Return when something can be said to hold from this instant on.

    Raises:
        InvalidTimeError: it has passed by more than clocks may be apart.
    """
    if parse_utc(effective_utc) >= now_ms - _tolerance_ms(_timers(terms)):
        return
    raise InvalidTimeError(
        "the effective time has passed, and the other side could not know of it then",
        given=effective_utc,
        expected=f"now, {format_utc(now_ms)}, or later",
        remedy="leave the effective time out: then it holds from now on",
    )


def _timers(terms: Terms | None) -> Timers:
    return DEFAULT_TIMERS if terms is None else timers_of(terms)


def _tolerance_ms(timers: Timers) -> int:
    return max(timers.clock_tolerance_ms, _LEAST_TOLERANCE_MS)


@dataclass(frozen=True, slots=True)
class Suspension:
    """A scope that one side suspended, from an instant on, until it is resumed from another."""

    scope: str
    by: str
    effective_ms: int
    resumed_ms: int | None = None
    drill: bool = False
    said_by: str | None = None  # the newest message about it

    def holds(self, now_ms: int) -> bool:
        """True exactly when it is in effect."""
        return self.effective_ms <= now_ms and (self.resumed_ms is None or now_ms < self.resumed_ms)

    def is_over(self, now_ms: int) -> bool:
        """True exactly when it holds neither now nor later; so is one called off in time."""
        return self.resumed_ms is not None and self.resumed_ms <= max(now_ms, self.effective_ms)


class Suspensions:
    """All suspensions of one line, as the record leaves them."""

    def __init__(self) -> None:
        self._held: dict[tuple[str, str, bool], Suspension] = {}
        self._replaced: list[str] = []

    def __iter__(self) -> Iterator[Suspension]:
        return iter(tuple(self._held.values()))

    def take_up(self, kept: Iterable[Suspension]) -> None:
        """Go on from what was kept, each suspension as it stood; only of a book that is new."""
        for held in kept:
            self._held[held.scope, held.by, held.drill] = held

    def take(
        self, body: Suspend | Resume | ScopeChange, by: str, terms: Terms | None, taken: Taken
    ) -> bool:
        """Let a message of one side change them; False when it is about what that side holds not.

        Where nothing is agreed by the name of a scope, nothing stops.
        """
        drill = taken.envelope.drill
        effective_ms = counts_from(parse_utc(body.effective_utc), taken.logged_ms, terms)
        changed = self._change(body, by, effective_ms, terms, drill=drill)
        if changed:
            self._note(body, by, taken.hash, drill=drill)
        return changed

    def use_terms(self, terms: Terms) -> None:
        """Let go of what the terms, now in force, name no more.

        Nothing would stop by it, and nobody could resume it: both sides signed that there is no
        such scope.
        """
        for key, held in tuple(self._held.items()):
            if not terms.names_scope(held.scope):
                del self._held[key]
                if held.said_by is not None:
                    self._replaced.append(held.said_by)

    def take_replaced(self) -> tuple[str, ...]:
        """Return, once, the messages about suspensions that a newer one or new terms replaced."""
        replaced, self._replaced = tuple(self._replaced), []
        return replaced

    def _note(
        self, body: Suspend | Resume | ScopeChange, by: str, message: str, *, drill: bool
    ) -> None:
        """Keep which message says how a scope stands: of all that said it, the newest is open."""
        newest: dict[str, str | None] = {body.scope: message}
        if isinstance(body, ScopeChange):
            newest = {body.scope: None, body.to: message}  # what it left has nothing to be said of
        for scope, said_by in newest.items():
            held = self._held.get((scope, by, drill))
            if held is None:
                continue
            if held.said_by is not None:
                self._replaced.append(held.said_by)
            self._held[scope, by, drill] = replace(held, said_by=said_by)

    def _change(
        self,
        body: Suspend | Resume | ScopeChange,
        by: str,
        effective_ms: int,
        terms: Terms | None,
        *,
        drill: bool,
    ) -> bool:
        match body:
            case Suspend(scope=scope):
                if terms is not None and terms.names_scope(scope):
                    self.suspend(scope, by, effective_ms, drill=drill)
                return True
            case Resume(scope=scope):
                return self.resume(scope, by, effective_ms, drill=drill)
            case ScopeChange(scope=scope, to=to):
                named = terms is not None and terms.names_scope(to)
                return named and self.change(scope, to, by, effective_ms, drill=drill)

    def suspend(self, scope: str, by: str, effective_ms: int, *, drill: bool) -> None:
        """Let one side suspend a scope; what it suspended already, and earlier, stays so.

        Only a resumption ends a suspension: to say it again from a later instant does not.
        """
        held = self._held.get((scope, by, drill))
        since_ms = effective_ms
        if held is not None and (held.resumed_ms is None or effective_ms <= held.resumed_ms):
            since_ms = min(held.effective_ms, effective_ms)
        self._held[scope, by, drill] = Suspension(
            scope, by, since_ms, drill=drill, said_by=None if held is None else held.said_by
        )

    def resume(self, scope: str, by: str, effective_ms: int, *, drill: bool) -> bool:
        """Let one side end its own suspension; True exactly when that changed something."""
        held = self._held.get((scope, by, drill))
        # Resumed is resumed: a later instant would bring the suspension back for the time between.
        if held is None or (held.resumed_ms is not None and held.resumed_ms <= effective_ms):
            return False
        self._held[scope, by, drill] = replace(held, resumed_ms=effective_ms)
        return True

    def change(self, scope: str, to: str, by: str, effective_ms: int, *, drill: bool) -> bool:
        """Let one side's suspension hold for another scope; True exactly when it held this one.

        Between the two is no gap: from the same instant the one is over and the other in effect.
        """
        if not self.resume(scope, by, effective_ms, drill=drill):
            return False
        self.suspend(to, by, effective_ms, drill=drill)
        return True

    def require_new(self, scope: str, by: str, effective_ms: int, *, drill: bool) -> None:
        """Return when a suspension from that instant on says something that is not so already.

        Raises:
            LineStateError: ``by`` suspended this scope, from then or from earlier on.
        """
        held = self._held.get((scope, by, drill))
        if held is None or held.resumed_ms is not None or effective_ms < held.effective_ms:
            return
        since = format_utc(held.effective_ms)
        raise LineStateError(
            f"this scope is suspended by {by} already, since {since}",
            given=f"{scope}, from {format_utc(effective_ms)}",
            expected=f"another scope, or an instant before {since}",
            remedy=f"to end it: deconflict line resume --scope {scope}",
        )

    def require_resumable(
        self, scope: str, by: str, effective_ms: int, now_ms: int, *, drill: bool
    ) -> None:
        """Return when ``by`` can resume this scope from that instant on.

        Raises:
            LineStateError: it is not suspended, only from a later instant on, or only by the other
                side.
        """
        held = self._held.get((scope, by, drill))
        if held is not None and (held.resumed_ms is None or held.resumed_ms > now_ms):
            # What is called off before it begins ends where it begins: then it never holds.
            if effective_ms < held.effective_ms:
                begins = format_utc(held.effective_ms)
                raise LineStateError(
                    "this scope is suspended only from a later instant on",
                    given=f"{scope}, from {format_utc(effective_ms)}",
                    expected=f"{begins} or later",
                    remedy=f"to call it off before it begins: --effective {begins}",
                )
            if held.resumed_ms is None:
                return
        others = [
            other.by
            for other in self
            if (other.scope, other.drill) == (scope, drill)
            and other.by != by
            and other.resumed_ms is None
        ]
        if others:
            raise LineStateError(
                f"{others[0]} suspended this scope, and only {others[0]} can resume it",
                given=scope,
                expected=_listed(self, by),
                remedy="ask the other side to resume it: by voice, or by a message that passes",
            )
        if held is None or held.resumed_ms is None or held.resumed_ms <= now_ms:
            raise LineStateError(
                "this scope is not suspended", given=scope, expected=_listed(self, by)
            )
        if held.resumed_ms <= effective_ms:
            raise LineStateError(
                "this scope is resumed already",
                given=f"{scope}, from {format_utc(effective_ms)}",
                expected=f"an instant before {format_utc(held.resumed_ms)}",
                remedy="to put the end off, suspend it again",
            )


def _listed(suspensions: Suspensions, by: str) -> str:
    own = [held.scope for held in suspensions if held.by == by and held.resumed_ms is None]
    return ", ".join(own) or f"a scope that {by} suspended; none is"
