"""The line: how two parties exchange signed messages that neither can deny, alter or lose.

Decisions without I/O: clock, randomness, disk and network are arguments, so the code in service
is the code in simulation. Bodies are opaque JSON; this room knows nothing of flights.

The room, from below: ``moment`` and ``canonical`` (time and bytes), ``keys`` and ``keyfile``,
``statement``, ``envelope``, ``receipt``, ``packets`` (what is signed and how it travels),
``precedence``, ``delivery``, ``alerts`` (what is owed until when), ``outgoing`` and ``incoming``
(the two chains), ``restored`` and ``machine`` (the whole line of one party), ``link`` (is the
peer there) and ``log`` (does a whole chain verify). What they promise together: ``specs/``.
"""
