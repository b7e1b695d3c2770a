"""What is said on a line: kinds of message, declarations, terms, fixed phrases in three languages.

The room, from below: ``words`` (what may not be said), ``values`` (how figures are written) and
``direction`` (how they stand in text that runs the other way), ``phrases`` (numbered texts),
``declaration``, ``summary``, ``wire_form``; ``kinds`` (one table of what each kind demands),
``terms`` with ``terms_defaults``, ``agreement`` (both signatures) and ``in_force`` (as the values
of other rooms); ``readback`` and ``notice`` (checks on a declaration); ``bodies`` (one form per
kind), ``message_text`` and ``plain`` (what a person reads).

Nothing here reads a clock, draws a random number or touches a network. Forms and bytes:
``specs/messages.md``, ``specs/terms.md``.
"""
