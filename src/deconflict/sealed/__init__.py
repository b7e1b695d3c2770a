"""Private check: where and when two plans come too close, and nothing else of either.

Decisions without I/O: points and tags (:mod:`.oprf`), cells of a plan (:mod:`.grid`, :mod:`.tubes`,
:mod:`.cover`), what two sides say to each other (:mod:`.session`) and what an arbiter finds in it
(:mod:`.audit`). Bytes: ``specs/private-check.md``. What it cannot promise: ``docs/limits.md``.
"""
