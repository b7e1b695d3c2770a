"""People answer: a safety message, a readback that is wrong and one that is right, new plans."""

from deconflict.demo import story
from deconflict.demo.stage import Stage

__all__ = ["read_back", "resolve", "warn"]


def warn(stage: Stage) -> None:
    """Alder sends a safety message; birch sees and acknowledges it."""
    stage.tell.says("Any watch officer may say it. It is sent as a number and values.")
    number, values = story.PERSONNEL
    words = ["line", "send", "--template", str(number)]
    for name, value in values.items():
        words += ["--value", f"{name}={value}"]
    sent = stage.alder.watch(*words, "--value", f"since={stage.now_utc()}")["hash"]
    told = stage.birch.screen.alert("SAFETY_RECEIVED", sent)
    stage.tell.desk("birch", told)
    for state, said in (("SEEN", ("line", "seen")), ("CLOSED", ("line", "ack"))):
        stage.birch.watch(*said, sent[:10])
        stage.alder.screen.wait(
            "delivery", {"hash": sent, "state": state}, what=f"that it is {state}"
        )
    stage.tell.proven("held, then seen, then acknowledged: three states, each signed by birch")
    stage.tell.proven("acknowledged is not permission, and the screens say so")


def read_back(stage: Stage) -> None:
    """Birch reads alder's declaration back, first with a slip."""
    stage.tell.says(
        "Birch finds the place on its own map, and is 9 km off: the slip of September 2016, which "
        "nobody noticed then."
    )
    presence = stage.ids[story.PRESENCE]
    words = ("line", "readback", presence[:8])
    marks = [party.screen.mark() for party in stage.parties]
    stage.birch.watch(*words, "--place", story.SLIP, "--yes")
    for party, mark in zip(stage.parties, marks, strict=True):
        alert = party.screen.alert("READBACK_WRONG", presence, behind=mark)
        stage.tell.desk(party.name, alert)
    stage.birch.watch(*words, "--yes")
    for party, mark in zip(stage.parties, marks, strict=True):
        party.screen.alert("READBACK_WRONG", presence, is_open=False, behind=mark)
    declared = stage.alder.watch("declare", "--list")["declarations"]
    states = [
        state
        for one in declared
        if one["declaration_id"] == presence
        for state in one["readback"].values()
    ]
    stage.promise(
        states == ["AGREES"],
        "the right readback does not agree",
        given=", ".join(states),
        expected="AGREES",
    )
    stage.tell.proven(
        "READBACK WRONG on both desks; read back rightly, it AGREES and the alarm ends"
    )


def resolve(stage: Stage) -> None:
    """Birch moves its flight up and takes its activity back; both conflicts end on both sides."""
    stage.tell.says(
        "Birch looks for itself whether 3,000 ft higher would do; alder does not learn of the "
        "draft. Then it declares."
    )
    higher = stage.write("higher.geojson", story.FLIGHT_AGAIN)
    stage.birch.watch("check", higher)
    transport, firing = stage.ids[story.TRANSPORT], stage.ids[story.ACTIVITY]
    stage.birch.planner("declare", "--update", transport[:8], higher)
    stage.birch.planner("declare", "--cancel", firing[:8], "--reason", "plan-withdrawn")
    for party, theirs in ((stage.alder, "peer"), (stage.birch, "own")):
        for declaration in (transport, firing):
            facts = {theirs: declaration}
            party.screen.wait("conflict_ended", facts, what="the end of the conflict")
        party.watch("check")
    stage.tell.proven(
        "both conflicts have ended on both sides; what was said before stays on record"
    )
