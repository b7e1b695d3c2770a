"""The command line of deconflict, for people and for scripts.

Every command has ``--help`` with an example and ``--json``. Exit code 0 means success, 1 a finding
(a conflict, a failed verification, something wrong with the node), 2 wrong use or bad input. An
error says what was given, what was expected and what to do.

A command's module is imported when the command runs, so that ``deconflict --help`` stays instant;
the table below is all that is needed to list them.
"""

import click

from deconflict import __version__
from deconflict.cli.command import Entry, LazyGroup

__all__ = ["COMMANDS", "main"]

COMMANDS = (
    Entry("demo", "demo:demo", "Show two nodes, one line, a conflict found, answered and proven."),
    Entry("init", "node:init", "Make the folder of a new node: keys, certificate, first accounts."),
    Entry("serve", "node:serve", "Run the node until it is told to stop."),
    Entry("doctor", "node:doctor", "Say in plain words what is wrong with the node, if anything."),
    Entry("renew", "node:renew", "Renew the node's certificate."),
    Entry("node", "node_keys:node", "The root of a party and the node's change of key."),
    Entry("account", "account:account", "Accounts of the people who work with this node."),
    Entry("peer", "peer:peer", "Parties this node talks to, each pinned by its fingerprint."),
    Entry(
        "enrol", "enrol:enrol", "Who waits for a second person to be let in: accounts and peers."
    ),
    Entry("terms", "terms:terms", "The terms of a line, which both parties sign."),
    Entry(
        "declare", "declare:declare", "Declare flights, areas and sites; update, correct, cancel."
    ),
    Entry("check", "check:check", "Look for conflicts; sends nothing."),
    Entry(
        "advise",
        "advise:advise",
        "Look for changes of your own plans that end their conflicts; sends nothing.",
    ),
    Entry(
        "screen",
        "screen:screen",
        "Find every conflict among the flights and volumes of files; sends nothing.",
    ),
    Entry(
        "private",
        "private:private",
        "Private checks: both sides learn where their plans meet, and nothing else.",
    ),
    Entry(
        "activity",
        "activity:activity",
        "Hold what your side does against what was declared; sends nothing.",
    ),
    Entry("line", "line:line", "Talk on a line: status, messages, answers, live view."),
    Entry("log", "record:log", "Show what was said on a line."),
    Entry(
        "incident",
        "incident:incident",
        "What happened, as each side tells it: accounts, evidence, risk, breaches, tallies.",
    ),
    Entry(
        "export",
        "record:export",
        "Write the record of a line into a file that proves itself.",
    ),
    Entry(
        "replay",
        "replay:replay",
        "Play incidents through real node cores; tell from a record what each side knew, and when.",
    ),
    Entry("verify", "record:verify", "Verify an exported file offline, without any node."),
    Entry(
        "witness",
        "witness:witness",
        "A third witness: signs how far the chains of a line have come, none of them twice.",
    ),
)

main = LazyGroup(
    "deconflict",
    COMMANDS,
    package="deconflict.cli",
    help=(
        "A line between parties who share a sky and do not trust one another.\n\n"
        "Most commands talk to your own running node: name its folder with --node or with "
        "the environment variable DECONFLICT_NODE."
    ),
    example="deconflict init blue-node --party blue",
)
click.version_option(__version__, prog_name="deconflict", message="%(prog)s %(version)s")(main)
