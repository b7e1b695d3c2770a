"""Where the kernel's findings and the losses of `all_pairs` contradict one another, in words."""

from collections import defaultdict
from typing import Any, Final

import numpy as np
from bench.conflicts import Conflicts, joined, ours
from numpy.typing import NDArray
from tests.oracle.all_pairs import Losses

__all__ = ["contradictions"]

Columns = dict[str, NDArray[Any]]
Spans = dict[tuple[int, int], list[tuple[float, float]]]

CONFLICT: Final = 0
CLOCK_S: Final = 5e-6  # the kernel cuts at whole microseconds and tells times in them


def contradictions(found: Columns, losses: Losses) -> list[str]:
    """Return what was missed and what is extra; empty exactly when the two agree.

    Missed: a sure loss that no reported stretch covers. Extra: a pair reported though no loss is
    possible, a certain verdict about one, or a reported stretch that leaves what is allowed.
    """
    reported = ours(found)
    everything = joined(reported.i, reported.j, reported.t_in_s, reported.t_out_s)
    said, allowed = _spans(everything), _spans(losses.allowed)
    sure, possible = losses.sure.pairs(), losses.possible.pairs()
    wrong = [
        f"missed: {pair} {_words(span)}, said {said.get(pair, 'nothing')}"
        for pair, spans in _spans(losses.sure).items()
        for span in spans
        if not _covered(span, said.get(pair, []))
    ]
    for pair, verdict in zip(_pairs(reported), found["verdict"].tolist(), strict=True):
        if pair not in possible:
            wrong.append(f"extra: {pair} with verdict {verdict}, and no loss is possible")
        elif verdict != CONFLICT and pair in sure:
            wrong.append(f"unsure: {pair} with verdict {verdict}, and the loss is sure")
    wrong += [
        f"extra: {pair} {_words(span)}, allowed {allowed[pair]}"
        for pair, spans in said.items()
        for span in spans
        if pair in possible and not _covered(span, allowed[pair])
    ]
    return wrong


def _pairs(conflicts: Conflicts) -> list[tuple[int, int]]:
    return list(zip(conflicts.i.tolist(), conflicts.j.tolist(), strict=True))


def _spans(conflicts: Conflicts) -> Spans:
    spans: Spans = defaultdict(list)
    times = np.column_stack((conflicts.t_in_s, conflicts.t_out_s)).tolist()
    for pair, (begin, end) in zip(_pairs(conflicts), times, strict=True):
        spans[pair].append((begin, end))
    return spans


def _covered(span: tuple[float, float], by: list[tuple[float, float]]) -> bool:
    return any(begin <= span[0] + CLOCK_S and span[1] - CLOCK_S <= end for begin, end in by)


def _words(span: tuple[float, float]) -> str:
    return f"{span[0]:.6f} to {span[1]:.6f} s"
