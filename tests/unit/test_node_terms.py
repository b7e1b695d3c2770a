"""How two cores come to the same terms, and what a suspended scope still carries (R7)."""

import msgspec
import pytest

from deconflict.airspace.instant import format_utc
from deconflict.errors import InvalidDocumentError, LineStateError
from deconflict.messages.agreement import sign_terms, terms_hash
from deconflict.messages.bodies import (
    Resume,
    ScopeChange,
    Suspend,
    TermsMessage,
)
from deconflict.messages.kinds import Kind
from deconflict.messages.terms import Terms, ThirdParty
from deconflict.node.show import line_view
from node_pair import (
    HOUR_MS,
    LATAKIA,
    NodePair,
    cease,
    declaration,
    node_pair,
    query,
)

# ---- terms ---------------------------------------------------------------------------


def terms_message(pair: NodePair, party: str, terms: Terms) -> TermsMessage:
    return TermsMessage(terms=terms, signature=sign_terms(terms, pair.station(party).core.key))


def in_force(pair: NodePair) -> set[str | None]:
    return {pair.line(party).book.terms_hash for party in ("blue", "red")}


def test_acceptance_that_crosses_a_newer_proposal_still_agrees_what_it_cites() -> None:
    with node_pair(agreed=False) as pair:
        first = pair.terms()
        proposed = pair.say("blue", Kind.TERMS_PROPOSE, terms_message(pair, "blue", first))
        pair.run_for(1)
        # Said before anything of the other side can have arrived: the two cross on the way.
        other = pair.terms(third_parties=[ThirdParty(name="convoy", where=None)])
        pair.say("blue", Kind.TERMS_PROPOSE, terms_message(pair, "blue", other))
        pair.say("red", Kind.TERMS_ACCEPT, terms_message(pair, "red", first), ref=proposed)
        pair.run_for(1)
        assert in_force(pair) == {terms_hash(first)}
        for party in ("blue", "red"):
            pair.world.restart(party)
        assert in_force(pair) == {terms_hash(first)}


def test_terms_accepted_crosswise_are_the_same_on_both_sides_and_after_a_restart() -> None:
    with node_pair(agreed=False) as pair:
        texts = {
            "blue": pair.terms(),
            "red": pair.terms(third_parties=[ThirdParty(name="convoy", where=None)]),
        }
        proposed = {
            party: pair.say(party, Kind.TERMS_PROPOSE, terms_message(pair, party, text))
            for party, text in texts.items()
        }
        pair.run_for(1)
        for party in ("blue", "red"):
            other = pair.peer_of(party)
            body = terms_message(pair, party, texts[other])
            pair.say(party, Kind.TERMS_ACCEPT, body, ref=proposed[other])
        pair.run_for(1)
        agreed = in_force(pair)
        assert len(agreed) == 1
        assert None not in agreed
        for party in ("blue", "red"):
            pair.world.restart(party)
        assert in_force(pair) == agreed


def test_older_terms_accepted_late_do_not_replace_newer_ones() -> None:
    with node_pair(agreed=False) as pair:
        first = pair.terms()
        old = pair.say("blue", Kind.TERMS_PROPOSE, terms_message(pair, "blue", first))
        pair.run_for(1)
        pair.say("red", Kind.TERMS_ACCEPT, terms_message(pair, "red", first), ref=old)
        pair.run_for(1)
        second = pair.terms(version=2, replaces=terms_hash(first))
        new = pair.say("red", Kind.TERMS_PROPOSE, terms_message(pair, "red", second))
        pair.run_for(1)
        pair.say("blue", Kind.TERMS_ACCEPT, terms_message(pair, "blue", second), ref=new)
        pair.run_for(1)
        pair.say("red", Kind.TERMS_ACCEPT, terms_message(pair, "red", first), ref=old)
        pair.run_for(1)
        assert in_force(pair) == {terms_hash(second)}


def asked_of(pair: NodePair, party: str) -> list[str | None]:
    """About which messages a desk is asked, or told that nobody answers."""
    rules = ("TERMS_PROPOSE_RECEIVED", "NO_ANSWER")
    return [a.subject for a in pair.station(party).core.alerts if a.rule in rules]


def test_proposal_in_whose_place_a_newer_one_stands_asks_nobody_any_more() -> None:
    with node_pair(agreed=False) as pair:
        text = pair.terms()
        said = [
            pair.say("blue", Kind.TERMS_PROPOSE, terms_message(pair, "blue", text))
            for _ in range(2)
        ]
        pair.run_for(1)
        assert asked_of(pair, "red") == said[1:]
        # A counter-proposal takes its place too: now it is blue that is asked.
        other = pair.terms(third_parties=[ThirdParty(name="convoy", where=None)])
        counter = pair.say("red", Kind.TERMS_PROPOSE, terms_message(pair, "red", other))
        pair.run_for(1)
        assert (asked_of(pair, "red"), asked_of(pair, "blue")) == ([], [counter])
        pair.say("blue", Kind.TERMS_ACCEPT, terms_message(pair, "blue", other), ref=counter)
        pair.run_for(1)
        stale = pair.say("red", Kind.TERMS_PROPOSE, terms_message(pair, "red", text))
        for restarted in (False, True):
            if restarted:
                for party in ("blue", "red"):
                    pair.world.restart(party)
            pair.run_for(5 * HOUR_MS // 1_000)  # past the limit for an answer
            assert (asked_of(pair, "red"), asked_of(pair, "blue")) == ([], []), stale


# ---- suspension ----------------------------------------------------------------------


def test_scope_that_the_terms_do_not_name_cannot_be_suspended_or_resumed() -> None:
    with node_pair() as pair:
        with pytest.raises(InvalidDocumentError, match="the terms name no such scope") as told:
            pair.say("blue", Kind.SUSPEND, Suspend(scope="BOGUS", effective_utc=pair.now_utc))
        assert told.value.expected == "ALL, DECLARATIONS"
        with pytest.raises(LineStateError, match="not suspended"):
            pair.say("blue", Kind.RESUME, Resume(scope="ALL", effective_utc=pair.now_utc))


def test_suspended_line_carries_safety_and_cease_and_nothing_routine() -> None:
    with node_pair() as pair:
        pair.say("blue", Kind.SUSPEND, Suspend(scope="ALL", effective_utc=pair.now_utc))
        pair.run_for(2)
        for party in ("blue", "red"):
            assert "LINE_SUSPENDED" in pair.rules(party)
            with pytest.raises(LineStateError, match="suspended"):
                pair.say(party, Kind.QUERY, query())
            said = pair.say(party, Kind.CEASE, cease(at=LATAKIA))
            pair.run_for(1)
            assert pair.station(pair.peer_of(party)).store.entry(said) is not None


def resume(pair: NodePair, *, after_ms: int = 0) -> Resume:
    return Resume(scope="ALL", effective_utc=format_utc(pair.world.now.utc_ms + after_ms))


def suspended(pair: NodePair) -> list[set[str | None]]:
    """Who suspended the line, as blue's and as red's desk is told."""
    return [
        {a.object for a in pair.station(party).core.alerts if a.rule == "LINE_SUSPENDED"}
        for party in ("blue", "red")
    ]


def test_only_who_suspended_can_resume() -> None:
    with node_pair() as pair:
        said = pair.say("blue", Kind.SUSPEND, Suspend(scope="ALL", effective_utc=pair.now_utc))
        pair.run_for(2)
        with pytest.raises(LineStateError, match="only blue can resume it"):
            pair.say("red", Kind.RESUME, resume(pair))
        # Red suspends it too, and still cannot cite what is blue's.
        pair.say("red", Kind.SUSPEND, Suspend(scope="ALL", effective_utc=pair.now_utc))
        with pytest.raises(InvalidDocumentError, match="an own message"):
            pair.say("red", Kind.RESUME, resume(pair), ref=said)
        pair.run_for(2)
        assert suspended(pair) == [{"blue", "red"}] * 2
        pair.say("blue", Kind.RESUME, resume(pair), ref=said)
        pair.run_for(2)
        assert suspended(pair) == [{"red"}] * 2
        pair.world.restart("blue")
        pair.run_for(2)
        assert suspended(pair) == [{"red"}] * 2
        pair.say("red", Kind.RESUME, resume(pair))
        pair.run_for(2)
        assert suspended(pair) == [set()] * 2
        pair.say("red", Kind.QUERY, query())


def test_what_is_not_suspended_cannot_be_resumed() -> None:
    with node_pair() as pair:
        pair.say("blue", Kind.SUSPEND, Suspend(scope="ALL", effective_utc=pair.now_utc))
        pair.say("blue", Kind.RESUME, resume(pair, after_ms=HOUR_MS))
        with pytest.raises(LineStateError, match="resumed already"):
            pair.say("blue", Kind.RESUME, resume(pair, after_ms=2 * HOUR_MS))
        pair.say("blue", Kind.RESUME, resume(pair))
        pair.run_for(2)
        with pytest.raises(LineStateError, match="not suspended"):
            pair.say("blue", Kind.RESUME, resume(pair))


def shown(pair: NodePair, party: str) -> list[tuple[str, str, bool, str | None]]:
    line = line_view(pair.line(party), 0, pair.world.now)
    return [(each.scope, each.by, each.in_effect, each.resumed_utc) for each in line.suspensions]


def test_both_desks_see_what_is_suspended_later_and_until_when_until_it_is_over() -> None:
    with node_pair() as pair:
        now_ms = pair.world.now.utc_ms
        later, end = (format_utc(now_ms + hours * HOUR_MS) for hours in (1, 2))
        pair.say("red", Kind.SUSPEND, Suspend(scope="ALL", effective_utc=later))
        pair.say("blue", Kind.SUSPEND, Suspend(scope="DECLARATIONS", effective_utc=pair.now_utc))
        pair.run_for(1)
        for party in ("blue", "red"):
            line = line_view(pair.line(party), 0, pair.world.now)
            assert (line.suspended, line.suspended_scope) == (True, "DECLARATIONS")
            assert shown(pair, party) == [
                ("DECLARATIONS", "blue", True, None),
                ("ALL", "red", False, None),
            ]
        pair.say("blue", Kind.RESUME, Resume(scope="DECLARATIONS", effective_utc=pair.now_utc))
        pair.say("red", Kind.RESUME, Resume(scope="ALL", effective_utc=end))
        pair.run_for(1)
        assert shown(pair, "blue") == shown(pair, "red") == [("ALL", "red", False, end)]
        pair.run_for(HOUR_MS // 1_000)
        assert shown(pair, "blue") == [("ALL", "red", True, end)]
        pair.run_for(HOUR_MS // 1_000)
        assert shown(pair, "blue") == shown(pair, "red") == []


def test_what_is_called_off_before_it_begins_is_not_shown_as_suspended_later() -> None:
    with node_pair() as pair:
        later = format_utc(pair.world.now.utc_ms + HOUR_MS)
        pair.say("red", Kind.SUSPEND, Suspend(scope="ALL", effective_utc=later))
        pair.say("red", Kind.RESUME, Resume(scope="ALL", effective_utc=later))
        pair.run_for(1)
        assert shown(pair, "blue") == shown(pair, "red") == []


# ---- change of scope -----------------------------------------------------------------


def scope_change(
    pair: NodePair, scope: str, to: str, *, after_ms: int = 0, reason: int = 331
) -> ScopeChange:
    effective = format_utc(pair.world.now.utc_ms + after_ms)
    return ScopeChange(scope=scope, to=to, effective_utc=effective, reason=reason)


def stopped(pair: NodePair, party: str) -> set[str]:
    """The scopes that stand suspended as a party's desk is told."""
    alerts = pair.station(party).core.alerts
    return {str(alert.subject) for alert in alerts if alert.rule == "LINE_SUSPENDED"}


def test_suspension_holds_for_another_scope_without_a_gap() -> None:
    with node_pair() as pair:
        said = pair.say("blue", Kind.SUSPEND, Suspend(scope="ALL", effective_utc=pair.now_utc))
        pair.run_for(2)
        change = scope_change(pair, "ALL", "DECLARATIONS", after_ms=60_000)
        pair.say("blue", Kind.SCOPE, change, ref=said)
        pair.run_for(50)
        assert [stopped(pair, party) for party in ("blue", "red")] == [{"ALL"}] * 2
        pair.run_for(15)
        assert [stopped(pair, party) for party in ("blue", "red")] == [{"DECLARATIONS"}] * 2
        pair.say("red", Kind.QUERY, query())  # what only the wider scope stopped
        with pytest.raises(LineStateError, match="suspended"):
            pair.declare("red", declaration(1))


def test_changed_suspension_outlasts_a_restart_and_is_resumed_by_its_new_scope() -> None:
    with node_pair() as pair:
        pair.say("blue", Kind.SUSPEND, Suspend(scope="ALL", effective_utc=pair.now_utc))
        changed = pair.say("blue", Kind.SCOPE, scope_change(pair, "ALL", "DECLARATIONS"))
        pair.run_for(2)
        pair.world.restart("red")
        pair.run_for(2)
        assert stopped(pair, "red") == {"DECLARATIONS"}
        with pytest.raises(LineStateError, match="not suspended"):
            pair.say("blue", Kind.RESUME, resume(pair))
        body = Resume(scope="DECLARATIONS", effective_utc=pair.now_utc)
        pair.say("blue", Kind.RESUME, body, ref=changed)
        pair.run_for(2)
        assert stopped(pair, "blue") | stopped(pair, "red") == set()


def test_scope_is_changed_by_who_suspended_it_alone_and_to_what_the_terms_name() -> None:
    with node_pair() as pair:
        pair.say("blue", Kind.SUSPEND, Suspend(scope="ALL", effective_utc=pair.now_utc))
        pair.run_for(2)
        with pytest.raises(LineStateError, match="only blue can"):
            pair.say("red", Kind.SCOPE, scope_change(pair, "ALL", "DECLARATIONS"))
        with pytest.raises(InvalidDocumentError, match="no such scope"):
            pair.say("blue", Kind.SCOPE, scope_change(pair, "ALL", "BOGUS"))
        with pytest.raises(InvalidDocumentError, match="to itself"):
            scope_change(pair, "ALL", "ALL")


def test_change_of_scope_does_not_end_what_the_same_side_suspended_before() -> None:
    with node_pair() as pair:
        for scope in ("DECLARATIONS", "ALL"):
            body = Suspend(scope=scope, effective_utc=pair.now_utc)
            pair.say("blue", Kind.SUSPEND, body)
        pair.say("blue", Kind.SCOPE, scope_change(pair, "ALL", "DECLARATIONS", after_ms=60_000))
        pair.run_for(2)
        assert stopped(pair, "red") == {"ALL", "DECLARATIONS"}
        pair.run_for(65)
        assert stopped(pair, "red") == {"DECLARATIONS"}


def texts_of(pair: NodePair, party: str, rule: str) -> list[str]:
    return [alert.text for alert in pair.station(party).core.alerts if alert.rule == rule]


def test_desk_is_told_what_a_suspended_scope_stops_and_until_when() -> None:
    with node_pair() as pair:
        pair.say("blue", Kind.SUSPEND, Suspend(scope="DECLARATIONS", effective_utc=pair.now_utc))
        pair.run_for(1)
        end = format_utc(pair.world.now.utc_ms + HOUR_MS)
        pair.say("blue", Kind.RESUME, Resume(scope="DECLARATIONS", effective_utc=end))
        pair.run_for(1)
        for party in ("blue", "red"):
            (text,) = texts_of(pair, party, "LINE_SUSPENDED")
            assert "It stops: declaration, update." in text
            assert f"It ends at {end[:10]} {end[11:19]}" in text
        pair.run_for(HOUR_MS // 1_000)
        assert texts_of(pair, "blue", "LINE_SUSPENDED") == []


def test_scope_that_newer_terms_do_not_name_is_suspended_no_longer() -> None:
    with node_pair() as pair:
        pair.say("blue", Kind.SUSPEND, Suspend(scope="DECLARATIONS", effective_utc=pair.now_utc))
        pair.run_for(1)
        agreed = pair.line("red").book
        assert agreed.terms is not None
        scopes = [one for one in agreed.terms.suspension_scopes if one.name != "DECLARATIONS"]
        newer = msgspec.structs.replace(
            pair.terms(version=2, replaces=agreed.terms_hash), suspension_scopes=tuple(scopes)
        )
        said = pair.say("red", Kind.TERMS_PROPOSE, terms_message(pair, "red", newer))
        pair.run_for(1)
        pair.say("blue", Kind.TERMS_ACCEPT, terms_message(pair, "blue", newer), ref=said)
        pair.run_for(1)
        for restarted in (False, True):
            if restarted:
                for party in ("blue", "red"):
                    pair.world.restart(party)
            pair.run_for(HOUR_MS // 1_000)
            for party in ("blue", "red"):
                assert texts_of(pair, party, "LINE_SUSPENDED") == []
                assert not tuple(pair.line(party).book.suspensions)
                assert "SUSPEND_RECEIVED" not in pair.rules(party)
