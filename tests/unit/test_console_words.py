"""The console's words: the same in every language, each used, none that is banned."""

import re
from importlib.resources import files
from pathlib import Path

import pytest

from deconflict.console.words import PLURALS, words_json, words_of
from deconflict.errors import NotFoundError
from deconflict.line.delivery import DeliveryState
from deconflict.messages.kinds import Kind
from deconflict.messages.voice import SAYABLE
from deconflict.messages.words import LANGUAGES, find_banned

STATIC = Path(str(files("deconflict.console").joinpath("static")))
SCRIPTS = [path for path in STATIC.rglob("*.js") if "vendored" not in path.parts]
# Tables of names: of states, kinds and values that the node says by their code.
NAMED = {
    *(
        "ack",
        "certificate",
        "delivery",
        "held",
        "kind",
        "line_state",
        "loss",
        "medium",
        "part",
        "purpose",
    ),
    *("readback", "readout_state", "role", "said", "shape", "step", "subject", "talk_reason"),
    *("stage", "talk_state", "terms_state", "tier", "urgency", "verdict"),
    *("call_role", "paper", "record_field"),
    *("breach", "incident_word", "risk", "tally_why"),
    *("private_fate", "private_fault", "private_outcome", "private_put"),
    *("private_run", "private_state"),
    "site_consent",
}
# Made from what is looked at: t(`screen.${name}`) and its like.
MADE = (
    *("screen.", "field.", "fields.hint.", "line.", "bar.", "declared.", "card.", "record."),
    *("account.", "declare.", "sheet.drawn", "map."),
    *("known.", "compare.", "ways.", "machine.", "private.", "sites."),
)


def texts(language: str) -> dict[str, list[str]]:
    return {
        key: [text] if isinstance(text, str) else list(text.values())
        for key, text in words_of(language).items()
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_every_word_with_the_same_values(language: str) -> None:
    reference, found = texts("en"), texts(language)
    assert found.keys() == reference.keys()
    for key, forms in found.items():
        wanted = set(re.findall(r"\{(\w+)\}", " ".join(reference[key])))
        for form in forms:
            # "one alert" need not say its number
            assert set(re.findall(r"\{(\w+)\}", form)) | {"count"} == wanted | {"count"}, key


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_word_with_a_number_has_each_plural_of_its_language(language: str) -> None:
    reference = words_of("en")
    for key, text in words_of(language).items():
        assert isinstance(text, str) == isinstance(reference[key], str), key
        if not isinstance(text, str):
            assert tuple(text) == PLURALS[language], key


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_word_of_the_console_is_banned(language: str) -> None:
    fixed = words_of(language)["watch.permission"]
    for key, forms in texts(language).items():
        for form in forms:
            assert form == fixed or find_banned(form) == (), key


def test_every_word_that_a_script_asks_for_is_there_and_every_word_is_asked_for() -> None:
    script = "\n".join(path.read_text() for path in SCRIPTS)
    asked = set(re.findall(r"\b(?:t|refused)\(\s*\"([a-z_.]+)\"", script))
    asked |= {
        key
        for pair in re.findall(r"\? \"([a-z_]+\.[a-z_]+)\" : \"([a-z_]+\.[a-z_]+)\"", script)
        for key in pair
    }
    known = words_of("en").keys()
    assert asked <= known, asked - known
    named = set(re.findall(r"(?:named|choices)\(\"([a-z_]+)\"", script))
    assert named == NAMED
    unused = {
        key
        for key in known - asked
        if key.partition(".")[0] not in NAMED and not key.startswith(MADE)
    }
    assert unused == set()


def test_every_kind_of_message_and_every_state_of_delivery_has_its_name() -> None:
    for table, codes in (("kind", Kind), ("delivery", DeliveryState)):
        missing = [code.value for code in codes if f"{table}.{code.value}" not in words_of("en")]
        assert missing == []


def test_the_page_offers_the_languages_of_the_node() -> None:
    offered = re.findall(r"const LANGUAGES = \[(.*)\];", (STATIC / "shell/main.js").read_text())
    assert offered == [", ".join(f'"{language}"' for language in LANGUAGES)]


def test_a_language_that_is_not_there_is_refused_by_name() -> None:
    with pytest.raises(NotFoundError, match="not written in this language"):
        words_of("../en")
    assert words_json("en") == words_json("en")


def test_what_the_page_offers_to_say_aloud_is_what_can_be_said() -> None:
    script = (STATIC / "thread/aloud.js").read_text()
    offered = re.search(r"const SAYABLE = new Set\(\[(.*?)\]\)", script, re.DOTALL)
    assert offered is not None
    assert set(re.findall(r'"([A-Z_]+)"', offered[1])) == {kind.value for kind in SAYABLE}
