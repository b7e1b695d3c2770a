"""The reference pages say what the data says."""

from pathlib import Path

import pytest

from deconflict.messages.reference import pages

DOCS = Path(__file__).parents[2] / "docs" / "reference"


@pytest.mark.parametrize("name", sorted(pages()))
def test_a_page_made_from_data_is_up_to_date(name: str) -> None:
    written = (DOCS / name).read_text(encoding="utf-8")
    assert written == pages()[name], "run: python -m deconflict.messages.reference docs/reference"
