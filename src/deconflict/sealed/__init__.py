"""Private check: where two plans come too close, and nothing else of either.

Decisions without I/O. What is promised and what is not: ``docs/limits.md``; bytes:
``specs/private-check.md``.
"""
