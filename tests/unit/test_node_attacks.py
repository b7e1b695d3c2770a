"""What a peer with a valid key, a clock or a crash may try on a node, and what must not follow."""

import asyncio
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from deconflict.airspace.instant import MAX_UTC_MS, format_utc
from deconflict.errors import BrokenChainError, ForkedChainError, InvalidDocumentError
from deconflict.line.envelope import (
    Draft,
    SealedEnvelope,
    envelope_bytes,
    read_envelope,
    seal_envelope,
)
from deconflict.line.keys import ALGORITHM
from deconflict.line.moment import Now, utc_ms_from_text
from deconflict.line.precedence import Precedence
from deconflict.line.receipt import Receipt, seal_receipt
from deconflict.line.statement import ChainPoint
from deconflict.messages.agreement import sign_terms
from deconflict.messages.bodies import (
    Account,
    Ack,
    AnswerWord,
    Body,
    Cancel,
    Cease,
    Declared,
    LineCheck,
    Readback,
    Resume,
    ScopeChange,
    Seen,
    Suspend,
    TermsMessage,
    body_to_wire,
)
from deconflict.messages.declaration import declaration_to_wire
from deconflict.messages.in_force import landmarks_of
from deconflict.messages.kinds import Kind
from deconflict.messages.readback import readback_of
from deconflict.node.bundle import export_bundle
from deconflict.node.bundle_proof import verify_bundle
from deconflict.node.bundle_verified import VerifiedBundle
from deconflict.node.core import Heard
from deconflict.node.runtime import Runtime, SystemClock
from deconflict.node.work import Work
from deconflict.replay.world import DESKS
from deconflict.store.base import Batch, EntryRow, NoteRow
from deconflict.store.writer import GroupCommitWriter
from node_pair import HOUR_MS, LATAKIA, START_MS, NodePair, cease, circle, declaration, node_pair


def forge(
    pair: NodePair,
    kind: str,
    body: Body | dict[str, Any],
    *,
    ref: str | None = None,
    created_ms: int | None = None,
    expires_after_ms: int | None = None,
    cites: ChainPoint | None = None,
    drill: bool = False,
    prec: Precedence = Precedence.FLASH,
) -> SealedEnvelope:
    """Return what red signs without its own node's checks."""
    red, line, now = pair.red, pair.line("red"), pair.world.now
    wire = body_to_wire(body) if isinstance(body, Body) else body
    draft = Draft(kind=kind, body=wire, sender_desk=DESKS[0], to_desk=DESKS[0], ref=ref)
    draft = replace(draft, expires_after_ms=expires_after_ms, drill=drill)
    at = now if created_ms is None else Now(created_ms, now.monotonic_ms)
    # Its chain takes what its machine would refuse, as an unknown kind.
    chain = line.machine._out
    heard = cites or line.machine.peer_logged
    entry = chain.prepare(chain.fitted(draft, prec, at), heard, at)
    row = EntryRow(
        line_id=line.line_id,
        party="red",
        epoch=entry.epoch,
        seq=entry.seq,
        hash=entry.hash,
        data=entry.data,
        algorithm=ALGORITHM,
        key_id=red.core.key.key_id,
        signature=None,
        logged_utc_ms=now.utc_ms,
    )
    red.store.commit(Batch(entries=[row]))
    return line.machine.seal(entry)


def attack(pair: NodePair, kind: str, body: Body | dict[str, Any], **more: Any) -> Heard:
    """Let blue hear what red forged."""
    sealed = forge(pair, kind, body, **more)
    heard = pair.blue.core.hear("red", pair.line_id, [sealed], pair.world.now)
    pair.world.commit(pair.blue, heard.work)
    return heard


def proven(pair: NodePair, exporter: str) -> VerifiedBundle:
    """Return what a party's exported record proves."""
    station, peer = pair.station(exporter), pair.station(pair.peer_of(exporter))
    bundle = export_bundle(
        station.store,
        pair.line_id,
        signer=station.core.key,
        peer_key=peer.core.key.verify_key,
        exported_utc_ms=pair.world.now.utc_ms,
    )
    keys = {one.party: one.core.key.verify_key for one in (station, peer)}
    return verify_bundle(bundle, keys)


def readback(pair: NodePair, number: int) -> Readback:
    terms = pair.line("blue").book.terms
    assert terms is not None
    return Readback(values=readback_of(declaration(number), landmarks_of(terms)))


def suspend(scope: str = "ALL") -> Suspend:
    return Suspend(scope=scope, effective_utc=format_utc(START_MS))


# ---- what would stop the node -----------------------------------------------------------


def test_readback_on_a_suspended_line_does_not_stop_the_node() -> None:
    with node_pair() as pair:
        (message,) = pair.declare("blue", declaration(1))
        pair.run_for(1)
        attack(pair, "SUSPEND", suspend())
        attack(pair, "READBACK", readback(pair, 1), ref=message)
        pair.run_for(2)


def test_readback_before_there_are_terms_does_not_stop_the_node() -> None:
    with node_pair() as pair:
        values = readback(pair, 1)
    with node_pair(agreed=False) as pair:
        attack(pair, "READBACK", values, ref="00" * 32)
        pair.run_for(2)


def test_suspension_of_a_scope_nobody_agreed_stops_no_message() -> None:
    with node_pair() as pair:
        attack(pair, "SUSPEND", suspend("NO_SUCH_SCOPE"))
        pair.run_for(2)
        pair.declare("blue", declaration(1))
        pair.run_for(2)


@pytest.mark.parametrize("year", [2250, 9999])
@pytest.mark.parametrize("kind", ["SUSPEND", "RESUME", "CEASE", "SEEN"])
def test_time_past_every_calendar_does_not_stop_the_node(kind: str, year: int) -> None:
    late = f"{year}-12-31T23:59:59.999Z"
    body: dict[str, Any] = {"scope": "ALL", "effective_utc": late}
    if kind == "CEASE":
        body = {"effective_utc": late, "declaration_id": "1" * 32}
    if kind == "SEEN":
        body = {"desk": "watch", "at_utc": late}
    with node_pair() as pair:
        (message,) = pair.declare("blue", declaration(1))
        pair.run_for(1)
        attack(pair, kind, body, ref=message if kind in ("SEEN", "CEASE") else None)
        pair.run_for(2)
        pair.world.restart("blue")
        pair.run_for(2)


@pytest.mark.parametrize("created_ms", [0, MAX_UTC_MS])
def test_author_with_a_mad_clock_does_not_stop_the_node(created_ms: int) -> None:
    with node_pair() as pair:
        pair.declare("blue", declaration(1))
        pair.declare("red", declaration(2))
        pair.run_for(1)
        bodies: dict[str, dict[str, Any]] = {
            "CEASE": {"effective_utc": format_utc(START_MS), "declaration_id": f"{1:032x}"},
            "NONSENSE": {"x": 1},
            "NOTIFY": {"declaration": declaration_to_wire(declaration(3))},
            "SUSPEND": {"scope": "ALL", "effective_utc": format_utc(0)},
        }
        for kind, body in bodies.items():
            attack(pair, kind, body, created_ms=created_ms)
        pair.run_for(2)
        pair.world.restart("blue")
        pair.run_for(2)


@pytest.mark.parametrize(
    "text",
    [
        "0001-01-01T00:00:00.000Z",
        "2200-01-01T00:00:00.000Z",
        "2015-09-30T06:00:00.\u0660\u0660\u0660Z",
    ],
)
def test_envelope_of_an_unshowable_time_is_refused(text: str) -> None:
    with pytest.raises(InvalidDocumentError):
        utc_ms_from_text(text)


def test_lateness_past_every_calendar_does_not_stop_the_node() -> None:
    with node_pair() as pair:
        pair.run_for(1)
        now = pair.world.now
        peer = pair.line("blue").monitor.path(1, now)
        beat = pair.line("red").monitor.path(1, now).beat(now)
        beat = msgspec.structs.replace(beat, utc_ms=2**53)
        peer.heard_beat(beat, pair.world.now)
        attack(pair, "SUSPEND", suspend(), created_ms=MAX_UTC_MS, expires_after_ms=2**40)
        assert "DELAYED" in pair.rules("blue")


def test_work_that_cannot_be_finished_stops_the_node_and_leaves_nobody_waiting() -> None:
    def broken(_: Now) -> None:
        raise ValueError("cannot be finished")

    async def run(pair: NodePair) -> None:
        store = pair.blue.store
        with GroupCommitWriter(store) as writer:
            runtime = Runtime(pair.blue.core, store, writer, {}, SystemClock())
            running = asyncio.create_task(runtime.run())
            await asyncio.sleep(0)
            work = Work()
            work.then(broken)
            work.notes.append(NoteRow("note", b"kept"))
            async with asyncio.timeout(5):
                with pytest.raises(ValueError, match="finished"):
                    await runtime.commit(work)
                with pytest.raises(ValueError, match="finished"):
                    await running

    with node_pair() as pair:
        asyncio.run(run(pair))


def test_answer_to_a_kind_nobody_knows_is_refused_in_words() -> None:
    with node_pair() as pair:
        sealed = forge(pair, "NONSENSE", {"x": 1})
        heard = pair.blue.core.hear("red", pair.line_id, [sealed], pair.world.now)
        pair.world.commit(pair.blue, heard.work)
        with pytest.raises(InvalidDocumentError):
            pair.say("blue", Kind.ACK, Ack(answer=AnswerWord.ROGER), ref=sealed.hash)


# ---- what would be shown as answered, or closed, and is not ------------------------------


def test_cease_is_not_answered_by_what_answers_something_else() -> None:
    with node_pair() as pair:
        (theirs,) = pair.declare("red", declaration(2))
        pair.run_for(1)
        cease = Cease(effective_utc=format_utc(START_MS), declaration_id=f"{2:032x}")
        asked = pair.say("blue", Kind.CEASE, cease, ref=theirs)
        pair.run_for(1)
        attack(pair, "LINE_CHECK_REPLY", LineCheck(text="1234"), ref=asked)
        pair.run_for(120)
        assert "CEASE_NOT_ACKNOWLEDGED" in pair.rules("blue")
        assert pair.line("blue").book.progress(asked) is None


def test_answer_that_cannot_be_read_answers_nothing() -> None:
    with node_pair() as pair:
        asked = pair.say("blue", Kind.LINE_CHECK, LineCheck(text="4821 0937"))
        pair.run_for(1)
        attack(pair, "LINE_CHECK_REPLY", {"nonsense": 1}, ref=asked)
        pair.run_for(300)
        assert "NO_ANSWER" in pair.rules("blue")
        pair.world.restart("blue")
        pair.run_for(2)
        assert "NO_ANSWER" in pair.rules("blue")


def test_declaration_under_our_id_closes_no_alert_about_ours() -> None:
    with node_pair() as pair:
        ours = declaration(1, volume=circle(start_ms=START_MS + 1_000))
        pair.declare("blue", ours)
        pair.run_for(1)
        assert "LEAD_TIME_SHORT" in pair.rules("blue")
        attack(pair, "NOTIFY", {"declaration": declaration_to_wire(declaration(1))})
        pair.run_for(2)
        attack(pair, "CANCEL", Cancel(declaration_id=f"{1:032x}"))
        pair.run_for(2)
        assert "LEAD_TIME_SHORT" in pair.rules("blue")


def test_our_suspension_is_not_put_off_by_a_later_one_of_the_peer() -> None:
    with node_pair() as pair:
        pair.say("blue", Kind.SUSPEND, suspend("DECLARATIONS"))
        pair.run_for(1)
        later = Suspend(scope="DECLARATIONS", effective_utc=format_utc(MAX_UTC_MS))
        attack(pair, "SUSPEND", later)
        pair.run_for(2)
        assert "LINE_SUSPENDED" in pair.rules("blue")


def test_resumption_by_the_other_side_changes_nothing_and_is_told() -> None:
    with node_pair() as pair:
        pair.say("blue", Kind.SUSPEND, suspend())
        pair.run_for(1)
        resumed = Resume(scope="ALL", effective_utc=format_utc(START_MS))
        attack(pair, "RESUME", resumed)
        pair.run_for(2)
        assert "LINE_SUSPENDED" in pair.rules("blue")
        alert = pair.alert("blue", "NOTHING_TO_RESUME")
        assert "scope ALL, which red does not hold suspended. Nothing changed." in alert.text
        seen = Seen(desk=DESKS[0], at_utc=format_utc(START_MS))
        pair.say("blue", Kind.SEEN, seen, ref=alert.facts["message"])
        assert "NOTHING_TO_RESUME" not in pair.rules("blue")


# ---- a clock that jumps -------------------------------------------------------------------


def test_conflict_is_there_again_when_a_clock_that_jumped_ahead_comes_back() -> None:
    with node_pair() as pair:
        pair.declare("blue", declaration(1))
        pair.declare("red", declaration(2))
        pair.run_for(2)
        assert "CONFLICT" in pair.rules("blue")
        blue, now = pair.blue, pair.world.now
        ahead = Now(now.utc_ms + 5 * HOUR_MS, now.monotonic_ms + 1_000)
        pair.world.commit(blue, blue.core.advance(ahead))
        assert "CONFLICT" not in pair.rules("blue")
        pair.run_for(3)
        assert "CONFLICT" in pair.rules("blue")


# ---- a restart ------------------------------------------------------------------------------


def test_what_was_over_before_a_restart_is_not_told_again_after_it() -> None:
    with node_pair() as pair:
        pair.declare("blue", declaration(1))
        pair.declare("red", declaration(2))
        pair.run_for(1)
        attack(pair, "CANCEL", Cancel(declaration_id=f"{2:032x}"))
        pair.run_for(3 * HOUR_MS / 1_000)
        before = len(pair.blue.events)
        pair.world.restart("blue")
        pair.run_for(2)
        told = [e for e in pair.blue.events[before:] if e.kind in ("declaration", "alert")]
        assert [e.data for e in told] == []


# ---- a flood ---------------------------------------------------------------------------------


def test_many_accounts_of_one_event_do_not_make_each_alert_longer() -> None:
    with node_pair() as pair:
        for number in range(200):
            fields: dict[str, str | int | bool] = {"passed_m": 1 + number, "passed_s": 1_000}
            body = Account(event="pass", fields=fields, object_kind="combat_jet")
            attack(pair, "ACCOUNT", body)
        assert len(pair.alert("blue", "ACCOUNTS_DIFFER").facts["implausible"]) <= 32


def test_a_receipt_of_what_was_never_said_is_kept_and_told_as_that() -> None:
    with node_pair() as pair:
        pair.run_for(1)
        head = pair.line("blue").machine.own_head
        assert head is not None
        false = Receipt(
            v=1,
            line=pair.line_id,
            sender="red",
            to="blue",
            epoch=head.epoch,
            seq=head.seq + 5,
            hash="ab" * 32,
            received_utc=format_utc(START_MS),
        )
        sealed = seal_receipt(false, pair.red.core.key)
        heard = pair.blue.core.hear("red", pair.line_id, [sealed], pair.world.now)
        assert isinstance(heard.error, ForkedChainError)
        (kept,) = heard.work.evidence
        assert (kept.data, kept.reason) == (sealed.data, "ForkedChainError")
        assert "RECEIPT_CONTRADICTS" in pair.rules("blue")
        assert "FORKED_CHAIN" not in pair.rules("blue")


def test_a_citation_of_what_was_never_said_is_told_too() -> None:
    with node_pair() as pair:
        pair.run_for(1)
        head = pair.line("blue").machine.own_head
        assert head is not None
        false = ChainPoint(head.epoch, head.seq, "ab" * 32)
        heard = attack(pair, "LINE_CHECK", LineCheck(text="4821 0937"), cites=false)
        assert heard.error is None
        assert [kept.reason for kept in heard.work.evidence] == ["FALSE_RECEIPT"]
        assert "RECEIPT_CONTRADICTS" in pair.rules("blue")
        pair.world.restart("blue")
        pair.run_for(1)
        assert "LINE_CHECK_RECEIVED" in pair.rules("blue")
        # It neither keeps the node from starting nor its record from being proven.
        (found,) = proven(pair, "blue").unfound
        assert (found.party, found.cited) == ("red", false)


def test_a_message_that_follows_another_than_the_one_held_is_kept_and_told() -> None:
    with node_pair() as pair:
        pair.run_for(1)
        honest = forge(pair, "LINE_CHECK", LineCheck(text="4821 0937"))
        envelope = msgspec.structs.replace(read_envelope(honest.data), prev="ab" * 32)
        broken = seal_envelope(envelope_bytes(envelope), pair.red.core.key)
        heard = pair.blue.core.hear("red", pair.line_id, [broken], pair.world.now)
        assert isinstance(heard.error, BrokenChainError)
        assert [kept.data for kept in heard.work.evidence] == [broken.data]
        assert "CHAIN BROKEN. red signed" in pair.alert("blue", "CHAIN_BROKEN").text


def of_epoch(pair: NodePair, epoch: str, seq: int = 2) -> SealedEnvelope:
    """Return what red signs in an epoch that its node never opened here."""
    honest = forge(pair, "LINE_CHECK", LineCheck(text="4821 0937"))
    prev = read_envelope(honest.data).prev
    envelope = msgspec.structs.replace(read_envelope(honest.data), epoch=epoch, seq=seq, prev=prev)
    return seal_envelope(envelope_bytes(envelope), pair.red.core.key)


def test_a_message_of_another_epoch_is_kept_and_told_once() -> None:
    with node_pair() as pair:
        pair.run_for(1)
        orphans = [of_epoch(pair, f"{number:032x}") for number in range(1, 40)]
        for orphan in (*orphans, orphans[0]):
            heard = pair.blue.core.hear("red", pair.line_id, [orphan], pair.world.now)
            assert isinstance(heard.error, BrokenChainError)
            pair.world.commit(pair.blue, heard.work)
        kept = [row.data for row in pair.blue.store.evidence(pair.line_id)]
        assert kept == [orphan.data for orphan in orphans]
        assert "MESSAGE OF ANOTHER EPOCH. red" in pair.alert("blue", "EPOCH_UNKNOWN").text
        told = [e for e in pair.blue.events if e.data.get("rule") == "EPOCH_UNKNOWN"]
        assert len(told) == 1  # one cause, one alert, and no event for each message


def test_one_held_out_of_order_that_turns_out_to_follow_another_is_told_too() -> None:
    with node_pair() as pair:
        pair.run_for(1)
        first = forge(pair, "LINE_CHECK", LineCheck(text="4821 0937"))
        second = forge(pair, "LINE_CHECK", LineCheck(text="4821 0938"))
        envelope = msgspec.structs.replace(read_envelope(second.data), prev="ab" * 32)
        broken = seal_envelope(envelope_bytes(envelope), pair.red.core.key)
        heard = pair.blue.core.hear("red", pair.line_id, [broken, first], pair.world.now)
        assert [kept.reason for kept in heard.work.evidence] == ["BROKEN_CHAIN"]
        assert "CHAIN_BROKEN" in pair.rules("blue")


# ---- an exercise of the peer that is about what is real -----------------------------------


def test_drilled_cancel_update_and_notice_leave_what_is_declared_in_earnest() -> None:
    with node_pair() as pair:
        (message,) = pair.declare("red", declaration(1))
        pair.run_for(1)
        name = f"{1:032x}"
        attack(pair, "CANCEL", Cancel(declaration_id=name), ref=message, drill=True)
        attack(pair, "UPDATE", Declared.of(declaration(1, revision=2)), ref=message, drill=True)
        attack(pair, "NOTIFY", Declared.of(declaration(1, revision=3)), drill=True)
        pair.run_for(1)
        held = pair.line("blue").book.picture.get(f"red/{name}")
        assert held is not None
        assert (held.message_hash, held.drill) == (message, False)
        told = [alert for alert in pair.blue.core.alerts if alert.rule == "EXERCISE_OF_REAL"]
        assert len(told) == 3
        assert all(alert.drill and alert.text.startswith("DRILL") for alert in told)
        pair.world.restart("blue")
        held = pair.line("blue").book.picture.get(f"red/{name}")
        assert held is not None
        assert held.message_hash == message


@pytest.mark.parametrize("kind", ["ACK", "SEEN", "CEASED", "STANDBY"])
def test_drilled_answer_does_nothing_to_a_real_cease(kind: str) -> None:
    with node_pair() as pair:
        real = pair.say("blue", Kind.CEASE, cease(at=LATAKIA))
        pair.run_for(1)
        at = {"desk": "watch", "at_utc": pair.now_utc}
        body = {"answer": "ROGER"} if kind == "ACK" else at
        attack(pair, kind, body, ref=real, drill=True)
        pair.run_for(1)
        thread = pair.line("blue").book.threads.get(real)
        assert thread is not None
        assert (thread.answered_by, thread.seen) == (None, False)
        assert pair.line("blue").book.progress(real) is None


def test_drilled_terms_are_proposed_to_nobody() -> None:
    with node_pair() as pair:
        book = pair.line("blue").book
        terms = pair.terms(version=2, replaces=book.terms_hash)
        body = TermsMessage(terms=terms, signature=sign_terms(terms, pair.red.core.key))
        attack(pair, "TERMS_PROPOSE", body, drill=True)
        assert book.proposal is None


def test_change_of_a_scope_that_is_not_suspended_is_told_and_changes_nothing() -> None:
    with node_pair() as pair:
        change = ScopeChange(scope="ALL", to="DECLARATIONS", effective_utc=format_utc(START_MS))
        attack(pair, "SCOPE", change)
        pair.run_for(1)
        assert not [a for a in pair.blue.core.alerts if a.rule == "LINE_SUSPENDED"]
        assert "scope ALL, which red does not" in pair.alert("blue", "NOTHING_TO_CHANGE").text
