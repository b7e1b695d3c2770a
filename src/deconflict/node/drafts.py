"""What is looked at in declarations before any of them is sent, or when none is to be sent."""

from collections.abc import Iterable, Iterator, Sequence

from deconflict.airspace.instant import format_utc
from deconflict.airspace.where import located
from deconflict.errors import InvalidInputError, InvalidTimeError
from deconflict.line.moment import Now
from deconflict.messages.declaration import Declaration, Purpose, SoundDeclaration
from deconflict.messages.in_force import conversions_of, minima_of
from deconflict.messages.notice import require_not_exchanged
from deconflict.messages.terms import Terms
from deconflict.node.line import Line
from deconflict.node.picture import Declared
from deconflict.node.show import conflict_view
from deconflict.node.tell.conflicts import IN_FULL
from deconflict.node.tell.remarks import not_checked, remarks_on, remarks_on_label
from deconflict.node.views import Checked, ConflictView

__all__ = ["check_drafts", "names_known_to", "require_named", "require_sendable", "unchecked_texts"]


def require_named(declarations: Sequence[Declaration], peers: Sequence[str]) -> None:
    """Return when these may go to all peers without any of them being named.

    Raises:
        InvalidInputError: there are several, and one is a protected site: who learns of it is for
            its owner to say, recipient by recipient (R37).
    """
    sites = [one for one in declarations if one.purpose is Purpose.PROTECTED_SITE]
    if sites and len(peers) > 1:
        raise InvalidInputError(
            "a protected site goes to nobody who is not named",
            given=sites[0].label or sites[0].declaration_id[:12],
            expected="the lines it is declared on, of " + ", ".join(sorted(peers)),
            remedy="name each recipient: --line PEER",
        )


def require_sendable(
    declarations: Sequence[Declaration], agreed: Sequence[Terms], now: Now, *, as_written: bool
) -> None:
    """Return when every declaration can be sent under the terms of every line it would go to.

    Args:
        declarations: what is to be sent, or is only tried.
        agreed: the terms of those lines.
        now: the present.
        as_written: somebody says that places are meant which look exchanged.

    Raises:
        InvalidTimeError: one is over already.
        InvalidPositionError: latitude and longitude are exchanged throughout one.
    """
    for index, declaration in enumerate(declarations):
        with located(f"declarations[{index}]"):
            _require_not_over(declaration, now)
            if not as_written:
                for terms in agreed:
                    require_not_exchanged(declaration, terms)


def check_drafts(
    drafts: Sequence[Declaration], lines: Sequence[Line], now: Now, party: str, language: str
) -> Checked:
    """Return the conflicts that drafts of ``party`` would have with what the peers declared.

    And, each once, what the answer to declaring them now would warn of. Nothing is kept.
    """
    found: list[ConflictView] = []
    warnings: dict[str, None] = {}
    tried = [Declared(SoundDeclaration(draft), party, True, "", 0, now.utc_ms) for draft in drafts]
    known = names_known_to(lines)
    for draft in drafts:
        for remark in remarks_on_label(draft.label, known):
            warnings[remark.text(language)] = None
    for line in lines:
        terms = line.book.terms
        if terms is None:
            continue
        for draft in drafts:
            for remark in remarks_on(
                draft, party=party, sent_ms=now.utc_ms, terms=terms, now_ms=now.utc_ms
            ):
                warnings[remark.text(language)] = None
        change = line.book.picture.try_out(
            tried, now.utc_ms, minima_of(terms), conversions_of(terms)
        )
        for text in unchecked_texts(change.unchecked, language):
            warnings[text] = None
        found.extend(
            conflict_view(line, each, now.utc_ms, language, in_full=number < IN_FULL)
            for number, each in enumerate(change.found)
        )
    return Checked(tuple(found), tuple(warnings))


def names_known_to(lines: Sequence[Line]) -> tuple[str, ...]:
    """Return the names that both sides of these lines agreed on: theatres and landmarks."""
    agreed = [line.book.terms.theatre for line in lines if line.book.terms is not None]
    return tuple(
        dict.fromkeys(
            name
            for theatre in agreed
            for name in (theatre.name, *(landmark.name for landmark in theatre.landmarks))
        )
    )


def unchecked_texts(unchecked: Iterable[Declared], language: str) -> Iterator[str]:
    """Yield in words which declarations could not be checked: no conflict is found for them."""
    for declared in unchecked:
        yield not_checked(declared.declaration.declaration_id, declared.party).text(language)


def _require_not_over(declaration: Declaration, now: Now) -> None:
    if declaration.span.end_ms < now.utc_ms:
        raise InvalidTimeError(
            "this declaration is over already, so nobody can act on it",
            given=f"end {format_utc(declaration.span.end_ms)}",
            expected=f"an end after now, {format_utc(now.utc_ms)}",
            remedy="look at the date",
        )
