"""What is said on a line: kinds of message, declarations, terms, fixed phrases in three languages.

The room, from below: ``words`` (what may not be said), ``values`` (how figures are written) and
``direction`` (how they stand in text that runs the other way), ``phrases`` (numbered texts) and
``said`` (what is told, before it is in a language); ``declaration``, ``summary``, ``wire_form``;
``kinds`` (one table of what each kind demands); ``terms`` with ``private_terms`` and the defaults
of both, ``agreement`` (both signatures) and ``in_force`` (as the values of other rooms);
``readback``, ``notice`` and ``never_shared`` (checks on a declaration); ``bodies``, which gathers
one form per kind from the ``*_bodies``; ``message_text``, the other ``*_text``, ``plain`` and
``terms_rows`` (what a person reads), ``voice`` (what is said aloud).

Nothing here reads a clock, draws a random number or touches a network. Forms and bytes:
``specs/messages.md``, ``specs/terms.md``.
"""
