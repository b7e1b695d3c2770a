"""The handover sheet on paper: what the screen says, with room for both who sign."""

from deconflict.messages.phrases import render_named, wording
from deconflict.node.handover import Part, SheetItem
from deconflict.node.handover import Sheet as Watch
from deconflict.paper.sheet import Blanks, Block, Fact, Facts, Heading, Paragraph, Sheet, Words
from deconflict.paper.words import Both

__all__ = ["handover_sheet"]


def handover_sheet(watch: Watch) -> Sheet:
    """Return the sheet of a watch to print, in its own language."""
    both = Both((watch.language,))
    words = wording(watch.language)["terms"]["sheet"]

    def said(text: str) -> tuple[Words, ...]:
        return (Words(text, watch.language),)

    blocks: list[Block] = [Paragraph(both("sheet.made", at=_clock(watch.made_utc)), strong=True)]
    for part in Part:
        if part is Part.CEASES:  # behind the warnings, before all else
            facts = tuple(
                Fact(said(line.peer), said(f"{line.state}  {_clock(line.since_utc)}"))
                for line in watch.lines
            )
            blocks += [Heading(said(words["LINES"])), Facts(facts)]
        items = [item for item in watch.items if item.part is part]
        if not items and part in (Part.WARNINGS, Part.OTHERS):
            continue
        blocks.append(Heading(said(words[part])))
        blocks += [Paragraph(said(_text(item, words))) for item in items]
        if not items:
            blocks.append(Paragraph(said(words["NONE"])))
    names = (both("sheet.name_and_role"), both("sheet.signature"), both("sheet.date_utc"))
    for key in ("handover.leaves", "handover.takes"):
        blocks += [Paragraph(both(key), strong=True), Blanks(names)]
    drill = any(item.drill for item in watch.items)
    return Sheet(
        name=f"handover-{watch.made_utc[:10]}-{watch.made_utc[11:13]}{watch.made_utc[14:16]}Z",
        languages=both.languages,
        title=said(f"{words['WATCH']}: {watch.party}, {watch.desk}"),
        made_utc=watch.made_utc,
        blocks=tuple(blocks),
        mark=render_named("DRILL", {}, watch.language) if drill else "",
    )


def _text(item: SheetItem, words: dict[str, str]) -> str:
    marks = [words[mark] for mark, on in (("NEW", item.new), ("DRILL", item.drill)) if on]
    due = [] if item.due_utc is None else [f"→ {_clock(item.due_utc)}"]
    facts = [*marks, *([item.urgency] if item.urgency else []), *due, *item.done]
    return "[  ] " + " · ".join([*facts, item.text])


def _clock(utc: str) -> str:
    return f"{utc[:10]} {utc[11:16]}Z"
