"""Where the operators' API stands on its server; every path of a route begins with it."""

from typing import Final

__all__ = ["BASE"]

BASE: Final = "/api/v1"
