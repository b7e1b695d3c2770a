"""Three node cores for tests: blue has a line with red and one with green, those two have none."""

from typing import Any

from deconflict.messages.agreement import sign_terms
from deconflict.messages.bodies import Body, Declared, TermsMessage
from deconflict.messages.declaration import Declaration
from deconflict.messages.kinds import Kind
from deconflict.messages.terms import PartyTerms, Terms
from deconflict.messages.terms_defaults import default_terms
from deconflict.node.core import Say
from deconflict.node.picture import Conflict
from deconflict.node.views import AlertView
from deconflict.replay.world import DESKS, World
from node_pair import START_MS


class Three:
    """Blue has a line with red and one with green; red and green have none."""

    def __init__(self, **terms: Any) -> None:
        """``terms`` are those of the line with green, where they are not the usual ones."""
        self.world = World(START_MS)
        for party in ("blue", "red", "green"):
            self.world.add_party(party)
        for peer, own_terms in (("red", {}), ("green", terms)):
            self.agree(peer, self.world.connect("blue", peer), own_terms)

    def agree(self, peer: str, line_id: str, own_terms: dict[str, Any]) -> None:
        parties = [PartyTerms(party, *DESKS, ("en",), 1) for party in ("blue", peer)]
        terms = default_terms(line=line_id, parties=parties, theatre="Coast", **own_terms)
        proposed = self.world.say("blue", peer, [self._terms("blue", Kind.TERMS_PROPOSE, terms)])
        self.world.run_for(1)
        accepted = self._terms(peer, Kind.TERMS_ACCEPT, terms, proposed[0].hash)
        self.world.say(peer, "blue", [accepted])
        self.world.run_for(1)

    def _terms(self, party: str, kind: Kind, terms: Terms, ref: str | None = None) -> Say:
        key = self.world.stations[party].core.key
        body = TermsMessage(terms=terms, signature=sign_terms(terms, key))
        return Say(kind=kind, body=body, desk=DESKS[0], ref=ref)

    def say(self, party: str, peer: str, kind: Kind, body: Body, *, ref: str | None = None) -> str:
        say = Say(kind=kind, body=body, desk=DESKS[0], ref=ref)
        message = self.world.say(party, peer, [say])[0].hash
        self.world.run_for(2)
        return message

    def declare(self, party: str, peer: str, declared: Declaration) -> str:
        return self.say(party, peer, Kind.NOTIFY, Declared.of(declared))

    def conflicts(self, party: str, peer: str) -> tuple[Conflict, ...]:
        return self.world.stations[party].line(peer).book.picture.conflicts()

    def alerts(self, party: str) -> list[AlertView]:
        return [a for a in self.world.stations[party].core.alerts if a.rule == "CONFLICT"]
