"""Sheets to print over the API: in which form, of what, and what is said where no PDF is made."""

import pytest
from api_parts import Client
from stand_in import PEER, StandInNode

from deconflict.api.routes import sheets
from deconflict.node.call_views import CallView, ReadoutView
from deconflict.paper import press

BASE = "/api/v1"
CALL = "ab" * 32


@pytest.fixture
def told(node: StandInNode, monkeypatch: pytest.MonkeyPatch) -> CallView:
    own = ReadoutView("OWN", PEER, "12" * 32, "34" * 32, {"en": ("<b>We listened.</b>",)})
    both = ReadoutView("AGREED", None, None, "56" * 32, {"en": ("Both sides spoke.",)})
    call = CallView(CALL, node.lines()[0].line_id, PEER, (), (), (own, both), drill=True)
    monkeypatch.setattr(node, "call_log", lambda _line=None: (call,))
    return call


def test_a_readout_comes_as_values_the_one_that_both_signed_first(
    releasing: Client, told: CallView
) -> None:
    answer = releasing.get(f"{BASE}/sheets/readout?call={told.call_id}").json()
    assert answer["pdf"] is press.can_press()
    assert "Both sides spoke." in str(answer["sheet"])
    assert "DRILL" in answer["sheet"]["mark"]
    named = releasing.get(f"{BASE}/sheets/readout?call={told.call_id}&message={'12' * 32}").json()
    assert "<b>We listened.</b>" in str(named["sheet"])


def test_what_is_not_there_is_told(releasing: Client, told: CallView) -> None:
    assert releasing.get(f"{BASE}/sheets/readout?call={'cd' * 32}").status_code == 404
    other = f"{BASE}/sheets/readout?call={told.call_id}&message={'99' * 32}"
    assert releasing.get(other).status_code == 404
    assert releasing.get(f"{BASE}/sheets/fallback?line=nobody").status_code == 404
    assert releasing.get(f"{BASE}/sheets/handover?as=docx").status_code == 400


@pytest.mark.parametrize(
    ("path", "says"),
    [("handover", "Hands over"), (f"fallback&line={PEER}", "by hand")],
)
def test_the_handover_sheet_and_the_card_come_as_values(
    releasing: Client, path: str, says: str
) -> None:
    name, _, query = path.partition("&")
    answer = releasing.get(f"{BASE}/sheets/{name}?{query}").json()
    assert says in str(answer["sheet"])


def test_a_pdf_is_a_file_with_the_name_of_its_sheet(
    releasing: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def made(_press: press.Press, sheet: object) -> bytes:
        return b"%PDF-1.7"

    monkeypatch.setattr(press.Press, "pdf", made)
    answer = releasing.get(f"{BASE}/sheets/fallback?line={PEER}&as=pdf")
    assert answer.content == b"%PDF-1.7"
    assert answer.headers["content-type"] == "application/pdf"
    assert f'filename="fallback-{PEER}.pdf"' in answer.headers["content-disposition"]


def test_without_the_typesetter_the_answer_says_so_and_what_to_do(
    releasing: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(press, "find_spec", lambda _name: None)
    monkeypatch.setattr(sheets, "can_press", press.can_press)
    assert releasing.get(f"{BASE}/sheets/handover").json()["pdf"] is False
    answer = releasing.get(f"{BASE}/sheets/handover?as=pdf")
    assert answer.status_code == 501
    assert answer.json()["error"]["type"] == "MissingExtraError"
    assert "print the page" in answer.json()["error"]["remedy"]
