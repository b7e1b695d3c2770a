"""What a party keeps for itself of a call: notes of it, and drafts of a readout.

None of it is part of the record: it is not signed, never sent and in no bundle, and it can be
changed and thrown away (R30). It is kept in the store's local notes.
"""

from collections.abc import Callable, Iterable
from typing import Annotated, Final, TypeAlias

import msgspec

from deconflict.airspace.instant import format_utc
from deconflict.errors import InvalidDocumentError, LineStateError, NotFoundError
from deconflict.messages.talks import CallLanguage
from deconflict.messages.words import check_text
from deconflict.node.notes import note_of, read_notes
from deconflict.store.base import NoteRow

__all__ = ["PAPER", "Paper", "PaperBook", "Texts"]

PAPER: Final = "paper/"
_ID_BYTES: Final = 4
MOST_PAPERS: Final = 2_000
MOST_LINES: Final = 50
LONGEST_LINE: Final = 1_000

Texts: TypeAlias = dict[
    CallLanguage,
    Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=MOST_LINES)],
]


class Paper(msgspec.Struct, frozen=True):
    """One note of a call or one draft of its readout.

    Attributes:
        paper_id: how people name it.
        kind: "note" or "draft".
        line_id: the line.
        call: the call that it is about; None for a note before there is one.
        by: the account that wrote it last; it never leaves the node.
        at_utc: when.
        texts: by language, in lines or paragraphs.
    """

    paper_id: str
    kind: str
    line_id: str
    call: str | None
    by: str
    at_utc: str
    texts: Texts


class PaperBook:
    """All notes and drafts of a node.

    Args:
        notes: what the store keeps under :data:`PAPER`.
        random_bytes: makes names.
    """

    def __init__(self, notes: Iterable[NoteRow], random_bytes: Callable[[int], bytes]) -> None:
        self._random_bytes = random_bytes
        self._papers = read_notes(notes, PAPER, Paper)

    def list(self, line_id: str, call: str | None = None) -> tuple[Paper, ...]:
        """Return those of one line, or of one call of it, the oldest first."""
        fitting = [
            paper
            for paper in self._papers.values()
            if paper.line_id == line_id and call in (None, paper.call)
        ]
        return tuple(sorted(fitting, key=lambda paper: paper.at_utc))

    def get(self, paper_id: str) -> Paper:
        """Return one.

        Raises:
            NotFoundError: it was thrown away, or never there.
        """
        paper = self._papers.get(paper_id)
        if paper is None:
            raise NotFoundError(
                "no note or draft has this name",
                given=paper_id[:20],
                remedy="deconflict line readout show, or line call list, lists them",
            )
        return paper

    def put(
        self,
        *,
        kind: str,
        line_id: str,
        call: str | None,
        by: str,
        texts: Texts,
        now_ms: int,
        paper_id: str | None = None,
    ) -> Paper:
        """Keep a new one, or another text in the place of the one of that name.

        Raises:
            NotFoundError: none has that name.
            LineStateError: too many are kept.
            InvalidDocumentError: no text, or one that cannot be shown.
        """
        if kind not in ("note", "draft"):
            raise InvalidDocumentError("no such paper", given=kind[:20], expected="note or draft")
        _check(texts)
        if paper_id is not None:
            kept = self.get(paper_id)
            kind, line_id, call = kept.kind, kept.line_id, kept.call
        elif len(self._papers) >= MOST_PAPERS:
            raise LineStateError(
                "too many notes and drafts are kept",
                given=f"{len(self._papers):,}",
                remedy="throw some away: deconflict line call note --delete ID",
            )
        paper = Paper(
            paper_id=paper_id or self._random_bytes(_ID_BYTES).hex(),
            kind=kind,
            line_id=line_id,
            call=call,
            by=by,
            at_utc=format_utc(now_ms),
            texts=texts,
        )
        self._papers[paper.paper_id] = paper
        return paper

    def drop(self, paper: Paper) -> None:
        """Throw one away."""
        del self._papers[paper.paper_id]

    @staticmethod
    def kept(paper: Paper) -> NoteRow:
        """Return what keeps it across a restart."""
        return note_of(PAPER, paper.paper_id, paper)

    @staticmethod
    def gone(paper: Paper) -> NoteRow:
        """Return what forgets it."""
        return note_of(PAPER, paper.paper_id, None)


def _check(texts: Texts) -> None:
    if not texts:
        raise InvalidDocumentError("there is no text", expected="a text in one language at least")
    for language, lines in texts.items():
        for number, line in enumerate(lines, start=1):
            check_text(line, what=f"{language}, line {number}", max_chars=LONGEST_LINE)
