"""What a replayed record says, in words: one instant, or every message and by when it was known."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import click

from deconflict.cli.output import clean, fields, short, table
from deconflict.messages.phrases import word_for, wording
from deconflict.messages.values import ValueType, write_value

if TYPE_CHECKING:
    from deconflict.node.bundle_verified import VerifiedBundle
    from deconflict.node.knowledge.instant import Apart, Instant, Question, Side
    from deconflict.node.knowledge.reading import Record
    from deconflict.node.knowledge.told import HeldBy, Reply, Told

__all__ = ["Words"]

_NO_TEXT: Mapping[str, str] = {}


class Words:
    """Says a replay in one language.

    Args:
        language: of the headings and of the messages' texts.
        day: the UTC day that is not repeated at each time; it may be changed.
    """

    def __init__(self, language: str, day: str) -> None:
        self._language = language
        self.day = day
        self._texts: Mapping[str, str] = wording(language)["terms"]["replay"]

    def say(self, name: str, **values: object) -> str:
        """Return one of the texts, filled in; what a party wrote cannot steer a terminal."""
        return self._texts[name].format(**{key: clean(value) for key, value in values.items()})

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
        click.echo(click.style(self.say("TITLE", at=f"{day} {clock}"), bold=True))
        self.show_sources(found.exporters)
        for side, other in zip(found.sides, reversed(found.sides), strict=True):
            self._show_side(side, other.party, found.at_utc, texts)

    def show_sources(self, exporters: Sequence[str]) -> None:
        """Print whose records these are, and what of them nobody signed."""
        click.echo(self.say("SOURCE", by=", ".join(exporters)))
        click.echo(self.say("UNSIGNED"))

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
        )
        click.echo("\n  " + self.say("AS_KNOWN", party=party))
        for heading, lines in self._in_force(side, texts):
            click.echo(f"  {heading}:" + ("" if lines else f" {self.say('NONE')}"))
            for line in lines:
                click.echo(f"    {line}")
        for name, messages, count in (
            ("LACKED", side.lacked, side.not_proven),
            ("MESSAGES", side.messages, len(side.messages)),
        ):
            if messages:
                shown = len(messages)
                heading = self.say(name, party=party, peer=peer, shown=shown, count=count)
                click.echo(f"\n  {heading}:")
                self._show_messages(messages, texts, at_utc)

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

    def _in_force(self, side: "Side", texts: Mapping[str, str]) -> Iterator[tuple[str, list[str]]]:
        ceases = [each for each in side.questions if each.kind == "CEASE"]
        others = [each for each in side.questions if each.kind != "CEASE"]
        yield (
            self.say("CEASES"),
            [
                *(self._question(each, texts) for each in ceases),
                *(
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
        yield self.say("DECLARATIONS"), list(self._declarations(side))
        yield (
            self.say("SUSPENSIONS"),
            [
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
            ],
        )  # fmt: skip
        yield (
            self.say("EXERCISES"),
            [
                self.say("EXERCISE", party=each.party, until=self.at(each.until_utc))
                for each in side.exercises
            ],
        )

    def _question(self, asked: "Question", texts: Mapping[str, str]) -> str:
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
        return marked if text is None else f"{marked}\n      {clean(text)}"

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
        columns = ("SAID", "BY", "NUMBER", "KIND", "ID", "SEEN", "ANSWERED", "HELD")
        return self._row([self.say(f"COLUMN_{name}") for name in columns], width)

    def row(self, each: "Told", width: int) -> str:
        """Return one message of the timeline."""
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

    def _row(self, cells: Sequence[str], width: int) -> str:
        said, party, number, kind, name, seen, answered, held = cells
        return (
            f"{said:<20}  {party:<{width}}  {number:>6}  {kind:<20}  {name:<10}  {seen:<27}  "
            f"{answered:<27}  {held}"
        ).rstrip()

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
                "LACKING",
                of=each.record_of,
                messages=each.messages,
                party=each.party,
                seq=each.first_seq,
                held=each.held,
            )
            for each in record.lacking
        ]
        lines += [
            self.say("UNFOUND", party=one.party, seq=one.citing.seq, by=bundle.by)
            for bundle in bundles
            for one in bundle.unfound[:1]
        ]
        for line in lines:
            click.echo("\n" + click.style("! ", fg="yellow", bold=True) + line)
