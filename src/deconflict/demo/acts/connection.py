"""Is somebody there? A line check between people, and a node that dies and comes back."""

import time
from typing import Final

from deconflict.demo.stage import Stage

__all__ = ["check_line", "cut"]

# 3 s without a beat, and what it takes to reach a screen on a busy machine.
DOWN_WITHIN_S: Final = 4.0


def check_line(stage: Stage) -> None:
    """Alder checks the line; a person at birch retypes what came."""
    stage.tell.says("A text without meaning goes out; a person there retypes it.")
    check = stage.alder.watch("line", "check")["hash"]
    stage.birch.screen.wait("message", {"hash": check}, what="the line check")
    text = stage.birch.watch("log", "--message", check[:10])["body"]["text"]
    stage.birch.watch("line", "check", "--reply", check[:10], text)
    stage.alder.screen.wait("delivery", {"hash": check, "state": "CLOSED"}, what="the retyped text")
    stage.tell.proven(f'"{text}" came back as it went: somebody is there, reads and can answer')


def cut(stage: Stage) -> None:
    """Birch's node is killed, alder sees it and goes on, birch comes back with nothing lost."""
    stage.tell.says(
        "Birch's node is killed as by a power cut. Alder's desk sees it, and speaks on."
    )
    alder, birch = stage.parties
    mark, killed_s = alder.screen.mark(), time.monotonic()
    birch.kill()
    down = alder.screen.wait("line", {"state": "DOWN"}, what="DOWN", behind=mark)
    took_s = down.heard_s - killed_s
    stage.promise(
        took_s <= DOWN_WITHIN_S,
        "DOWN was shown too late",
        given=f"{took_s:.2f} s",
        expected=f"at most {DOWN_WITHIN_S:g} s",
    )
    stage.tell.desk("alder", alder.screen.alert("LINE_DOWN", behind=mark))
    words = ("line", "query", "--place", "35 24.0 N 38 10.0 E", "--level", "18000 ft AMSL")
    asked = alder.watch(*words, "--course", "265", "--speed", "290 kt")["hash"]
    stage.tell.proven(
        f"DOWN after {took_s:.1f} s; the question waits, and nobody takes it for asked"
    )
    birch.serve()
    birch.ready()
    alder.screen.wait("line", {"state": "UP"}, what="UP again", behind=mark)
    birch.screen.wait("message", {"hash": asked}, what="the question")
    birch.watch("line", "answer", asked[:10], "not-ours")
    alder.screen.wait("delivery", {"hash": asked, "state": "CLOSED"}, what="the answer")
    stage.facts["down_after_s"] = round(took_s, 2)
    stage.tell.proven("UP again by itself; the question arrived, and was answered: not ours")
    _nothing_lost(stage)


def _nothing_lost(stage: Stage) -> None:
    """See that each side holds, and has signed for, every message that the other has sent."""
    deadline_s = time.monotonic() + 10.0
    while True:
        alder, birch = (party.watch("line", "status")["lines"][0] for party in stage.parties)
        counts = [
            (one["own_seq"], one["receipted_seq"], other["peer_seq"])
            for one, other in ((alder, birch), (birch, alder))
        ]
        if all(len(set(each)) == 1 for each in counts):
            break
        stage.promise(
            time.monotonic() < deadline_s,
            "a message is lost",
            given=f"sent, signed for, held by the other side: {counts}",
            expected="three times the same number",
        )
    stage.facts["messages"] = [sent for sent, _, _ in counts]
    stage.tell.proven(
        f"alder sent {counts[0][0]} messages and birch {counts[1][0]}: each held and signed for"
    )
