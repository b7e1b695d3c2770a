"""What a proposal would change, where its author does not say which of the two."""

import pytest

from deconflict.cli.proposing import _yours
from deconflict.errors import InvalidInputError

OURS = {"declaration_id": "0a" * 16, "own": True}
THEIRS = {"declaration_id": "0b" * 16, "own": False}


def test_it_is_ones_own_declaration_that_changes() -> None:
    assert _yours([THEIRS, OURS]) == OURS["declaration_id"]


@pytest.mark.parametrize("pair", [[OURS, OURS], [THEIRS, THEIRS]], ids=["ours", "theirs"])
def test_a_concern_about_two_declarations_of_one_side_is_asked_which(
    pair: list[dict[str, object]],
) -> None:
    with pytest.raises(InvalidInputError, match="which of the two would change"):
        _yours(pair)
