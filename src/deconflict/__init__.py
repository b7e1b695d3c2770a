"""deconflict: a line between parties who share a sky and do not trust one another."""

__version__ = "0.1.0"
