"""``deconflict private``: checks in which both sides learn where they meet, and nothing else."""

from deconflict.cli.command import Entry, LazyGroup

__all__ = ["private"]

private = LazyGroup(
    "private",
    (
        Entry(
            "plan",
            "private_plan:plan",
            "Set, show or forget what you fly in the private checks of a line.",
        ),
        Entry(
            "sites",
            "private_sites:sites",
            "Hold protected sites that a peer can ask about and never see.",
        ),
        Entry(
            "mediate",
            "private_mediate:mediate",
            "Compare lists of the peer of a line with those of another, as their mediator.",
        ),
        Entry(
            "propose",
            "private_checks:propose",
            "Propose a private check of a period, of several in a row, or a closer look at one.",
        ),
        Entry(
            "accept",
            "private_checks:accept",
            "Take part in a check that the peer proposed; its runs begin by themselves when due.",
        ),
        Entry(
            "decline",
            "private_checks:decline",
            "Do not take part in a check that the peer proposed.",
        ),
        Entry(
            "run",
            "private_run:run",
            "Begin a run of an accepted check now, and follow it to its end.",
        ),
        Entry(
            "status", "private_checks:status", "List the private checks, or show the runs of one."
        ),
        Entry(
            "show", "private_run:show", "Show what a run found: your own sorties, times and places."
        ),
        Entry(
            "cancel",
            "private_checks:cancel",
            "End a run of a check, or all that is to come; the peer is told.",
        ),
        Entry(
            "open",
            "private_run:open_run",
            "Write plan or sites and the seed of a run for the arbiter: they show what was in it.",
        ),
        Entry(
            "audit",
            "private_audit:audit",
            "Look offline whether what a side said in a run follows from what it opened.",
        ),
    ),
    package="deconflict.cli",
    help="Private checks: both sides learn where their plans meet, and nothing else.",
    example="deconflict private plan tomorrow.geojson --line red\n"
    "deconflict private propose --line red\n"
    "deconflict private status",
)
