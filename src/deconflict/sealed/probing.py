"""How much a planner may ask a protector of sites, for asking is looking.

Nobody sees which squares were asked, so every point counts as another square, pads too. Asked
often enough, any list is mapped: a thousand squares a query are all of 250,000 in 250 queries.
What bounds that is counted here, for each client and again for all together, by whoever keeps the
counts: count **before** the answer is said, and keep the count on the disk before it leaves; a
query that was broken off has been asked. Without I/O; the clock is an argument.
"""

from dataclasses import dataclass, replace
from typing import Final

from deconflict.airspace.instant import check_utc_ms, format_utc
from deconflict.errors import CheckRefusedError, InvalidInputError

__all__ = ["NOTHING_ASKED", "Asked", "Consent", "ProbeCaps", "admitted", "require_consent"]

_DAY_MS: Final = 86_400_000


@dataclass(frozen=True, slots=True)
class ProbeCaps:
    """What may be asked.

    Attributes:
        points_a_query: at most so many squares at once.
        queries_a_day: at most so many queries from midnight to midnight UTC.
        domain: squares of the grid.
        share_per_mille: of the domain, that may be asked for as long as the list lives.

    Raises:
        InvalidInputError: one of them is no whole number from 1 on, or the share above a thousand.
    """

    points_a_query: int
    queries_a_day: int
    domain: int
    share_per_mille: int

    def __post_init__(self) -> None:
        for name, most in (
            ("points_a_query", 65_535),
            ("queries_a_day", 1_000_000),
            ("domain", 1 << 32),
            ("share_per_mille", 1_000),
        ):
            value = getattr(self, name)
            if type(value) is not int or not 1 <= value <= most:
                raise InvalidInputError(
                    f"{name} is out of range",
                    given=f"{value!r:.40}",
                    expected=f"a whole number from 1 to {most:,}",
                )

    @property
    def points_ever(self) -> int:
        """How many squares may be asked in all."""
        return self.domain * self.share_per_mille // 1_000


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked so far, by one client or by all.

    Attributes:
        day: of the last query, days since 1970.
        today: queries on that day.
        ever: squares in all.
    """

    day: int
    today: int
    ever: int


NOTHING_ASKED: Final = Asked(0, 0, 0)


def admitted(caps: ProbeCaps, asked: Asked, *, points: int, now_ms: int) -> Asked:
    """Return what was asked once this query counts too.

    A clock that was set back begins no new day.

    Raises:
        CheckRefusedError: it is more than may be asked; nothing is counted then. ``OVER_CAP``.

    >>> caps = ProbeCaps(points_a_query=1_000, queries_a_day=2, domain=250_000, share_per_mille=10)
    >>> admitted(caps, NOTHING_ASKED, points=1_000, now_ms=86_400_000)
    Asked(day=1, today=1, ever=1000)
    """
    if not 1 <= points <= caps.points_a_query:
        raise _over("a query asks more squares than are allowed", points, caps.points_a_query)
    day = max(check_utc_ms(now_ms, "now") // _DAY_MS, asked.day)
    today = asked.today + 1 if day == asked.day else 1
    if today > caps.queries_a_day:
        raise _over("more queries than are allowed a day", today, caps.queries_a_day)
    ever = asked.ever + points
    if ever > caps.points_ever:
        raise _over(
            "more of the sites' grid would have been asked than is ever allowed",
            ever,
            caps.points_ever,
        )
    return replace(asked, day=day, today=today, ever=ever)


@dataclass(frozen=True, slots=True)
class Consent:
    """Whom a protector answers, and for how long.

    Attributes:
        client: the planner's party.
        from_ms: the first instant, UTC.
        until_ms: the end; not included.
        withdrawn_ms: since when not any more; None while it stands.
    """

    client: str
    from_ms: int
    until_ms: int
    withdrawn_ms: int | None = None


def require_consent(consents: "tuple[Consent, ...]", client: str, *, now_ms: int) -> Consent:
    """Return the consent by which a client is answered now.

    Raises:
        CheckRefusedError: there is none, it has ended, or it was withdrawn. ``NO_CONSENT``.
    """
    check_utc_ms(now_ms, "now")
    for each in consents:
        withdrawn = each.withdrawn_ms is not None and each.withdrawn_ms <= now_ms
        if each.client == client and each.from_ms <= now_ms < each.until_ms and not withdrawn:
            return each
    raise CheckRefusedError(
        "the protector of the sites does not answer this party now",
        reason="NO_CONSENT",
        given=f"{client!r:.80} at {format_utc(now_ms)}",
        expected="a consent for it that has not ended and was not withdrawn",
        remedy="ask the protector for it; the activity is NOT CHECKED",
    )


def _over(problem: str, given: int, most: int) -> CheckRefusedError:
    return CheckRefusedError(
        problem,
        reason="OVER_CAP",
        given=f"{given:,}",
        expected=f"at most {most:,}",
        remedy="ask less, later, or openly; the activity is NOT CHECKED",
    )
