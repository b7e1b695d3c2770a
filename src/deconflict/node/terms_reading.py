"""Terms as who signs them reads them: every field in words, and what a proposal changes."""

from typing import Any

from deconflict.errors import InvalidInputError
from deconflict.messages.agreement import terms_hash
from deconflict.messages.terms import Terms, terms_from_wire
from deconflict.messages.terms_rows import changed_rows, terms_rows
from deconflict.node.actor import Action, Actor, require
from deconflict.node.line import Line
from deconflict.node.reading import Reading
from deconflict.node.views import TermsText, TermsTexts

__all__ = ["TermsReading", "proposable"]


class TermsReading(Reading):
    """A running node as who reads terms, and signs them, sees it."""

    def terms_texts(self, line: str, *, language: str | None = None) -> TermsTexts:
        """Return the terms of a line in words, in force and proposed."""
        held = self._core.line_named(line)
        book, wanted = held.book, self._language(language)
        proposal = book.proposal
        return TermsTexts(
            line_id=held.line_id,
            state=held.terms_state(),
            agreed=None if book.terms is None else _text(book.terms, None, wanted),
            proposed=None if proposal is None else _text(proposal.terms, book.terms, wanted),
            proposed_by=None if proposal is None else proposal.by,
        )

    def read_terms(self, actor: Actor, line: str, terms: dict[str, Any]) -> TermsText:
        """Return in words what would be proposed; refused exactly as proposing it would be."""
        require(actor, Action.TERMS)
        held = self._core.line_named(line)
        proposed = proposable(terms, held, self._core.party)
        return _text(proposed, held.book.terms, self._language(actor.language))


def _text(terms: Terms, in_force: Terms | None, language: str) -> TermsText:
    return TermsText(
        terms_hash=terms_hash(terms),
        version=terms.version,
        rows=tuple(terms_rows(terms, language)),
        changes=None if in_force is None else tuple(changed_rows(terms, in_force, language)),
    )


def proposable(wire: dict[str, Any], held: Line, own: str) -> Terms:
    """Return terms that can be proposed: of the line's two parties, following those in force.

    Raises:
        InvalidInputError: they are malformed, of another line, or follow other terms.
    """
    proposed = terms_from_wire(wire)
    if proposed.line != held.line_id:
        raise InvalidInputError(
            "these terms are for another line",
            given=proposed.line,
            expected=held.line_id,
            remedy="make them with: deconflict terms propose",
        )
    proposed.party(own)
    proposed.party(held.peer)
    in_force = held.book.terms
    wanted = (1, None) if in_force is None else (in_force.version + 1, held.book.terms_hash)
    if (proposed.version, proposed.replaces) != wanted:
        raise InvalidInputError(
            "these terms do not follow those in force",
            given=f"version {proposed.version}, replaces {proposed.replaces}",
            expected=f"version {wanted[0]}, replaces {wanted[1]}",
            remedy="begin from the terms in force: deconflict terms show --out FILE",
        )
    return proposed
