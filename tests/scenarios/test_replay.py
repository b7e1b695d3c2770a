"""The scenario set through real cores: what must be raised is, what must not be is not.

Covers, on the cases: R1 R2 R3 R4 R7 R8 R10 R12 R13 R16 R20 R24 R26 R27 R29 R39 R40 R46.
"""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from deconflict.cli import main
from deconflict.errors import InvalidDocumentError
from deconflict.replay.case import read_case, read_common
from deconflict.replay.judge import Judged, Verdict, replay
from deconflict.replay.rules import RULES

SCENARIOS = Path(__file__).resolve().parents[2] / "scenarios"
CASES = sorted(file for file in SCENARIOS.glob("*.json") if file.name != "common.json")
NEEDS_WATCH = {
    "DEZ-2016-09-17": (),
    "IL20-2018-09-17": ("TRACK_INTO_ACTIVE_AREA",),
    "KUNDUZ-2015-10-03": (),
    "NEARMISS-2016-10-17": (
        "ALT_BLOCK_DEVIATION",
        "LOSS_OF_SEPARATION_PREDICTED",
        "LOSS_OF_SEPARATION",
    ),
    "PS752-2020-01-08": ("DECLARED_FLIGHT_CANDIDATE", "SENSOR_BIAS_SUSPECTED"),
    "QUEBEC1-2025-01-09": ("UNDECLARED_TRACK", "LOSS_OF_SEPARATION_PREDICTED"),
    "SHAYRAT-2017-04-07": (),
    "SU24-2015-11-24": ("ZONE_INCURSION_PREDICTED", "UNKNOWN_TRACK_QUERY", "ZONE_INCURSION"),
}


def played(file: Path, runs: int = 1) -> list[Judged]:
    common = read_common(file)
    return [row for case in read_case(file, common) for row in replay(case, common, runs=runs)]


def changed(tmp_path: Path, case: str, change: Any) -> Path:
    """Write a case with something in it changed, beside a copy of common.json."""
    document = json.loads((SCENARIOS / f"{case}.json").read_text("utf-8"))
    change(document)
    (tmp_path / "common.json").write_bytes((SCENARIOS / "common.json").read_bytes())
    file = tmp_path / f"{case}.json"
    file.write_text(json.dumps(document), "utf-8")
    return file


def verdicts(rows: list[Judged], rule: str) -> list[Verdict]:
    return [row.verdict for row in rows if row.rule == rule]


@pytest.mark.parametrize("file", CASES, ids=lambda file: file.stem)
def test_every_expectation_is_met_or_needs_the_watch(file: Path) -> None:
    rows = played(file, runs=3)
    wrong = [row for row in rows if row.verdict not in (Verdict.MET, Verdict.WATCH)]
    assert not wrong
    assert tuple(r.rule for r in rows if r.verdict is Verdict.WATCH) == NEEDS_WATCH[file.stem]


@pytest.mark.parametrize("file", CASES, ids=lambda file: file.stem)
def test_no_expectation_and_no_sentence_is_left_out(file: Path) -> None:
    common = read_common(file)
    for case in read_case(file, common):
        rows = Counter(row.rule for row in replay(case, common, runs=1))
        wanted = Counter(expected.rule for expected in case.expected)
        wanted["not expected"] += len(case.not_expected)
        assert rows == +wanted


def test_every_rule_of_the_set_has_a_meaning() -> None:
    assert set(read_common(CASES[0]).rules) == set(RULES)


def test_all_cases_are_there() -> None:
    assert [file.stem for file in CASES] == sorted(NEEDS_WATCH)


# What a case expects is missed, and said so, when the case is otherwise: the checks can fail.


def read_back(case: Any) -> None:
    del case["declarations"][0]["readback"]


def declared_right(case: Any) -> None:
    case["declarations"][0]["volume"]["center"] = case["activity"][0]["center"]


def acknowledged(case: Any) -> None:
    for minute in (25, 29, 52):
        case["messages"].append(
            {
                "t": f"2016-09-17T13:{minute}:30Z",
                "from": "COAL",
                "to": "RUS",
                "type": "ACK",
                "ref": "A1",
            }
        )


def too_early(case: Any) -> None:
    case["expected"][3]["by"] = "2016-09-17T13:26:59Z"


def other_distance(case: Any) -> None:
    case["expected"][1]["max_m"] = 8_950


def declared_earlier(case: Any) -> None:
    case["declarations"][0]["sent"] = case["messages"][0]["t"] = "2018-09-17T18:20:00Z"


def party_joins(case: Any) -> None:
    case["parties"][2]["connected"] = True


def accounts_agree(case: Any) -> None:
    case["accounts"][1]["fields"] = case["accounts"][0]["fields"]


def unit_loads(case: Any) -> None:
    case["protected_sites"][0]["loaded_by_executing_unit"] = True


def other_place(case: Any) -> None:
    case["activity"][0]["center"] = {"lat": 36.8, "lon": 68.862211}


def delivered(case: Any) -> None:
    case["messages"][0]["delivered"] = True


def never_suspended(case: Any) -> None:
    case["messages"] = case["messages"][:1]
    case["not_expected"] = []


def times_agree(case: Any) -> None:
    for account in case["accounts"]:
        account["fields"]["time"] = "2017-04-07T00:40:30Z"


def faster(case: Any) -> None:
    case["accounts"][0]["fields"]["inside_s"] = 8


def nobody_asked(case: Any) -> None:
    del case["expected"][1]


@pytest.mark.parametrize(
    ("case", "change", "rule"),
    [
        ("DEZ-2016-09-17", read_back, "READBACK_MISSING"),
        ("DEZ-2016-09-17", declared_right, "AREA_MISMATCH"),
        ("DEZ-2016-09-17", other_distance, "AREA_MISMATCH"),
        ("DEZ-2016-09-17", acknowledged, "CEASE_UNACKED_ESCALATE"),
        ("DEZ-2016-09-17", too_early, "CEASE_UNACKED_ESCALATE"),
        ("IL20-2018-09-17", declared_earlier, "LEAD_TIME_SHORT"),
        ("IL20-2018-09-17", party_joins, "THIRD_PARTY_NOT_REACHED"),
        ("IL20-2018-09-17", accounts_agree, "ACCOUNT_DISPUTED"),
        ("KUNDUZ-2015-10-03", other_place, "PROTECTED_SITE_PROXIMITY"),
        ("PS752-2020-01-08", delivered, "MESSAGE_UNDELIVERED"),
        ("SHAYRAT-2017-04-07", never_suspended, "LINE_SUSPENDED"),
        ("SHAYRAT-2017-04-07", times_agree, "TIME_INCONSISTENT"),
        ("SU24-2015-11-24", faster, "VALUE_IMPLAUSIBLE"),
        ("SU24-2015-11-24", nobody_asked, "QUERY_TIMEOUT"),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_a_case_that_went_otherwise_is_missed(
    tmp_path: Path, case: str, change: Any, rule: str
) -> None:
    assert verdicts(played(changed(tmp_path, case, change)), rule) == [Verdict.MISSED]


def same_levels(case: Any) -> None:
    case["declarations"][1]["volume"] |= {"floor_ft": 26_000, "ceiling_ft": 27_000}


def short_notice(case: Any) -> None:
    case["declarations"][0]["sent"] = "2017-04-07T00:20:00Z"
    case["messages"][0]["t"] = "2017-04-07T00:21:00Z"


def presence(case: Any) -> None:
    case["declarations"].append(
        {**case["declarations"][0], "id": "D2", "from": "FAA", "to": "FIRE", "purpose": "HAZARD"}
    )


def line_fails_while_asked(case: Any) -> None:
    case["links"] = [{"between": ["COAL", "RUS"], "down_from": "2016-09-17T13:20:00Z"}]
    case["messages"].pop()


def ceased_tells_when_it_ended(case: Any) -> None:
    ended = {"t": "2015-10-02T22:08:00Z", "from": "US", "to": "MSF", "type": "CEASED"}
    case["messages"].append({**ended, "ref": "PS1"})


def line_fails_while_suspended(case: Any) -> None:
    case["links"] = [{"between": ["US", "RUS"], "down_from": "2017-04-07T21:30:00Z"}]
    case["links"][0]["down_until"] = "2017-04-07T23:00:00Z"


@pytest.mark.parametrize(
    ("case", "change", "rule"),
    [
        ("DEZ-2016-09-17", line_fails_while_asked, "not expected"),
        ("KUNDUZ-2015-10-03", ceased_tells_when_it_ended, "not expected"),
        ("SHAYRAT-2017-04-07", line_fails_while_suspended, "not expected"),
        ("NEARMISS-2016-10-17", same_levels, "DECLARATIONS_SEPARATED"),
        ("SHAYRAT-2017-04-07", short_notice, "NO_ALERT"),
        ("QUEBEC1-2025-01-09", presence, "NO_ALERT"),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_what_must_stay_silent_is_forbidden_when_it_is_not(
    tmp_path: Path, case: str, change: Any, rule: str
) -> None:
    assert verdicts(played(changed(tmp_path, case, change)), rule) == [Verdict.FORBIDDEN]


def test_conflict_is_the_same_alert_in_every_run(tmp_path: Path) -> None:
    rows = played(changed(tmp_path, "NEARMISS-2016-10-17", same_levels), runs=4)
    wrong = [row for row in rows if row.verdict not in (Verdict.MET, Verdict.WATCH)]
    assert [(row.rule, row.verdict) for row in wrong] == [
        ("DECLARATIONS_SEPARATED", Verdict.FORBIDDEN)
    ]


# Rules and items of the format that no case of the set uses.


def test_site_that_the_unit_loaded_raises_nothing_for_long(tmp_path: Path) -> None:
    def change(case: Any) -> None:
        unit_loads(case)
        case["expected"] = [{"rule": "NO_ALERT", "subject": "PS1"}]
        case["activity"] = case["messages"] = case["accounts"] = case["not_expected"] = []
        case["tracks"] = [{"id": "T", "party": "US", "points": [point("2015-10-02T21:38:00Z")]}]

    # It stands unloaded from its arrival to the LOADED, and that was said.
    (row,) = played(changed(tmp_path, "KUNDUZ-2015-10-03", change))
    assert (row.verdict, row.note) == (Verdict.FORBIDDEN, "SITE_NOT_LOADED was raised")


def point(t: str) -> dict[str, Any]:
    return {"t": t, "lat": 36.7, "lon": 68.8, "alt_ft": 0}


def test_line_that_is_down_is_shown_at_both_ends(tmp_path: Path) -> None:
    def change(case: Any) -> None:
        case["links"] = [
            {
                "between": ["COAL", "RUS"],
                "down_from": "2016-10-17T20:00:00Z",
                "down_until": "2016-10-17T20:30:00Z",
            }
        ]
        case["expected"] = [
            {"rule": "LINE_DOWN", "between": ["COAL", "RUS"], "by": "2016-10-17T20:00:05Z"}
        ]

    rows = played(changed(tmp_path, "NEARMISS-2016-10-17", change), runs=2)
    assert [row.verdict for row in rows] == [Verdict.MET]


def test_declaration_without_purpose_is_refused_at_entry(tmp_path: Path) -> None:
    def change(case: Any) -> None:
        case["declarations"][0]["purpose"] = None
        case["expected"] = [{"rule": "PURPOSE_MISSING", "by_event": "entry", "subject": "D1"}]
        case["messages"] = []

    rows = played(changed(tmp_path, "NEARMISS-2016-10-17", change))
    assert [row.verdict for row in rows] == [Verdict.MET]


def test_activity_in_the_others_own_presence_is_told_at_home_alone(tmp_path: Path) -> None:
    def change(case: Any) -> None:
        case["declarations"].append(
            {
                **case["declarations"][0],
                "id": "D2",
                "from": "RUS",
                "to": "COAL",
                "purpose": "OWN_PRESENCE",
            }
        )
        case["activity"][0]["center"] = case["declarations"][0]["volume"]["center"]
        case["expected"] = [
            {
                "rule": "PRESENCE_OVERLAP",
                "subject": "A1",
                "object": "D2",
                "by": "2016-09-17T12:55:10Z",
                "checked": "locally by the acting party",
            }
        ]

    rows = played(changed(tmp_path, "DEZ-2016-09-17", change), runs=2)
    assert [(row.verdict, row.raised_by) for row in rows if row.rule == "PRESENCE_OVERLAP"] == [
        (Verdict.MET, "COAL")
    ]


def test_declaration_that_did_not_arrive_is_shown_as_not_delivered(tmp_path: Path) -> None:
    def change(case: Any) -> None:
        case["declarations"][0]["delivered_to"] = []
        case["expected"] = [
            {
                "rule": "MESSAGE_UNDELIVERED",
                "from": "COAL",
                "subject": "D1",
                "by": "2016-09-17T09:00:05Z",
            }
        ]

    rows = played(changed(tmp_path, "DEZ-2016-09-17", change))
    assert verdicts(rows, "MESSAGE_UNDELIVERED") == [Verdict.MET]


def test_cover_that_departs_while_a_request_is_open_is_told_to_its_own_party(
    tmp_path: Path,
) -> None:
    """As at At Tanf, 2016: the second strike came when the patrol had left (R8)."""

    def change(case: Any) -> None:
        at = {**case["declarations"][0]["volume"], "center": case["activity"][0]["center"]}
        patrol = {"id": "D2", "from": "RUS", "to": "COAL", "purpose": "FLIGHT", "volume": at}
        case["declarations"].append(patrol)
        leaves = {"t": "2016-09-17T13:40:00Z", "from": "RUS", "to": "RUS", "ref": "D2"}
        case["messages"].append({**leaves, "type": "PATROL_LEAVES", "basis": "assumption"})
        told = {"subject": "A1", "object": "D2", "by": "2016-09-17T13:40:10Z"}
        case["expected"] = [{"rule": "CEASE_OPEN_AND_COVER_LEAVING", "from": "RUS", **told}]

    rows = played(changed(tmp_path, "DEZ-2016-09-17", change))
    assert verdicts(rows, "CEASE_OPEN_AND_COVER_LEAVING") == [Verdict.MET]


def test_what_no_node_raises_yet_is_missed_and_not_passed_over(tmp_path: Path) -> None:
    def change(case: Any) -> None:
        case["expected"] = [{"rule": "TALLY", "subject": "pass"}]

    (row,) = played(changed(tmp_path, "NEARMISS-2016-10-17", change))
    assert row.verdict is Verdict.MISSED


# A case that cannot be understood is refused, never half played.


def unknown_rule(case: Any) -> None:
    case["expected"][0]["rule"] = "ALL_WELL"


def unknown_sentence(case: Any) -> None:
    case["not_expected"].append("anything at all")


def unknown_key(case: Any) -> None:
    case["expected"][0]["whenever"] = True


def unknown_party(case: Any) -> None:
    case["declarations"][0]["from"] = "NOBODY"


def unknown_message(case: Any) -> None:
    case["messages"][0]["type"] = "SMALL_TALK"


def answer_to_nothing(case: Any) -> None:
    case["messages"][0]["type"] = "CEASED"


def cease_of_nothing(case: Any) -> None:
    case["messages"][0]["ref"] = "A9"


def swapped_place(case: Any) -> None:
    case["declarations"][0]["volume"]["center"] = {"lat": 140.1, "lon": 35.2}


def local_time(case: Any) -> None:
    case["messages"][0]["t"] = "2016-09-17T13:25:00+03:00"


def missing_part(case: Any) -> None:
    del case["declarations"]


def figure_of_a_track(case: Any) -> None:
    case["expected"][1]["duration_s"] = 17


@pytest.mark.parametrize(
    "change",
    [
        unknown_rule,
        unknown_sentence,
        unknown_key,
        unknown_party,
        unknown_message,
        answer_to_nothing,
        cease_of_nothing,
        swapped_place,
        local_time,
        missing_part,
        figure_of_a_track,
    ],
    ids=lambda change: change.__name__,
)
def test_malformed_case_is_refused_with_exit_code_2(tmp_path: Path, change: Any) -> None:
    file = changed(tmp_path, "DEZ-2016-09-17", change)
    result = CliRunner().invoke(main, ["replay", str(file)])
    assert result.exit_code == 2, result.output
    assert "error:" in result.output


def test_case_without_its_set_is_refused(tmp_path: Path) -> None:
    file = changed(tmp_path, "DEZ-2016-09-17", read_back)
    (tmp_path / "common.json").unlink()
    with pytest.raises(InvalidDocumentError, match=r"common\.json"):
        played(file)


def test_command_prints_every_row_and_counts_them() -> None:
    result = CliRunner().invoke(main, ["replay", str(SCENARIOS), "--json"])
    assert result.exit_code == 0, result.output
    answer = json.loads(result.output)
    needs = sum(len(rules) for rules in NEEDS_WATCH.values())
    assert answer["counts"] == {"met": 25, "MISSED": 0, "FORBIDDEN": 0, "needs watch": needs}
    assert len(answer["rows"]) == 25 + needs


def test_command_ends_with_1_when_something_is_missed(tmp_path: Path) -> None:
    file = changed(tmp_path, "DEZ-2016-09-17", read_back)
    result = CliRunner().invoke(main, ["replay", str(file), "--runs", "1"])
    assert result.exit_code == 1
    assert "MISSED" in result.output
