"""Who is told what when, and what a restart, a jump of the clock or an answer changes."""

import pytest

from deconflict.line.alerts import Alarm, AlertBook
from deconflict.line.envelope import SealedEnvelope
from deconflict.line.machine import LineMachine, Restored
from deconflict.line.moment import Now
from deconflict.line.precedence import DEFAULT_TIMERS
from line_talk import UTC_MS, End, at, end, talk


def told(
    machine: LineMachine, until_ms: int, step_ms: int = 500, since_ms: int = 0
) -> list[tuple[int, str, int, tuple[str, ...]]]:
    """Return (second, kind, level, steps) of all alarms up to ``until_ms``."""
    found: list[tuple[int, str, int, tuple[str, ...]]] = []
    for ms in range(since_ms, until_ms + 1, step_ms):
        found += [
            (ms // 1_000, alarm.kind.value, alarm.level, tuple(step.value for step in alarm.steps))
            for alarm in machine.alarms(at(ms))
        ]
    return found


def receipted(blue: End, red: End, sealed: SealedEnvelope, ms: int = 0) -> None:
    blue.machine.hear_receipt(red.take(sealed, ms), at(ms))


FIRST = ("OWN_DESK", "SECOND_DESK", "PEER_ALTERNATE")


def test_flash_without_any_sign_of_life_climbs_the_whole_ladder() -> None:
    blue, _ = talk()
    blue.say("CEASE")
    assert told(blue.machine, 300_000) == [
        (2, "NO_RECEIPT", 0, ("OWN_DESK",)),
        (30, "NO_RECEIPT", 1, FIRST),
        (60, "NO_RECEIPT", 2, ("VOICE",)),
        (120, "NO_RECEIPT", 3, ("NEXT_TIER", "HOLD")),
    ]


def test_flash_receipted_but_neither_seen_nor_answered() -> None:
    blue, red = talk()
    receipted(blue, red, blue.say("CEASE"))
    assert told(blue.machine, 300_000) == [
        (10, "NOT_SEEN", 0, ("OWN_DESK",)),
        (30, "NOT_SEEN", 1, FIRST),
        (60, "NOT_SEEN", 2, ("VOICE",)),
        (120, "NOT_SEEN", 3, ("NEXT_TIER", "HOLD")),
    ]


def test_flash_seen_but_not_answered_is_no_answer() -> None:
    blue, red = talk()
    cease = blue.say("CEASE")
    receipted(blue, red, cease)
    blue.take(red.say("SEEN", ref=cease.hash))
    assert [(s, kind) for s, kind, _, _ in told(blue.machine, 300_000)] == [
        (30, "NO_ANSWER"),
        (60, "NO_ANSWER"),
        (120, "NO_ANSWER"),
    ]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("QUERY", [(5, "NO_RECEIPT", 0), (120, "NO_RECEIPT", 1)]),
        ("NOTIFY", [(30, "NO_RECEIPT", 0), (600, "NO_RECEIPT", 1)]),
        ("READOUT", [(120, "NO_RECEIPT", 1)]),
    ],
)
def test_other_precedences_escalate_once_to_the_second_desk(
    kind: str, expected: list[tuple[int, str, int]]
) -> None:
    blue, _ = talk()
    blue.say(kind)
    alarms = told(blue.machine, 20_000_000, step_ms=1_000)
    assert [(s, what, level) for s, what, level, _ in alarms] == expected
    assert alarms[-1][3] == ("OWN_DESK", "SECOND_DESK")


def test_answer_within_may_only_shorten() -> None:
    blue, red = talk()
    for within_ms, expected_s in ((10_000, 10), (60_000, 30), (None, 30)):
        cease = blue.say("CEASE", answer_within_ms=within_ms)
        receipted(blue, red, cease)
        blue.take(red.say("SEEN", ref=cease.hash))
        first = told(blue.machine, 40_000)[0]
        assert first == (expected_s, "NO_ANSWER", 1, FIRST)
        blue.take(red.say("ANSWER", ref=cease.hash))


def test_settled_message_raises_nothing_more() -> None:
    blue, red = talk()
    cease = blue.say("CEASE")
    receipted(blue, red, cease)
    blue.take(red.say("ANSWER", ref=cease.hash))
    assert blue.machine.open_alerts() == ()
    assert told(blue.machine, 300_000) == []
    assert blue.machine.next_deadline_ms() is None


def test_standby_gives_the_answer_its_time_again_once() -> None:
    blue, red = talk()
    cease = blue.say("CEASE")
    receipted(blue, red, cease)
    blue.take(red.say("STANDBY", 20_000, ref=cease.hash), 20_000)
    assert told(blue.machine, 49_000) == []
    blue.take(red.say("STANDBY", 49_000, ref=cease.hash), 49_000)
    assert told(blue.machine, 60_000, since_ms=49_500)[0] == (50, "NO_ANSWER", 1, FIRST)


def test_standby_after_escalation_is_watched_again() -> None:
    blue, red = talk()
    cease = blue.say("CEASE")
    receipted(blue, red, cease)
    assert len(told(blue.machine, 120_000)) == 4
    blue.take(red.say("STANDBY", 121_000, ref=cease.hash), 121_000)
    assert told(blue.machine, 300_000, since_ms=121_500) == [(151, "NO_ANSWER", 3, ("OWN_DESK",))]


def test_late_receipt_uncovers_what_is_overdue_behind_it() -> None:
    blue, red = talk()
    cease = blue.say("CEASE")
    assert [kind for _, kind, _, _ in told(blue.machine, 15_000)] == ["NO_RECEIPT"]
    receipted(blue, red, cease, 15_000)
    assert told(blue.machine, 15_500, since_ms=15_500) == [(15, "NOT_SEEN", 0, ("OWN_DESK",))]


def test_peers_message_unseen_and_unanswered_here_escalates_here() -> None:
    blue, red = talk()
    red.take(blue.say("CEASE"))
    assert [(s, kind, level) for s, kind, level, _ in told(red.machine, 130_000)] == [
        (10, "SEEN_OWED", 0),
        (30, "SEEN_OWED", 1),
        (60, "SEEN_OWED", 2),
        (120, "SEEN_OWED", 3),
    ]


def test_own_answer_settles_what_was_owed_to_the_peer() -> None:
    blue, red = talk()
    query = blue.say("QUERY")
    red.take(query)
    assert [alert.own for alert in red.machine.open_alerts()] == [False]
    answer = red.say("ANSWER", ref=query.hash)
    assert [alert.hash for alert in red.machine.open_alerts()] == [answer.hash]


def test_delayed_message_owes_nothing_here() -> None:
    blue, red = talk()
    red.take(blue.say("CEASE", expires_after_ms=1_000), 60_000)
    assert red.machine.open_alerts() == ()


def alarms_after_restart(blue: End, ms: int) -> tuple[Alarm, ...]:
    again = end(
        "blue",
        Restored(
            own_head=blue.machine.own_head,
            own_entries=tuple(entry.data for entry in blue.said),
            alerts=blue.machine.open_alerts(),
            own_tree=blue.own_tree(),
        ),
        ms,
    )
    alarms = again.machine.alarms(at(ms))
    assert again.machine.alarms(at(ms)) == ()
    return alarms


def test_every_open_alert_escalates_after_a_restart() -> None:
    blue, _ = talk()
    for kind in ("CEASE", "QUERY", "NOTIFY", "READOUT"):
        blue.say(kind)
    alarms = alarms_after_restart(blue, 100)
    assert [alarm.alert.kind for alarm in alarms] == ["CEASE", "QUERY", "NOTIFY", "READOUT"]
    assert all(alarm.after_restart and alarm.level == 1 for alarm in alarms)


def test_restart_climbs_from_the_rung_already_reached() -> None:
    blue, _ = talk()
    blue.say("CEASE")
    told(blue.machine, 61_000)
    (alarm,) = alarms_after_restart(blue, 62_000)
    assert (alarm.level, [step.value for step in alarm.steps]) == (3, ["NEXT_TIER", "HOLD"])


def test_ladder_runs_on_after_a_restart() -> None:
    blue, _ = talk()
    blue.say("CEASE")
    again = end(
        "blue",
        Restored(
            blue.machine.own_head,
            tuple(entry.data for entry in blue.said),
            own_tree=blue.own_tree(),
        ),
        ms=1_000,
    )
    alarms = told(again.machine, 200_000, since_ms=1_000)
    assert [(s, level) for s, _, level, _ in alarms] == [(1, 1), (31, 2), (91, 3)]


def test_utc_jump_makes_no_alarm_early_or_late() -> None:
    blue, _ = talk()
    blue.say("CEASE")
    for utc_ms in (0, UTC_MS - 288_000, UTC_MS + 10**10, 2**31 * 1_000):
        assert blue.machine.alarms(Now(utc_ms, 1_999)) == ()
    assert len(blue.machine.alarms(Now(0, 2_000))) == 1


@pytest.mark.parametrize(
    ("restart_s", "expected"),
    [
        (66, [(66, 1), (66, 2), (120, 3)]),
        (35, [(35, 1), (60, 2), (120, 3)]),
        (130, [(130, 1), (130, 2), (130, 3)]),
    ],
)
def test_a_start_puts_no_rung_off(restart_s: int, expected: list[tuple[int, int]]) -> None:
    blue, _ = talk()
    blue.say("CEASE")
    ms = restart_s * 1_000
    again = end(
        "blue",
        Restored(
            blue.machine.own_head,
            tuple(entry.data for entry in blue.said),
            own_tree=blue.own_tree(),
        ),
        ms=ms,
    )
    alarms = told(again.machine, 300_000, since_ms=ms)
    assert [(s, level) for s, _, level, _ in alarms] == expected


def test_a_clock_set_back_before_a_start_puts_no_rung_off() -> None:
    blue, _ = talk()
    cease = blue.say("CEASE")
    alert = blue.machine.open_alerts()[0]
    book = AlertBook(DEFAULT_TIMERS)
    book.restore(alert, Now(0, 66_000), since_utc_ms=UTC_MS)
    assert [alarm.level for alarm in book.alarms(Now(0, 66_000))] == [1]
    assert [alarm.level for alarm in book.alarms(Now(0, 96_000))] == [2]
    assert book.find(cease.hash) is not None
