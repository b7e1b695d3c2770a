"""The web console: one page, its modules and what it carries of others, nothing from elsewhere.

It shows what the API says and sends what a person at a desk presses; it decides nothing. Whatever a
peer wrote is put on the screen as text, never as markup.
"""

from deconflict.console.assets import Assets, add_console
from deconflict.console.words import LANGUAGES, words_of

__all__ = ["LANGUAGES", "Assets", "add_console", "words_of"]
