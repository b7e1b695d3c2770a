"""The loss report: what of a document was not taken over, gathered while it is read."""

from collections import Counter
from typing import Final

from deconflict.formats.pasted.draft import Loss, LossKind

__all__ = ["MAX_LOSSES", "LossReport", "quoted"]

MAX_LOSSES: Final = 200
_NAMED: Final = 5


def quoted(text: object) -> str:
    """Return what stood in a document as a report shows it: one short line, whatever it holds."""
    return f"{str(text)!r:.60}"


class LossReport:
    """Gathers losses; what is without a place is counted by its name, and told once."""

    def __init__(self) -> None:
        self._told: list[Loss] = []
        self._more: Counter[LossKind] = Counter()
        self._aside: dict[str, list[str]] = {}

    def left_out(self, where: str, text: str) -> None:
        """Tell that something with a place is not in any draft."""
        self._tell(LossKind.LEFT_OUT, where, text)

    def changed(self, where: str, text: str) -> None:
        """Tell that a shape or a value was taken over as another, or read one way of several."""
        self._tell(LossKind.CHANGED, where, text)

    def set_aside(self, name: str, where: str) -> None:
        """Count one thing of this name that was not taken over."""
        self._aside.setdefault(name, []).append(where)

    def found(self) -> tuple[Loss, ...]:
        """Return all that was told, what matters most first."""
        aside = []
        for name, places in list(self._aside.items())[:MAX_LOSSES]:
            shown = ", ".join(dict.fromkeys(places[:_NAMED]))
            more = f" and {len(places) - _NAMED} more" if len(places) > _NAMED else ""
            aside.append(Loss(LossKind.SET_ASIDE, shown + more, f"{name}: not taken over"))
        if len(self._aside) > MAX_LOSSES:
            left = len(self._aside) - MAX_LOSSES
            aside.append(Loss(LossKind.SET_ASIDE, "", f"{left} more kinds of things"))
        more_told = [
            Loss(kind, "", f"and {number} more of this kind") for kind, number in self._more.items()
        ]
        order = list(LossKind)
        return tuple(
            sorted((*self._told, *more_told, *aside), key=lambda loss: order.index(loss.kind))
        )

    def _tell(self, kind: LossKind, where: str, text: str) -> None:
        if sum(loss.kind is kind for loss in self._told) < MAX_LOSSES:
            self._told.append(Loss(kind, where, text))
        else:
            self._more[kind] += 1
