"""What was raised, held against what a case expects."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from deconflict.airspace.instant import format_utc, parse_utc
from deconflict.errors import InvalidDocumentError
from deconflict.line.delivery import DeliveryState
from deconflict.messages.kinds import Kind
from deconflict.replay.case import Case, Common
from deconflict.replay.items import Expectation
from deconflict.replay.never import NEVER
from deconflict.replay.play import play
from deconflict.replay.played import AlertStory, AlertVersion, Played
from deconflict.replay.rules import RULES, Means, RuleForm, is_inbox

__all__ = ["Judged", "Verdict", "judge", "replay"]

_OF_TRACKS: Final = (
    "cpa_max_horizontal_nm",
    "duration_s",
    "min_warning_s",
    "distance_km_min",
    "at_min",
    "look_ahead_s",
    "minima",
)
_ACCOUNTS_MS: Final = 10_000  # by_event both_accounts_filed: within 10 s


class Verdict(StrEnum):
    """What became of one expectation."""

    MET = "met"
    MISSED = "MISSED"  # it was not raised, or too late, or otherwise
    FORBIDDEN = "FORBIDDEN"  # what must not be is
    WATCH = "needs watch"  # it begins with a live track


@dataclass(frozen=True, slots=True)
class Judged:
    """One row of the answer.

    Attributes:
        case: the case, with its variant.
        rule: the rule, or ``not expected`` for a sentence that must stay false.
        subject: ids it is about.
        by_utc: latest acceptable time; None where there is none.
        raised_utc: when it was raised; None when it was not, or where silence is expected.
        raised_by: the party whose node raised it.
        verdict: what became of it.
        note: how it was decided, or what is wrong.
    """

    case: str
    rule: str
    subject: str
    by_utc: str | None
    raised_utc: str | None
    raised_by: str | None
    verdict: Verdict
    note: str = ""


def replay(case: Case, common: Common, *, runs: int = 2) -> tuple[Judged, ...]:
    """Play a case several times, the first in the plain order, and judge what was raised.

    Raises:
        InvalidDocumentError: a rule or a sentence that this edition does not know, or an item
            that cannot be played.
    """
    _require_known(case)
    first = play(case, common)
    try:
        plain = tuple(judge(first, common))
    finally:
        first.world.close()
    rows = list(plain)
    for seed in range(1, runs):
        again = play(case, common, seed=seed)
        try:
            rows += _differences(first, plain, again, tuple(judge(again, common)))
        finally:
            again.world.close()
    return tuple(rows)


def judge(played: Played, common: Common) -> Iterator[Judged]:
    """Yield a row for every expectation, every sentence that must stay false, and every flaw."""
    case = played.case
    for expected in case.expected:
        yield _DECIDED[RULES[expected.rule].means](played, expected, RULES[expected.rule])
    for sentence in case.not_expected:
        found = NEVER[case.id, sentence](played, common)
        yield Judged(
            case.name,
            "not expected",
            sentence,
            None,
            None,
            None,
            Verdict.FORBIDDEN if found.violations else Verdict.MET,
            "; ".join(found.violations) or found.checked,
        )
    yield from _repeated(played)


def _require_known(case: Case) -> None:
    for expected in case.expected:
        if expected.rule not in RULES:
            raise InvalidDocumentError(
                f"{case.name} expects a rule that this edition cannot decide",
                given=expected.rule,
                expected="one of " + ", ".join(RULES),
            )
        undecided = [name for name in _OF_TRACKS if getattr(expected, name) not in (None, ())]
        if undecided and RULES[expected.rule].means is not Means.WATCH:
            raise InvalidDocumentError(
                f"{case.name} bounds {expected.rule} by what only a track can tell",
                given=", ".join(undecided),
                expected="bounds that this rule's alert has figures for",
            )
    for sentence in case.not_expected:
        if (case.id, sentence) not in NEVER:
            raise InvalidDocumentError(
                f"{case.name} forbids something that nothing checks yet",
                given=f"{sentence:.200}",
                expected="a sentence with a check in deconflict.replay.never",
            )


# ---- one expectation -----------------------------------------------------------------------


def _row(
    played: Played,
    expected: Expectation,
    verdict: Verdict,
    note: str = "",
    *,
    by_ms: int | None = None,
    raised: tuple[int, str] | None = None,
) -> Judged:
    named = [expected.subject, expected.object, *(expected.pair or ()), *expected.fields]
    return Judged(
        played.case.name,
        expected.rule,
        " / ".join(name for name in named if name is not None),
        None if by_ms is None else format_utc(by_ms),
        None if raised is None else format_utc(raised[0]),
        None if raised is None else raised[1],
        verdict,
        note,
    )


def _by_alert(played: Played, expected: Expectation, form: RuleForm) -> Judged:
    by_ms = None if expected.by is None else parse_utc(expected.by)
    found = list(_matching(played, expected, form))
    if expected.by_event == "both_accounts_filed":
        filed = played.second_filed_ms
        by_ms = max(filed.values(), default=played.end_ms) + _ACCOUNTS_MS
    if not found:
        near = sorted({f"{s.rule} at {s.party}" for s in played.stories if expected.ids & s.names})
        note = "raised instead: " + ", ".join(near) if near else "nothing of the kind was raised"
        return _row(played, expected, Verdict.MISSED, note, by_ms=by_ms)
    if form.both_ends:
        ends = set(expected.between or ())
        missing = sorted(ends - {story.party for story, _ in found})
        if missing:
            note = "not shown at " + ", ".join(missing)
            return _row(played, expected, Verdict.MISSED, note, by_ms=by_ms)
    story, version = min(found, key=lambda item: item[1].at_ms)
    raised = (version.at_ms, story.party)
    if by_ms is not None and version.at_ms > by_ms:
        late_s = (version.at_ms - by_ms) / 1_000
        note = f"{late_s:g} s late"
        return _row(played, expected, Verdict.MISSED, note, by_ms=by_ms, raised=raised)
    if expected.checked is not None and "locally" in expected.checked:
        others = sorted({held.party for held, _ in found if held.party != story.party})
        if others:
            note = "also raised at " + ", ".join(others)
            return _row(played, expected, Verdict.FORBIDDEN, note, by_ms=by_ms, raised=raised)
    return _row(played, expected, Verdict.MET, _figures(version), by_ms=by_ms, raised=raised)


def _matching(
    played: Played, expected: Expectation, form: RuleForm
) -> Iterator[tuple[AlertStory, AlertVersion]]:
    for story in played.stories:
        if story.rule not in form.alerts or not expected.ids <= story.names:
            continue
        if expected.viewer is not None and story.party != expected.viewer:
            continue
        if expected.between is not None and {story.party, story.peer} != set(expected.between):
            continue
        for version in story.versions:
            if _fits(version.alert["facts"], expected, form):
                yield story, version
                break


def _fits(facts: dict[str, Any], expected: Expectation, form: RuleForm) -> bool:
    if form.step is not None and form.step not in facts.get("steps", ()):
        return False
    if form.kind is not None and facts.get("kind") != form.kind:
        return False
    if form.fact is not None and not _lists(facts.get(form.fact) or (), expected):
        return False
    distance_m = facts.get("distance_m")
    if expected.min_m is not None and (distance_m is None or distance_m < expected.min_m):
        return False
    if expected.max_m is not None and (distance_m is None or distance_m > expected.max_m):
        return False
    for seconds, fact in (
        (expected.lead_s, "notice_ms"),
        (expected.minimum_s, "least"),
        (expected.after_s, "limit"),
    ):
        if seconds is not None and facts.get(fact) != round(seconds * 1_000):
            return False
    return True


def _lists(said: Any, expected: Expectation) -> bool:
    """True exactly when the fact holds every field that the expectation names."""
    if isinstance(said, list) and said and isinstance(said[0], dict):
        return any(
            expected.account_by in (None, found["by"])
            and set(expected.fields) <= set(found["fields"])
            for found in said
        )
    return bool(said) and set(expected.fields) <= set(said)


def _figures(version: AlertVersion) -> str:
    facts = version.alert["facts"]
    said = []
    if facts.get("distance_m") is not None:
        said.append(f"{facts['distance_m']:,.0f} m")
    if "notice_ms" in facts:
        said.append(f"notice {facts['notice_ms'] / 1_000:g} s of {facts['least'] / 1_000:g} s")
    if facts.get("steps"):
        said.append("level " + str(version.alert["level"]))
    return ", ".join(said)


def _by_entry(played: Played, expected: Expectation, form: RuleForm) -> Judged:  # noqa: ARG001
    for refusal in played.refusals:
        if refusal.item == expected.subject and "purpose" in refusal.error.problem:
            raised = (refusal.at_ms, refusal.party)
            return _row(played, expected, Verdict.MET, refusal.error.problem, raised=raised)
    return _row(played, expected, Verdict.MISSED, "it was not refused at entry")


def _by_silence(played: Played, expected: Expectation, form: RuleForm) -> Judged:  # noqa: ARG001
    for story in played.stories:
        if expected.subject is not None and expected.subject not in story.names:
            continue
        if is_inbox(story.rule) and all(v.alert["level"] == 0 for v in story.versions):
            continue
        note = f"{story.rule} was raised"
        raised = (story.raised_ms, story.party)
        return _row(played, expected, Verdict.FORBIDDEN, note, raised=raised)
    return _row(played, expected, Verdict.MET, "silent throughout")


def _by_separation(played: Played, expected: Expectation, form: RuleForm) -> Judged:  # noqa: ARG001
    pair = set(expected.pair or ())
    ids = {key for key, name in played.names.items() if name in pair and len(key) == 32}
    holders = 0
    for station in played.world.stations.values():
        for event in station.events:
            if event.kind == "conflict" and {event.data["own"], event.data["peer"]} == ids:
                raised = (parse_utc(event.at_utc), station.party)
                note = "they conflict"
                return _row(played, expected, Verdict.FORBIDDEN, note, raised=raised)
        for line in station.core.lines.values():
            held = {declared.declaration.declaration_id for declared in line.book.picture}
            past = {key.partition("/")[2] for key in line.book.past}
            holders += ids <= held | past
    if len(ids) != 2 or holders < 2:
        return _row(played, expected, Verdict.MISSED, "both sides do not hold both")
    return _row(played, expected, Verdict.MET, "both sides hold both and find no conflict")


def _by_staying_open(played: Played, expected: Expectation, form: RuleForm) -> Judged:  # noqa: ARG001
    asked = 0
    for station in played.world.stations.values():
        for line in station.core.lines.values():
            for row in station.store.entries(line.line_id, station.party):
                envelope = station.core.envelope_of(row.hash)
                if envelope is None or envelope.kind != Kind.QUERY or _answered(station, row.hash):
                    continue
                asked += 1
                for event in station.events:
                    closed = (
                        event.kind == "delivery"
                        and event.data["hash"] == row.hash
                        and event.data["state"] == DeliveryState.CLOSED
                    )
                    if closed:
                        note = "a query without an answer was shown as closed"
                        raised = (parse_utc(event.at_utc), station.party)
                        return _row(played, expected, Verdict.FORBIDDEN, note, raised=raised)
                if line.book.threads.get(row.hash) is None:
                    note = "a query without an answer is no longer open"
                    return _row(played, expected, Verdict.FORBIDDEN, note)
    if not asked:
        return _row(played, expected, Verdict.MISSED, "nothing was asked that stays unanswered")
    return _row(played, expected, Verdict.MET, "OPEN to the end, in every view")


def _answered(station: Any, message_hash: str) -> bool:
    return any(
        event.kind == "message"
        and event.data["ref"] == message_hash
        and event.data["kind"] == Kind.ANSWER
        for event in station.events
    )


def _by_watch(played: Played, expected: Expectation, form: RuleForm) -> Judged:  # noqa: ARG001
    by_ms = None if expected.by is None else parse_utc(expected.by)
    return _row(played, expected, Verdict.WATCH, "begins with a live track or plot", by_ms=by_ms)


def _absent(played: Played, expected: Expectation, form: RuleForm) -> Judged:  # noqa: ARG001
    return _row(played, expected, Verdict.MISSED, "no node raises this yet")


_DECIDED: Final[dict[Means, Callable[[Played, Expectation, RuleForm], Judged]]] = {
    Means.ALERT: _by_alert,
    Means.ENTRY: _by_entry,
    Means.SILENCE: _by_silence,
    Means.SEPARATED: _by_separation,
    Means.OPEN: _by_staying_open,
    Means.WATCH: _by_watch,
    Means.ABSENT: _absent,
}


# ---- the whole replay -------------------------------------------------------------------------


def _repeated(played: Played) -> Iterator[Judged]:
    """Yield a row for each second alert of one rule and the same ids while the first lasts."""
    lasting: dict[tuple[str, str | None, str, frozenset[str]], AlertStory] = {}
    for story in played.stories:
        before = lasting.get(story.identity)
        lasting[story.identity] = story
        if before is None or (before.closed_ms is not None and before.closed_ms <= story.raised_ms):
            continue
        yield Judged(
            played.case.name,
            story.rule,
            " / ".join(sorted(story.names)),
            None,
            format_utc(story.raised_ms),
            story.party,
            Verdict.FORBIDDEN,
            "a second alert while the first lasts",
        )


def _differences(
    first: Played, plain: Sequence[Judged], again: Played, shuffled: Sequence[Judged]
) -> Iterator[Judged]:
    """Yield a row for whatever is otherwise when arrivals within a second are shuffled."""
    before = {story.identity for story in first.stories}
    for identity in sorted(before ^ {story.identity for story in again.stories}, key=repr):
        party, _, rule, names = identity
        when = "not" if identity in before else "only"
        yield Judged(
            first.case.name,
            rule,
            " / ".join(sorted(names)),
            None,
            None,
            party,
            Verdict.FORBIDDEN,
            f"{when} raised when what arrives within a second comes in another order",
        )
    decided = len(first.case.expected) + len(first.case.not_expected)
    for row, other in zip(plain[:decided], shuffled[:decided], strict=True):
        if row.verdict is not other.verdict:
            yield other
    yield from shuffled[decided:]
