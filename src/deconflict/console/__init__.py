"""The web console: one page, its modules and what it carries of others, nothing from elsewhere.

It shows what the API says and sends what a person at a desk presses; it decides nothing. Whatever a
peer wrote is put on the screen as text, never as markup.
"""

from deconflict.console.assets import add_console

__all__ = ["add_console"]
