"""Words that commands keep a copy of, so that --help is quick, are those of the messages."""

from collections.abc import Sequence
from enum import StrEnum

import pytest

from deconflict.cli.call_words import LANGUAGES, MEDIA, REASONS, ROLES, SUBJECTS, TIERS
from deconflict.cli.handover import _PARTS
from deconflict.cli.incident import RISKS
from deconflict.cli.incident_say import BREACHES, INCIDENTS
from deconflict.cli.incident_tally import WHY
from deconflict.cli.options import RELEASES, typed_word
from deconflict.cli.sending import ASKING
from deconflict.messages.incident_bodies import BreachWord, IncidentWord, RiskWord
from deconflict.messages.kinds import Kind, Release
from deconflict.messages.talks import CallLanguage, CallRole, Medium, Subject, TalkReason, Tier
from deconflict.node.handover import Part
from deconflict.node.tally import Why


@pytest.mark.parametrize(
    ("typed", "agreed"),
    [
        (TIERS, Tier),
        (MEDIA, Medium),
        (SUBJECTS, Subject),
        (REASONS, TalkReason),
        (ROLES, CallRole),
        (RELEASES, Release),
        (INCIDENTS, IncidentWord),
    ],
    ids=lambda one: getattr(one, "__name__", ""),
)
def test_every_agreed_word_can_be_typed_and_no_other(
    typed: Sequence[str], agreed: type[StrEnum]
) -> None:
    assert [typed_word(word) for word in typed] == list(agreed)


def test_words_that_are_no_options_are_those_of_the_messages() -> None:
    assert list(LANGUAGES) == list(CallLanguage)
    assert list(RISKS.values()) == list(RiskWord)
    # A breach is withdrawn by an option of its own.
    assert [*map(typed_word, BREACHES), BreachWord.WITHDRAWN] == list(BreachWord)
    assert set(WHY) == set(Why)
    assert set(ASKING) < set(Kind)


def test_no_part_of_the_sheet_of_a_watch_is_left_out() -> None:
    assert set(_PARTS) == set(Part)
    assert len(_PARTS) == len(Part)
