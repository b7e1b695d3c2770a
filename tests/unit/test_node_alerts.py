"""In which order an officer with two minutes left is shown what is open."""

from deconflict.node.alerts import AlertBook, AlertKey

HOUR_MS = 3_600_000


def shown(book: AlertBook) -> list[str]:
    return [f"{alert.rule} {alert.subject}" for alert in book.open_alerts()]


def test_a_conflict_stands_above_what_was_told_earlier_at_the_same_urgency() -> None:
    book = AlertBook("watch")
    for number in range(7):
        key = AlertKey("THIRD_PARTY_NOT_REACHED", "11", str(number))
        book.put(key, now_ms=number, urgency="PRIORITY", text="cedar was not told")
    book.put(
        AlertKey("CONFLICT", "11", "late"),
        now_ms=100,
        urgency="PRIORITY",
        text="too close",
        deadline_ms=9 * HOUR_MS,
    )
    book.put(
        AlertKey("CONFLICT", "11", "soon"),
        now_ms=200,
        urgency="PRIORITY",
        text="too close",
        deadline_ms=2 * HOUR_MS,
    )
    assert shown(book)[:3] == ["CONFLICT soon", "CONFLICT late", "THIRD_PARTY_NOT_REACHED 0"]


def test_urgency_comes_before_everything() -> None:
    book = AlertBook("watch")
    book.put(AlertKey("CONFLICT", "11", "x"), now_ms=0, urgency="PRIORITY", text="too close")
    book.put(AlertKey("LINE_DOWN", "11", "red"), now_ms=9, urgency="FLASH", text="down")
    assert shown(book) == ["LINE_DOWN red", "CONFLICT x"]


def test_of_two_owed_answers_the_one_due_sooner_stands_first() -> None:
    book = AlertBook("watch")
    for subject, due_ms in (("later", 90_000), ("sooner", 30_000)):
        key = AlertKey("QUERY_RECEIVED", "11", subject)
        book.put(key, now_ms=0, urgency="IMMEDIATE", text="yours?", deadline_ms=due_ms)
    assert shown(book) == ["QUERY_RECEIVED sooner", "QUERY_RECEIVED later"]


def test_what_climbed_highest_stands_first_though_nothing_of_it_is_due_any_more() -> None:
    book = AlertBook("watch")
    for subject, level, due_ms in (
        ("told", 0, 40_000),
        ("second desk", 1, 60_000),
        ("hold", 3, None),
        ("voice", 2, 120_000),
    ):
        key = AlertKey("CEASE_NOT_ACKNOWLEDGED", "11", subject)
        book.put(key, now_ms=0, urgency="FLASH", text="-", deadline_ms=due_ms, level=level)
    for subject, due_ms in (("later", 30_000), ("sooner", 20_000)):
        key = AlertKey("SAFETY_RECEIVED", "11", subject)
        book.put(key, now_ms=0, urgency="FLASH", text="-", deadline_ms=due_ms, level=1)
    key = AlertKey("NO_ANSWER", "11", "less urgent")
    book.put(key, now_ms=0, urgency="IMMEDIATE", text="-", level=1)
    assert [each.partition(" ")[2] for each in shown(book)] == [
        *("hold", "voice", "sooner", "later", "second desk", "told", "less urgent")
    ]
