"""The document on private checks in words: every field of it."""

from collections.abc import Iterator

from deconflict.messages.private_terms import PrivateCheckTerms
from deconflict.messages.terms_wording import TermsWording

__all__ = ["check_rows"]

_DAY_MS = 86_400_000


def check_rows(
    check: PrivateCheckTerms | None, words: TermsWording
) -> Iterator[tuple[str, str, str]]:
    """Yield section, name and value of each field; what belongs to one thing stands together."""
    if check is None:
        yield words.section("check"), words.name("check_agreed"), words.value("check_no")
        return
    for section, rows in (
        ("check", _what(check, words)),
        ("check_when", _when(check, words)),
        ("check_much", _how_much(check, words)),
        ("check_kept", _kept(check, words)),
    ):
        yield from ((words.section(section), words.name(name), value) for name, value in rows)


def _what(check: PrivateCheckTerms, words: TermsWording) -> Iterator[tuple[str, str]]:
    minima = check.minima
    yield "check_document", words.apart(check.document_hash)
    yield (
        "check_minima",
        words.plain(
            "check_within",
            minimum=words.minimum(minima.horizontal_mm, minima.vertical_tmm),
            span=words.span(minima.time_ms),
        ),
    )
    yield "check_origin", words.place(check.origin)
    yield (
        "check_cells",
        words.plain(
            "check_cell",
            lateral=words.apart(words.lateral(check.cell_mm)),
            vertical=words.apart(words.vertical(check.level_tmm)),
            span=words.span(check.slot_ms),
        ),
    )
    for name, first_mm, cells, least, most in (
        ("check_columns", check.west_mm, check.columns, "check_west", "check_east"),
        ("check_rows", check.south_mm, check.rows, "check_south", "check_north"),
    ):
        ends = (first_mm, first_mm + cells * check.cell_mm)
        begin, end = (
            words.value(least if mm < 0 else most, metres=words.metres(abs(mm) * 10)) for mm in ends
        )
        count = words.apart(words.count(cells))
        yield name, words.plain("check_from_to", count=count, begin=begin, end=end)
    top_tmm = check.floor_tmm + check.levels * check.level_tmm
    yield (
        "check_levels",
        words.value(
            "check_level_from",
            count=words.count(check.levels),
            least=words.metres(check.floor_tmm),
            most=words.metres(top_tmm),
            reference=check.reference.value,
        ),
    )
    looks = words.listed(map(str, check.refinements))
    yield "check_refinements", looks or words.value("check_no_look")


def _when(check: PrivateCheckTerms, words: TermsWording) -> Iterator[tuple[str, str]]:
    lasts_ms = check.slots * check.slot_ms
    count = words.apart(words.count(check.slots))
    yield "check_period", words.plain("check_slots", count=count, span=words.span(lasts_ms))
    yield "check_cadence", words.plain("check_from_1970", span=words.span(check.cadence_ms))
    if check.cadence_ms > lasts_ms:
        yield "check_gap", words.span(check.cadence_ms - lasts_ms)
    yield "check_ahead", words.span(check.ahead_ms)
    yield "check_limit", words.span(check.run_limit_ms)
    yield "check_tags", words.span(check.tags_after_ms)


def _how_much(check: PrivateCheckTerms, words: TermsWording) -> Iterator[tuple[str, str]]:
    yield "check_points", words.value("check_always", count=words.count(check.points))
    yield "check_bucket", words.value("check_always", count=words.count(check.bucket))
    yield "check_bytes", words.value("check_sent", count=words.count(check.bytes_of_run()))
    yield "check_sorties", words.value("check_most", count=words.count(check.sorties))
    most = words.count(check.cells_per_sortie_slot)
    yield "check_cells_per", words.value("check_most", count=most)
    yield "check_runs", words.value("check_times", count=words.count(check.runs_per_slot))


def _kept(check: PrivateCheckTerms, words: TermsWording) -> Iterator[tuple[str, str]]:
    rate = words.value("check_by_coin", count=words.count(check.audit_per_mille))
    yield "check_rate", rate if check.audit_per_mille else words.value("none")
    arbiter = check.arbiter
    nobody = words.value("check_nobody")
    yield "check_arbiter", nobody if arbiter is None else words.apart(arbiter)
    opened = words.span(check.opened_after_days * _DAY_MS)
    yield "check_opened", words.plain("check_no_sooner", span=opened)
    yield "check_retention", words.span(check.retention_days * _DAY_MS)
