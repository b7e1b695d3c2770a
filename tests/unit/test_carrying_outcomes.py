"""What became of a packet of a parcel has a word for every outcome that the line knows."""

from deconflict.cli.take import _OUTCOMES as SAID
from deconflict.line.incoming import Outcome
from deconflict.node.carrying import _OUTCOMES


def test_every_outcome_of_the_line_has_a_word_and_every_word_a_sentence() -> None:
    assert set(_OUTCOMES) == set(Outcome)
    assert set(_OUTCOMES.values()) == set(SAID)
