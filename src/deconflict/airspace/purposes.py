"""What part of the sky may be declared for (R11); there is no other."""

from typing import Final

__all__ = ["PURPOSES"]

PURPOSES: Final = ("FLIGHT", "ACTIVITY", "HAZARD", "OWN_PRESENCE", "PROTECTED_SITE")
