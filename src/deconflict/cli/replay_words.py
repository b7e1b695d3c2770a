"""What a replayed record says, in words: one instant, or every message and by when it was known."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import click

from deconflict.cli.output import clean, fields, folded, padded, page_width, short, table
from deconflict.messages.phrases import set_apart, word_for, wording
from deconflict.messages.values import ValueType, write_value

if TYPE_CHECKING:
    from deconflict.node.bundle_verified import VerifiedBundle
    from deconflict.node.knowledge.apart import Apart
    from deconflict.node.knowledge.instant import Instant, Question, Side
    from deconflict.node.knowledge.reading import Record
    from deconflict.node.knowledge.told import HeldBy, Reply, Told

__all__ = ["Words"]

_NO_TEXT: Mapping[str, str] = {}
_NUMBER = 2  # the column of a row that stands flush right


class Words:
    """Says a replay in one language.

    Args:
        language: of the headings and of the messages' texts.
        day: the UTC day that is not repeated at each time; it may be changed.
    """

    def __init__(self, language: str, day: str) -> None:
        self._language = language
        self.day = day
        self._page = page_width()
        self._texts: Mapping[str, str] = wording(language)["terms"]["replay"]

    def say(self, name: str, **values: object) -> str:
        """Return one of the texts, filled in; what a party wrote cannot steer a terminal."""
        filled = {key: set_apart(clean(value), self._language) for key, value in values.items()}
        return self._texts[name].format(**filled)

    def at(self, utc: str) -> str:
        """Return an instant to the millisecond, without the day where that is the day asked about.

        >>> Words("en", "2015-10-03").at("2015-10-03T00:04:00.020Z")
        '00:04:00.020Z'
        """
        day, _, clock = utc.partition("T")
        return clock if day == self.day else f"{day} {clock}"

    def lasting(self, ms: int) -> str:
        """Return a length of time.

        >>> Words("ru", "").lasting(95_500)
        '1 мин 35.5 с'
        """
        return write_value(ValueType.DURATION, ms, wording(self._language))

    def kind(self, kind: str) -> str:
        """Return the name of a kind: the one of the wire, or the desk's word for it."""
        known = wording(self._language)["terms"]["kind"]
        return clean(kind) if self._language == "en" else str(known.get(kind, clean(kind)))

    # ---- one instant ---------------------------------------------------------------------

    def show(self, found: "Instant", texts: Mapping[str, str] = _NO_TEXT) -> None:
        """Print what each side knew at one instant."""
        day, _, clock = found.at_utc.partition("T")
        click.echo(click.style(clean(self.say("TITLE", at=f"{day} {clock}")), bold=True))
        self._show_ends(found)
        self.show_sources(found.exporters, [side.party for side in found.sides])
        for side, other in zip(found.sides, reversed(found.sides), strict=True):
            self._show_side(side, other.party, found.at_utc, texts)

    def _show_ends(self, found: "Instant") -> None:
        """Say that the instant lies behind what was exported; nothing where it does not."""
        if not found.ended:
            return
        if len(found.ended) == len(found.exporters):
            by, end = max(found.ended, key=lambda each: each[1])
            self._doubt(self.say("ENDS", by=by, end=self.at(end)))
            return
        for by, end in found.ended:
            self._doubt(self.say("ONE_ENDS", by=by, end=self.at(end)))

    def show_sources(self, exporters: Sequence[str], parties: Sequence[str]) -> None:
        """Print whose records these are, which is not given, and what of them nobody signed."""
        self._line(self.say("SOURCE", by=", ".join(exporters)))
        for party in parties:
            if party not in exporters:
                self._line(self.say("ONE_SIDED", party=party, by=", ".join(exporters)))
        self._line(self.say("UNSIGNED"))

    def _line(self, text: str, *, indent: int = 0) -> None:
        click.echo(folded(text, indent=indent, width=self._page))

    def _doubt(self, text: str) -> None:
        self._line(click.style("! ", fg="yellow", bold=True) + text)

    def _show_side(self, side: "Side", peer: str, at_utc: str, texts: Mapping[str, str]) -> None:
        party = side.party
        said = "SAID_AND" if side.perhaps_said else "SAID_IS"
        terms = side.terms
        click.echo("\n" + click.style(clean(party), bold=True))
        fields(
            (
                (self.say("SAID"), self.say(said, count=side.said, more=side.perhaps_said)),
                (
                    self.say("HELD"),
                    self.say(
                        "HELD_AND" if side.delayed else "HELD_IS",
                        count=side.held,
                        peer=peer,
                        late=side.delayed,
                    ),
                ),
                (self.say("HELD_LAST"), self._held_last(side, at_utc)),
                (
                    self.say("NOT_PROVEN"),
                    self.say(
                        "NOT_PROVEN_IS" if side.not_proven else "ALL_PROVEN",
                        count=side.not_proven,
                        peer=peer,
                        party=party,
                    ),
                ),
                (self.say("KNEW"), self.say("KNEW_IS", count=side.knew_held, peer=peer)),
                (
                    self.say("TERMS"),
                    self.say("NONE")
                    if terms is None
                    else self.say(
                        "TERMS_ARE",
                        version=terms.version,
                        theatre=terms.theatre,
                        hash=short(terms.terms_hash),
                    ),
                ),
                *(
                    (
                        self.say("KEY", party=key.party),
                        self.say(
                            "KEY_IS",
                            key=short(key.key_id),
                            number=key.key_number,
                            epoch=short(key.epoch) if key.epoch else self.say("NO_EPOCH"),
                        ),
                    )
                    for key in side.keys
                ),
            ),
            indent=2,
            page=self._page,
        )
        click.echo()
        known = "AS_KNOWN" if side.own_record else "AS_KNOWN_HERE"
        self._line(self.say(known, party=party), indent=2)
        for heading, lines in self._in_force(side, texts):
            self._line(f"{heading}:" + ("" if lines else f" {self.say('NONE')}"), indent=2)
            for line, text in lines:
                self._line(line, indent=4)
                if text is not None:
                    self._line(text, indent=6)
        for name, messages, count in (
            ("UNPROVEN", side.unproven, side.not_proven),
            ("MESSAGES", side.messages, len(side.messages)),
        ):
            if messages:
                shown = len(messages)
                heading = self.say(name, party=party, peer=peer, shown=shown, count=count)
                click.echo()
                self._line(f"{heading}:", indent=2)
                self._show_messages(messages, texts, at_utc)
        if side.steps:
            self._line(self.say("STEPS", count=side.steps), indent=2)

    def _held_last(self, side: "Side", at_utc: str) -> str | None:
        last = side.held_last
        if last is None:
            return None
        kind = self.kind(last.kind)
        return self.say(
            "HELD_LAST_IS",
            seq=last.seq,
            kind=kind,
            id=short(last.hash),
            held=self.held(last, at_utc),
        )

    def _in_force(
        self, side: "Side", texts: Mapping[str, str]
    ) -> Iterator[tuple[str, list[tuple[str, str | None]]]]:
        """Yield each heading with its lines, and the words of the message that one is about."""
        ceases = [each for each in side.questions if each.kind == "CEASE"]
        others = [each for each in side.questions if each.kind != "CEASE"]
        yield (
            self.say("CEASES"),
            [
                *(self._question(each, texts) for each in ceases),
                *_alone(
                    self.say(
                        "TAKEN_BACK",
                        party=each.asked_by,
                        id=short(each.message),
                        by=each.reported_by,
                        kind=self.kind("CEASED"),
                        then=self.kind(each.then),
                    )
                    for each in side.taken_back
                ),
            ],
        )
        yield self.say("QUESTIONS"), [self._question(each, texts) for each in others]
        yield self.say("DECLARATIONS"), _alone(self._declarations(side))
        yield (
            self.say("SUSPENSIONS"),
            _alone(
                self._marked(
                    self.say("SUSPENDED", by=held.by, scope=held.scope, **{
                        "from": self.at(held.effective_utc)
                    }),
                    held.in_effect and self.say("IN_EFFECT"),
                    held.resumed_utc
                    and self.say("RESUMED", **{"from": self.at(held.resumed_utc)}),
                    held.drill and self.say("DRILL"),
                )
                for held in side.suspensions
            ),
        )  # fmt: skip
        yield (
            self.say("EXERCISES"),
            _alone(
                self.say("EXERCISE", party=each.party, until=self.at(each.until_utc))
                for each in side.exercises
            ),
        )

    def _question(self, asked: "Question", texts: Mapping[str, str]) -> tuple[str, str | None]:
        said = self.say(
            "ASKED",
            party=asked.asked_by,
            seq=asked.seq,
            kind=self.kind(asked.kind),
            precedence=asked.precedence,
            said=self.at(asked.said_utc),
        )
        state = self.say(
            asked.state, due=self.at(asked.due_utc), kind=self.kind(asked.answered_by or "")
        )
        if asked.state == "OVERDUE":
            state = click.style(state, fg="red", bold=True)
        marked = self._marked(
            f"{said}: {state}",
            asked.stood_by and self.say("STOOD_BY"),
            asked.drill and self.say("DRILL"),
        )
        text = texts.get(asked.message)
        return marked, None if text is None else clean(text)

    def _declarations(self, side: "Side") -> Iterator[str]:
        for each in side.declarations:
            said = self.say(
                "DECLARED",
                party=each.party,
                purpose=word_for(ValueType.PURPOSE, each.purpose, self._language),
                id=short(each.declaration_id),
                revision=each.revision,
                start=self.at(each.start_utc),
                end=self.at(each.end_utc),
            )
            read_back = "NOT_READ_BACK"
            if each.read_back is not None:
                read_back = "READ_BACK" if each.read_back else "READ_BACK_DIFFERS"
            yield self._marked(
                said,
                each.label,
                self.say("BEGUN" if each.begun else "TO_COME"),
                self.say(read_back),
                each.loaded and self.say("LOADED"),
                each.drill and self.say("DRILL"),
            )

    def _show_messages(
        self, messages: "Sequence[Told]", texts: Mapping[str, str], at_utc: str
    ) -> None:
        if self._page is not None:  # no terminal is wide enough for all of it in one row
            for each in messages:
                self._line(self._named(each), indent=2)
                for said in (self.held(each, at_utc), clean(texts.get(each.hash, ""))):
                    if said:
                        self._line(said, indent=6)
            return
        columns = ("SAID", "BY", "NUMBER", "KIND", "HELD", "ID", "TEXT")
        table(
            [self.say(f"COLUMN_{name}") for name in columns],
            [
                (
                    f"{self.at(each.said_utc)} ± {self.lasting(each.clock_error_ms)}",
                    each.party,
                    each.seq,
                    self._marked(self.kind(each.kind), *self._marks(each)),
                    self.held(each, at_utc),
                    short(each.hash),
                    texts.get(each.hash, ""),
                )
                for each in messages
            ],
            right=(2,),
        )

    # ---- every message -------------------------------------------------------------------

    def heading(self, width: int) -> str:
        """Return the heading of the timeline; ``width`` is that of the longer party's name."""
        if self._page is not None:
            columns: tuple[str, ...] = ("SAID", "BY", "NUMBER", "KIND", "ID")
            return "  ".join(clean(self.say(f"COLUMN_{name}")) for name in columns)
        columns = ("SAID", "BY", "NUMBER", "KIND", "ID", "SEEN", "ANSWERED", "HELD")
        return self._row([self.say(f"COLUMN_{name}") for name in columns], width)

    def row(self, each: "Told", width: int) -> str:
        """Return one message of the timeline: a row, and on a terminal what became of it below."""
        if self._page is not None:
            became = [self.say("ROW_HELD", held=self.held(each, None))]
            if each.answered is not None:
                became.insert(0, self.say("ROW_ANSWERED", answered=self._reply(each.answered)))
            if each.seen is not None:
                became.insert(0, self.say("ROW_SEEN", seen=self._reply(each.seen)))
            below = folded("; ".join(became), indent=6, width=self._page)
            return f"{folded(self._named(each), width=self._page)}\n{below}"
        return self._row(
            [
                f"{self.at(each.said_utc)} ± {self.lasting(each.clock_error_ms)}",
                clean(each.party),
                str(each.seq),
                self._marked(self.kind(each.kind), *self._marks(each)),
                short(each.hash),
                self._reply(each.seen),
                self._reply(each.answered),
                self.held(each, None),
            ],
            width,
        )

    def _named(self, each: "Told") -> str:
        """Return when a message was said, by whom, which one, of which kind, and its id."""
        kind = clean(self._marked(self.kind(each.kind), *self._marks(each)))
        said = clean(f"{self.at(each.said_utc)} ± {self.lasting(each.clock_error_ms)}")
        return f"{said}  {clean(each.party)}  {each.seq}  {kind}  {short(each.hash)}"

    def _row(self, cells: Sequence[str], width: int) -> str:
        widths = (20, width, 6, 20, 10, 27, 27, 0)
        shown = (
            padded(clean(cell), wide, flush_right=column == _NUMBER)
            for column, (cell, wide) in enumerate(zip(cells, widths, strict=True))
        )
        return "  ".join(shown).rstrip()

    def _reply(self, reply: "Reply | None") -> str:
        if reply is None:
            return "-"
        return f"{self.at(reply.said_utc)} {self.kind(reply.kind)}"

    # ---- both ----------------------------------------------------------------------------

    def held(self, each: "Told", at_utc: str | None) -> str:
        """Return by when and by what it is proven that the other side held a message."""
        said = self.say("NOT_PROVABLY")
        if each.held is not None:
            # Instants of one form: the text that is greater is the later one.
            name = "PROVEN_BY"
            if at_utc is None:
                name = "PROVEN"
            elif each.held.by_utc > at_utc:
                name = "PROVEN_LATER"
            said = self.say(
                name,
                by=self.at(each.held.by_utc),
                proof=self._proof(each.held),
                at=self.at(each.held.at_utc),
                error=self.lasting(each.held.clock_error_ms),
            )
        if each.holder_says_utc is None or (
            each.held is not None and each.held.at_utc <= each.holder_says_utc
        ):
            return said
        return f"{said}; {self.say('OWN_RECORD', at=self.at(each.holder_says_utc))}"

    def _proof(self, held: "HeldBy") -> str:
        kind = self.kind(held.message_kind or "")
        return self.say(held.proof, seq=held.seq, kind=kind)

    def _marks(self, each: "Told") -> Iterator[str]:
        if each.drill:
            yield self.say("DRILL")
        if each.delayed:
            yield self.say("DELAYED")
        if each.left_behind:
            yield self.say("LEFT_BEHIND")

    def _marked(self, said: str, *marks: "str | bool | None") -> str:
        return ", ".join([said, *(clean(mark) for mark in marks if mark)])

    # ---- what does not agree -------------------------------------------------------------

    def show_doubts(
        self,
        clocks: "Sequence[Apart]",
        record: "Record",
        bundles: "Sequence[VerifiedBundle]",
    ) -> None:
        """Print what signed words and records leave in doubt; nothing where nothing is."""
        lines = [
            self.say(
                "CLOCK_BACK" if each.party == each.by else "CLOCKS_APART",
                party=each.party,
                by=each.by,
                messages=each.messages,
                apart=self.lasting(each.apart_ms),
                hash=short(each.hash),
                seq=each.seq,
            )
            for each in clocks
        ]
        lines += [
            self.say(
                "MISSING",
                of=each.record_of,
                messages=each.messages,
                party=each.party,
                seq=each.first_seq,
                held=each.held,
            )
            for each in record.missing
        ]
        lines += [
            self.say("UNFOUND", party=one.party, seq=one.citing.seq, by=bundle.by)
            for bundle in bundles
            for one in bundle.unfound[:1]
        ]
        for line in lines:
            click.echo()
            self._doubt(line)


def _alone(lines: Iterable[str]) -> list[tuple[str, str | None]]:
    """Return lines that no message's words follow."""
    return [(line, None) for line in lines]
