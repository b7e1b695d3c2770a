"""Seven hundred open alerts fit on one screen, and none of them goes unsaid."""

import sys
from dataclasses import asdict

import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from deconflict.airspace.altitude import AltitudeReference
from deconflict.cli.client import NodeClient
from deconflict.cli.line import _audit, status
from deconflict.line.moment import Now
from deconflict.messages.direction import all_closed
from deconflict.messages.phrases import render_named
from deconflict.messages.readback import Difference, differences_text
from deconflict.node.keeping.standing import AuditPhase, AuditStanding, Hindrance, WentOnFrom

WITNESSES: list[dict[str, object]] = []


def alert(number: int, rule: str, urgency: str, *, drill: bool = False) -> dict[str, object]:
    return {
        "rule": rule,
        "urgency": urgency,
        "subject": f"{number:032x}",
        "raised_utc": "2015-09-30T06:00:00.000Z",
        "deadline_utc": None,
        "level": 0,
        "open": True,
        "drill": drill,
        "facts": {},
        "text": f"Alert number {number} stands here.",
    }


ANSWERS: list[dict[str, object]] = []


@pytest.fixture
def alerts(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, object]]:
    held: list[dict[str, object]] = []
    node = {
        "party": "blue",
        "now_utc": "2015-09-30T06:00:00.000Z",
        "drill": False,
        "language": "en",
    }
    line = {
        "peer": "red",
        "state": "UP",
        "suspended": False,
        "suspensions": [],
        "mute": False,
        "deaf": False,
        "since_utc": None,
        "last_heard_utc": None,
        "terms_state": "AGREED",
        "own_seq": 1,
        "receipted_seq": 1,
        "line_id": "0" * 32,
        "peer_seq": 1,
        "clock_offset_ms": 0,
        "declarations_unseen": 1200,
        "paths": [],
        "witnesses": WITNESSES,
        "drill_until_utc": None,
        "peer_drill_until_utc": None,
        "without_line": [],
    }

    class Node:
        def __enter__(self) -> "Node":
            return self

        def __exit__(self, *_: object) -> None: ...

        def may(self, _: str) -> bool:
            return True

        def get(self, what: str, **_: object) -> object:
            return node if what == "node" else [] if what == "talks" else held

        def lines(self) -> list[dict[str, object]]:
            return [line]

        def messages(self, *_: object, **__: object) -> list[dict[str, object]]:
            return ANSWERS

    monkeypatch.setattr(NodeClient, "of", lambda *_: Node())
    return held


def shown(*words: str) -> str:
    result = CliRunner().invoke(status, list(words))
    assert result.exit_code == 0, result.output
    return result.output


def test_a_mute_line_says_what_cannot_be_sent_and_what_to_do(
    alerts: list[dict[str, object]],
) -> None:
    node = NodeClient.of(None, None)  # type: ignore[arg-type]
    (line,) = node.__enter__().lines()
    line |= {"mute": True, "deaf": True, "silent_because": "The record is an old copy."}
    text = shown()
    assert "MUTE, UP" in text
    assert "sends nothing to red but CEASE and SAFETY" in text
    assert "The record is an old copy." in text
    assert "Warn red by voice" in text
    assert "deconflict line reopen red" in text
    line["mute"] = False
    assert "DEAF, UP" in shown()
    assert "it can send" in shown()


def test_a_mute_line_that_is_down_offers_no_way_that_is_refused(
    alerts: list[dict[str, object]],
) -> None:
    node = NodeClient.of(None, None)  # type: ignore[arg-type]
    (line,) = node.__enter__().lines()
    line |= {"state": "DOWN", "peer_drill_until_utc": "2015-09-30T08:00:00.000Z"}
    assert "deconflict line carry red --out FILE" in shown()
    line |= {"mute": True, "deaf": True, "silent_because": "The record is an old copy."}
    text = shown()
    assert "MUTE, DOWN, DRILL" in text
    assert "deconflict line carry" not in text
    assert "nothing of it can be carried either" in text


def test_urgent_news_that_nobody_marked_as_seen_is_shown_with_what_says_so(
    alerts: list[dict[str, object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    news = {
        "kind": "EPOCH",
        "state": "LOGGED",
        "precedence": "IMMEDIATE",
        "hash": "9f86d081" * 8,
        "ref": None,
        "drill": False,
        "logged_utc": "2015-09-30T06:00:00.000Z",
        "text": "red began a fresh epoch.",
    }
    tally = news | {"kind": "TALLY", "precedence": "ROUTINE", "text": "red counts."}
    monkeypatch.setattr(sys.modules[__name__], "ANSWERS", [news, tally])
    text = shown()
    assert "1 piece of news not marked as seen:" in text
    assert "red began a fresh epoch." in text
    assert "deconflict line seen 9f86d081" in text
    assert "red counts." not in text
    news["state"] = "SEEN"
    assert "not marked as seen:" not in shown()


def many() -> list[dict[str, object]]:
    return [
        alert(0, "CONFLICT", "FLASH"),
        *(alert(number, "NOT_SEEN", "IMMEDIATE") for number in range(1, 30)),
        *(alert(number, "THIRD_PARTY_NOT_REACHED", "PRIORITY") for number in range(30, 757)),
        alert(757, "CEASE_OPEN", "FLASH", drill=True),
    ]


def test_first_twenty_are_shown_in_full_and_the_rest_counted_by_rule(
    alerts: list[dict[str, object]],
) -> None:
    alerts += many()
    text = shown()
    assert "758 open alerts, 1 FLASH:" in text
    assert text.count("stands here.") == 20
    assert "Alert number 19 stands here." in text
    assert "and 738 more, all shown by --all:" in text
    counted = [line.split(maxsplit=2) for line in text.splitlines()[-3:]]
    assert counted == [
        ["IMMEDIATE", "10", "NOT SEEN"],
        ["PRIORITY", "727", "THIRD PARTY NOT REACHED"],
        ["FLASH", "1", "DRILL CEASE OPEN"],
    ]
    assert len(text.splitlines()) <= 61  # one more head, for FLASH alone


def test_all_are_shown_when_asked_for(alerts: list[dict[str, object]]) -> None:
    alerts += many()
    text = shown("--all")
    assert text.count("stands here.") == 758
    assert "more" not in text


def test_twenty_are_shown_without_a_count(alerts: list[dict[str, object]]) -> None:
    alerts += many()[:20]
    text = shown()
    assert text.count("stands here.") == 20
    assert "more" not in text


def test_what_nobody_has_looked_at_yet_is_said(alerts: list[dict[str, object]]) -> None:
    assert "red: declarations not yet looked at for conflicts: 1200." in shown()


def test_what_third_witnesses_have_seen_is_shown_where_any_are_asked(
    alerts: list[dict[str, object]],
) -> None:
    assert "WITNESS" not in shown()
    asked = {
        "name": "agency.example/w1",
        "messages": 41,
        "seen_utc": "2015-09-30T06:30:00.000Z",
        "waiting": 2,
        "asked_utc": "2015-09-30T06:31:00.000Z",
        "problem": None,
        "contradicts": False,
    }
    silent = {**asked, "name": "b.example", "messages": 0, "seen_utc": None, "problem": "is down"}
    other = {**asked, "name": "c.example", "problem": "its words", "contradicts": True}
    WITNESSES.extend([asked, silent, other])
    try:
        said = shown()
    finally:
        WITNESSES.clear()
    rows = [line.split() for line in said.splitlines() if ".example" in line]
    assert rows[0] == ["red", "agency.example/w1", "41", "2015-09-30", "06:30:00Z", "2"]
    assert rows[1][2:] == ["0", "never", "2", "is", "down"]
    assert rows[2][-2:] == ["ANOTHER", "RECORD"]


def test_parties_without_a_line_are_named(alerts: list[dict[str, object]]) -> None:
    node = NodeClient.of(None, None)  # type: ignore[arg-type]
    (line,) = node.__enter__().lines()
    assert "No line to" not in shown()
    line |= {"without_line": ["cedar", "fir"]}
    assert "No line to cedar, fir, named in the terms with red" in shown()


@pytest.mark.parametrize("which", ["drill_until_utc", "peer_drill_until_utc"])
def test_a_line_in_exercise_says_so(alerts: list[dict[str, object]], which: str) -> None:
    node = NodeClient.of(None, None)  # type: ignore[arg-type]
    (line,) = node.__enter__().lines()
    assert "DRILL" not in shown()
    line |= {which: "2015-09-30T08:00:00.000Z"}
    assert "UP, DRILL" in shown()


def test_a_real_flash_amid_an_exercise_is_shown_as_real(alerts: list[dict[str, object]]) -> None:
    alerts += [alert(1, "CEASE_RECEIVED", "FLASH") | {"facts": {"amid_exercise": True}}]
    alerts += [alert(2, "CEASE_RECEIVED", "FLASH", drill=True)]
    text = shown()
    assert "REAL FLASH" in text
    assert "DRILL FLASH" in text


def test_the_heads_of_a_status_are_in_the_language_of_the_desk(
    alerts: list[dict[str, object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    node = NodeClient.of(None, None)  # type: ignore[arg-type]
    monkeypatch.setitem(node.__enter__().get("node"), "language", "ru")
    (line,) = node.__enter__().lines()
    line |= {"mute": True, "state": "DOWN", "silent_because": "Запись является старой копией."}
    line |= {"without_line": ["cedar"]}
    text = shown()
    for said in ("УЗЕЛ МОЛЧИТ на линии с red", "НЕТ СВЯЗИ с red", "Нет линии: cedar"):
        assert said in text
    assert "ещё не проверенных на конфликты: 1200" in text
    for other in ("MUTE on", "Warn red", "DOWN to red"):
        assert other not in text


def test_the_heads_of_a_status_and_its_alerts_are_in_arabic_and_each_line_is_whole(
    alerts: list[dict[str, object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    node = NodeClient.of(None, None)  # type: ignore[arg-type]
    monkeypatch.setitem(node.__enter__().get("node"), "language", "ar")
    (line,) = node.__enter__().lines()
    because = render_named("RECORD_BEHIND", {}, "ar")
    line |= {"mute": True, "state": "DOWN", "silent_because": because}
    line |= {"without_line": ["cedar"]}
    said = {"peer": "red", "kind": "CEASE", "sent": "2015-09-30T06:12:00.000Z", "limit": 30_000}
    alerts += [alert(1, "NO_ANSWER", "FLASH") | {"text": render_named("NO_ANSWER", said, "ar")}]
    text = shown()
    for words in (
        "العقدة صامتة على الخط مع \u2068red\u2069",
        "الخط معطل إلى \u2068red\u2069",
        "لا خط إلى \u2068cedar\u2069",
        "لا جواب من \u2068red\u2069 على الرسالة «طلب توقف» المرسلة في ",
        "\u20682015-09-30 06:12:00Z\u2069؛ المهلة كانت \u206830 ث\u2069.",
        "عدم الجواب ليس قبولا",
    ):
        assert words in text
    assert "\ufffd" not in text
    assert all(map(all_closed, text.replace("\u2067", "\u2068").splitlines()))


@pytest.mark.usefixtures("alerts")
def test_an_answer_that_nobody_has_seen_stands_in_words_with_what_says_that_it_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers: list[dict[str, object]] = [
        {
            "hash": f"{number:064x}",
            "ref": "ab" * 32,
            "precedence": "IMMEDIATE",
            "kind": kind,
            "state": state,
            "drill": False,
            "logged_utc": "2015-09-30T06:00:00.000Z",
            "text": f"red answers {number}.",
        }
        for number, (kind, state) in enumerate(
            (("ANSWER", "LOGGED"), ("CEASED", "SEEN"), ("NOTIFY", "LOGGED"), ("CEASED", "DELAYED"))
        )
    ]
    monkeypatch.setattr(sys.modules[__name__], "ANSWERS", answers)
    text = shown()
    assert "1 answer not marked as seen:" in text
    assert "ANSWER, to abababab" in text
    assert "red answers 0." in text
    assert "deconflict line seen 00000000" in text
    assert "red answers 1." not in text


# ---- the audit of the record -------------------------------------------------------------------

STANDING = AuditStanding(Now(9 * 3_600_000, 0), WentOnFrom(5, 3_600_000))
FAILED = replace(
    STANDING,
    phase=AuditPhase.NOT_DONE,
    hindrance=Hindrance.ENDED,
    problem="the process was ended by SIGKILL",
    tried_ms=9 * 3_600_000,
    again_ms=9 * 3_600_000 + 60_000,
)


@pytest.mark.parametrize(
    ("standing", "words"),
    [
        (
            replace(STANDING, phase=AuditPhase.RUNNING, entries=3),
            "The first 5 entries of the record, last verified as a whole 1970-01-01 01:00:00Z,"
            " are being verified again: 3 entries read so far.\n\n",
        ),
        (
            FAILED,
            "NOT VERIFIED AGAIN: the first 5 entries of the record, last verified as a whole"
            " 1970-01-01 01:00:00Z. What came after was verified at the start.\n"
            "The attempt at 1970-01-01 09:00:00Z failed: the process was ended by SIGKILL.\n"
            "The next one begins 1970-01-01 09:01:00Z.\n\n",
        ),
        (
            replace(FAILED, behind=None),
            "The record was not verified again. The attempt at 1970-01-01 09:00:00Z failed: the"
            " process was ended by SIGKILL.\nThe next one begins 1970-01-01 09:01:00Z.\n\n",
        ),
        (replace(STANDING, behind=None, phase=AuditPhase.DONE), ""),
    ],
)
def test_a_status_says_what_is_not_verified_again_and_why(
    standing: AuditStanding, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _audit(asdict(standing.view(standing.started)))
    assert capsys.readouterr().out == words


@pytest.mark.usefixtures("alerts")
def test_flash_alerts_stand_above_answers_and_answers_above_other_alerts(
    alerts: list[dict[str, object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    alerts += [
        alert(1, "CONFLICT", "FLASH"),
        alert(2, "NO_ANSWER", "IMMEDIATE"),
        alert(3, "CEASE_OPEN", "FLASH", drill=True),
    ]
    answer: dict[str, object] = {
        "hash": "00" * 32,
        "ref": "ab" * 32,
        "precedence": "IMMEDIATE",
        "kind": "ANSWER",
        "state": "LOGGED",
        "drill": False,
        "logged_utc": "2015-09-30T06:00:00.000Z",
        "text": "red answers.",
    }
    monkeypatch.setattr(sys.modules[__name__], "ANSWERS", [answer])
    text = shown()
    order = [
        "3 open alerts, 1 FLASH:",
        "Alert number 1 stands here.",
        "1 answer not marked as seen:",
        "2 other open alerts:",
        "Alert number 2 stands here.",
        "Alert number 3 stands here.",
    ]
    assert [text.index(words) for words in order] == sorted(text.index(words) for words in order)


@pytest.mark.usefixtures("alerts")
def test_the_answer_to_a_flash_stands_above_an_earlier_one_to_a_query(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers: list[dict[str, object]] = [
        {
            "hash": f"{number:064x}",
            "ref": "ab" * 32,
            "precedence": precedence,
            "kind": kind,
            "state": "LOGGED",
            "drill": False,
            "logged_utc": f"2015-09-30T06:00:0{number}.000Z",
            "text": "red answers.",
        }
        for number, (kind, precedence) in enumerate(
            (("ANSWER", "IMMEDIATE"), ("CONTINUING", "FLASH"))
        )
    ]
    monkeypatch.setattr(sys.modules[__name__], "ANSWERS", answers)
    text = shown()
    assert text.index("CONTINUING, to") < text.index("ANSWER, to")


def test_a_card_offers_more_time_until_it_was_asked_for(alerts: list[dict[str, object]]) -> None:
    message = "9f86d08199" + "0" * 54
    for number, rule in enumerate(("SAFETY_RECEIVED", "CEASE_RECEIVED", "QUERY_RECEIVED")):
        alerts.append(alert(number, rule, "FLASH") | {"facts": {"message": message}})
    text = shown()
    assert "line ack 9f86d08199; for more time: deconflict line answer 9f86d08199 checking" in text
    assert "line answer 9f86d08199 ceased (or continuing, cannot-reach, checking)" in text
    assert "line answer 9f86d08199 not-ours (or ours, will-not-say, checking)" in text
    for one in alerts:
        one["facts"] = {"message": message, "standby_utc": "2015-09-30T06:00:10.000Z"}
    text = shown()
    assert "checking" not in text
    assert "deconflict line ack 9f86d08199" in text
    assert "(or continuing, cannot-reach)" in text


def test_each_field_that_was_read_back_otherwise_has_a_line_of_its_own(
    alerts: list[dict[str, object]],
) -> None:
    found = [
        Difference("purpose", "FLIGHT", "HAZARD"),
        Difference("bearing_ddeg", 3_580, 125, 145),
        Difference("upper_tmm", 60_960_000, None),
        Difference("parts", 1, 2),
    ]
    values = {
        "party": "red",
        "declaration": "1" * 32,
        "differences": differences_text(found, "en", reference=AltitudeReference.AMSL),
    }
    said = {"text": render_named("READBACK_WRONG", values, "en")}
    alerts.append(alert(1, "READBACK_WRONG", "IMMEDIATE") | said)
    begins = [
        each.strip().partition(":")[0] for each in shown().splitlines() if ": declared" in each
    ]
    assert begins == ["purpose", "bearing from the landmark", "ceiling", "number of parts"]
