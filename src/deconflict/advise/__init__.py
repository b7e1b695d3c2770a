"""What change would end a conflict: for one's own planner, computed at home, sent to nobody.

Shifts of departure, changes of level, offsets to the side, and two of them together. What is
forbidden comes from closed forms in the kernel with every bound added; what is offered was built as
it would be declared and screened against everything (``docs/reference/advice.md``). It states what
would conflict with nothing that is declared; what is flown, its planner decides.
"""

from deconflict.advise.advice import Advice, Option, advise
from deconflict.advise.change import Change, changed
from deconflict.advise.limits import ChangeKind, SearchLimits
from deconflict.advise.nearest import Nearest, nearest_left
from deconflict.advise.plan import Plan, plan

__all__ = [
    "Advice",
    "Change",
    "ChangeKind",
    "Nearest",
    "Option",
    "Plan",
    "SearchLimits",
    "advise",
    "changed",
    "nearest_left",
    "plan",
]
