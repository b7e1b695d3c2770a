"""Between the command ``advise`` and the search: asks, lets the node look again, and tells."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from deconflict.advise import (
    Advice,
    Change,
    ChangeKind,
    Nearest,
    Plan,
    SearchLimits,
    nearest_left,
    plan,
)
from deconflict.advise import advise as find_advice
from deconflict.airspace import geometry_to_wire
from deconflict.cli.advice_words import advice_view, plan_view, show_advice, show_plan
from deconflict.cli.output import feet, metres, span
from deconflict.cli.situation import Situation
from deconflict.errors import InvalidInputError
from deconflict.formats import DeclarationInput, write_declarations
from deconflict.separation import Extent, Finding, check
from deconflict.units import metres_from_tmm

if TYPE_CHECKING:
    from deconflict.cli.client import NodeClient

__all__ = ["Asked", "Told"]

_AT_ONCE: Final = 200  # drafts in one request


@dataclass(frozen=True, slots=True)
class Told:
    """What came out.

    Attributes:
        changed: declarations as they would be then: the first option of each, or the plan.
        left: something stays in conflict.
        view: for programs.
        show: prints it for people.
        changes: of a plan, how each of ``changed`` is changed, in the same order.
    """

    changed: tuple[Extent, ...]
    left: bool
    view: Mapping[str, Any]
    show: Callable[[], None]
    changes: tuple[Change, ...] = ()


class Asked:
    """One question to the search.

    Args:
        situation: what may change and what stays.
        limits: how far to look.
        order: the kinds that are looked for.
        node: looks at every change again, as it would at a draft; None without a node.
        as_written: passed to it.
    """

    def __init__(
        self,
        situation: Situation,
        limits: SearchLimits,
        order: Sequence[ChangeKind],
        *,
        node: "NodeClient | None" = None,
        as_written: bool = False,
    ) -> None:
        self.situation = situation
        self._limits = replace(limits, not_before_ms=situation.now_ms)
        self._order = tuple(order)
        self._node = node
        self._as_written = as_written
        self._movable = [one.extent for one in situation.movable]
        self._others = [one.extent for one in situation.others]
        self._known = situation.named()

    def each_alone(self) -> Told:
        """Return advice for each declaration in conflict, all else as planned."""
        advice = find_advice(
            self._movable,
            others=self._others,
            minima=self.situation.minima,
            conversions=self.situation.conversions,
            limits=self._limits,
        )
        advice = self._seen_by_node(advice)
        pairs = {frozenset((one.key, other)) for one in advice for other in one.conflicts}
        planned = self._as_planned()
        findings = [f for f in planned if frozenset((f.first, f.second)) in pairs]
        left = self._left(
            [self._changed(one.key, option.geometry) for one in advice for option in one.options],
            self._movable,
            planned,
        )
        words = self._limit_words()
        return Told(
            changed=tuple(
                self._changed(one.key, one.options[0].geometry) for one in advice if one.options
            ),
            left=any(not one.options for one in advice),
            view={
                "advice": advice_view(advice, self._known, left),
                "limits": words,
                "warnings": list(self.situation.warnings),
            },
            show=partial(
                show_advice,
                advice,
                findings,
                self._known,
                left=left,
                looked_at=len(self._movable),
                warnings=self.situation.warnings,
                limits=words,
            ),
        )

    def together(self) -> Told:
        """Return a plan that frees as many as possible together."""
        made = plan(
            self._movable,
            others=self._others,
            minima=self.situation.minima,
            conversions=self.situation.conversions,
            limits=self._limits,
            order=self._order,
        )
        changed = tuple(extent for extent in made.extents if extent.key in made.changes)
        refused = [changed[place].key for place in self._refused_by_node(changed)]
        warnings = [
            *self.situation.warnings,
            *(
                f"The node itself finds a conflict of {self._known[key].name} then."
                for key in refused
            ),
        ]
        words = self._limit_words()
        planned = self._as_planned()
        near = self._left(changed, made.extents, planned)
        left = {extent.key: each for extent, each in zip(changed, near, strict=True)}
        return Told(
            changed=changed,
            left=bool(made.not_freed or refused),
            view={
                "plan": plan_view(made, self._known, left),
                "limits": words,
                "warnings": warnings,
            },
            show=partial(
                show_plan,
                made,
                self._before(made, planned),
                self._known,
                left=left,
                warnings=warnings,
                limits=words,
            ),
            changes=tuple(made.changes[extent.key] for extent in changed),
        )

    def as_geojson(self, changed: Sequence[Extent]) -> bytes:
        """Return changed declarations as a file that ``declare`` reads, with their ids."""
        return write_declarations(
            DeclarationInput(
                self._known[extent.key].purpose,
                extent.geometry,
                self._known[extent.key].label,
                self._known[extent.key].declaration_id,
                feature_id=self._known[extent.key].feature_id,
                # A node's own drafts are to be declared, and a declaration names no party.
                party=self._known[extent.key].party if self._node is None else None,
            )
            for extent in changed
        )

    def _as_planned(self) -> tuple[Finding, ...]:
        """Return what all movable find, of one another and of the others, each pair once."""
        place = {key: k for k, key in enumerate(self._known)}
        found = check(
            self._movable,
            others=[*self._movable, *self._others],
            minima=self.situation.minima,
            conversions=self.situation.conversions,
        )
        return tuple(f for f in found if place[f.first] < place[f.second])

    def _left(
        self, changed: Sequence[Extent], movable: Sequence[Extent], planned: Sequence[Finding]
    ) -> list[Nearest | None]:
        """Return how near each of the changed then comes to anything but what is let be."""
        known = self._known
        return nearest_left(
            changed,
            [*movable, *self._others],
            minima=self.situation.minima,
            conversions=self.situation.conversions,
            let_be={
                frozenset((f.first, f.second))
                for f in planned
                if known[f.first].extent.party == known[f.second].extent.party
            },
        )

    def _before(self, made: Plan, planned: Sequence[Finding]) -> list[Finding]:
        """Return the findings as planned that the plan is about, not those that are let be."""
        known = self._known
        return [
            f
            for f in planned
            if known[f.first].extent.party != known[f.second].extent.party
            or {f.first, f.second} & set(made.not_freed)
        ]

    def _seen_by_node(self, advice: Sequence[Advice]) -> tuple[Advice, ...]:
        """Return the advice with only those options in which the node finds no conflict either."""
        options = [(one.key, option.geometry) for one in advice for option in one.options]
        refused = set(self._refused_by_node([self._changed(*each) for each in options]))
        seen, place = [], 0
        for one in advice:
            kept = tuple(option for k, option in enumerate(one.options, place) if k not in refused)
            place += len(one.options)
            seen.append(replace(one, options=kept))
        return tuple(seen)

    def _refused_by_node(self, changed: Sequence[Extent]) -> list[int]:
        """Return the places of those that the node would not take, or finds in conflict."""
        if self._node is None:
            return []
        drafts = [self._draft(extent, place) for place, extent in enumerate(changed)]
        refused: list[int] = []
        for start in range(0, len(drafts), _AT_ONCE):
            some = drafts[start : start + _AT_ONCE]
            try:
                refused += self._conflicting(some)
            except InvalidInputError:
                for draft in some:
                    try:
                        refused += self._conflicting([draft])
                    except InvalidInputError:
                        refused.append(int(draft["declaration_id"], 16))
        return sorted(set(refused))

    def _conflicting(self, drafts: Sequence[Mapping[str, Any]]) -> list[int]:
        if self._node is None:
            return []
        body = {"declarations": list(drafts), "as_written": self._as_written}
        found = self._node.post("check", body=body)["conflicts"]
        asked = {draft["declaration_id"] for draft in drafts}
        return [
            int(one[side], 16)
            for one in found
            for side in ("first_declaration", "second_declaration")
            if one[side] in asked
        ]

    def _draft(self, extent: Extent, place: int) -> dict[str, Any]:
        named = self._known[extent.key]
        return {
            # Several options of one declaration are asked for at once, so each has its own id.
            "declaration_id": f"{place:032x}",
            "purpose": named.purpose,
            "geometry": geometry_to_wire(extent.geometry),
            "label": named.label,
        }

    def _changed(self, key: str, geometry: Any) -> Extent:
        return replace(self._known[key].extent, geometry=geometry)

    def _limit_words(self) -> str:
        limits = self._limits
        said = {
            ChangeKind.SHIFT: f"±{span(limits.later_ms / 1000)}",
            ChangeKind.LEVEL: f"±{feet(metres_from_tmm(limits.up_tmm))}",
            ChangeKind.OFFSET: f"±{metres(limits.right_mm / 1000)}",
        }
        return ", ".join(f"{kind.value.lower()} {said[kind]}" for kind in self._order)
