"""Stories in which blue's desk is told nearly everything that is told in words."""

from test_node_attacks import forge
from test_node_incidents import PERIOD, account, breach, opened, say_tally
from test_node_restore import back_up, put_back
from test_node_standby import stand_by
from test_node_talks import request
from test_node_voice import SAFETY, cut, nearer, note

from deconflict.airspace.instant import format_utc
from deconflict.line.resync import MuteReason, Silence
from deconflict.messages.bodies import LineCheck, Voice, VoiceSide
from deconflict.messages.declaration import Purpose
from deconflict.messages.incident_bodies import BreachWord, Tally
from deconflict.messages.kinds import Kind
from deconflict.messages.voice import check_digits, parts_of
from deconflict.replay.world import DESKS
from node_pair import LATAKIA, NodePair, cease, circle, declaration, query

__all__ = ["deaf", "heard_by_voice", "story", "suspect"]


def story(pair: NodePair) -> dict[str, str]:
    """Let nearly everything happen that is told in words; return what stands in addresses."""
    counted = pair.say("blue", Kind.BREACH_NOTE, breach())
    forged = Tally(
        start_utc=format_utc(PERIOD[0]),
        end_utc=format_utc(PERIOD[1]),
        incidents={},
        breaches={BreachWord.NO_ANSWER: (counted,)},
    )
    pair.say("red", Kind.TALLY, forged)
    pair.begin_drill("blue", announced=True)
    pair.run_for(1)
    (ours,) = pair.declare("blue", declaration(1))
    (site,) = pair.declare("blue", declaration(5, Purpose.PROTECTED_SITE))
    pair.declare("red", declaration(2), declaration(3, Purpose.PROTECTED_SITE))
    pair.run_for(1)
    pair.read_back("red", declaration(1, volume=circle(radius_m=9_000)), ours)
    pair.say("red", Kind.CEASE, cease(f"{1:032x}"), drill=False)
    asked = pair.say("red", Kind.QUERY, query())
    incident = opened()
    pair.say("red", Kind.INCIDENT, incident)
    pair.run_for(1)
    stand_by(pair, asked)
    pair.say("blue", Kind.ACCOUNT, account(closest_m=805, left_its_level="red"))
    pair.say("red", Kind.ACCOUNT, account(closest_m=500, left_its_level="blue"))
    pair.say("blue", Kind.BREACH_NOTE, breach(incident_id=incident.incident_id))
    request(pair, party="red")
    cut(pair)
    say_tally(pair, "red")
    check = pair.say("blue", Kind.LINE_CHECK, LineCheck(text="4711 0815"))
    safety = pair.say("blue", Kind.SAFETY, SAFETY)
    pair.run_for(40)
    said = note(pair, safety, VoiceSide.HEARD, said=nearer())
    pair.say("red", Kind.VOICE, said)
    pair.say("red", Kind.LINE_CHECK_REPLY, LineCheck(text="4711 0816"), ref=check)
    pair.say("blue", Kind.CEASE, cease(at=LATAKIA))
    pair.run_for(90)
    return {
        "line": pair.line_id,
        "message_hash": site,
        "declaration_id": f"{1:032x}",
        "incident_id": incident.incident_id,
        "name": "somebody",
    }


def deaf(pair: NodePair) -> None:
    """Put blue's record back from a copy, and have red warn meanwhile."""
    put_back(back_up(pair, "blue"), Silence(deaf=True, reason=MuteReason.RECORD_BEHIND))
    pair.line("blue").machine.resync._not_before_ms = 2**60  # as if its questions were lost
    pair.say("red", Kind.CEASE, cease(at=LATAKIA))
    pair.run_for(2)
    assert {"HEARD_WHILE_MUTE", "LINE_DEAF"} <= set(pair.rules("blue"))


def suspect(pair: NodePair) -> None:
    """Have red warn from a clock that runs ahead."""
    pair.run_for(120)
    ahead_ms = pair.world.now.utc_ms + 600_000
    sealed = forge(
        pair, Kind.CEASE, cease(at=LATAKIA), created_ms=ahead_ms, expires_after_ms=60_000
    )
    heard = pair.blue.core.hear("red", pair.line_id, [sealed], pair.world.now)
    pair.world.commit(pair.blue, heard.work)
    assert "SUSPECT_CLOCK" in pair.rules("blue")


def heard_by_voice(pair: NodePair) -> None:
    """Have blue hear by voice what the line does not bring."""
    cut(pair)
    safety = pair.say("red", Kind.SAFETY, SAFETY)
    pair.run_for(1)
    envelope = pair.red.core.envelope_of(safety)
    assert envelope is not None
    parts = parts_of(Kind.SAFETY, SAFETY, party="red")
    said = Voice(
        side=VoiceSide.HEARD,
        number=envelope.seq,
        message=safety[:8],
        check=check_digits(parts, drill=False),
        said=parts,
        desk=DESKS[0],
        at_utc=pair.now_utc,
    )
    pair.say("blue", Kind.VOICE, said)
    pair.run_for(1)
    assert "VOICE_HEARD" in pair.rules("blue")
