"""The line: how two parties exchange signed messages that neither can deny, alter or lose.

Decisions without I/O: clock, randomness, disk and network are arguments, so the code in service
is the code in simulation. Bodies are opaque JSON; this room knows nothing of flights.

The room, from below: ``moment`` and ``canonical`` (time and bytes), ``keys`` and ``keyfile``,
``statement``, ``envelope``, ``receipt`` (what is signed); ``root``, ``key_change``, ``epoch``,
``key_ring`` (which key is in force where); ``tree``, ``note``, ``checkpoint``, ``witness``,
``tlog_witness`` (what both fix together); ``packets`` and, for other bearers than the network,
``parcel``, ``pieces``, ``armour``, ``codes``, ``bearers`` (how it travels); ``precedence``,
``delivery``, ``room``, ``alerts``, ``alert_fold`` (what is owed until when); ``outgoing`` and
``incoming`` (the two chains), ``resync``, ``reopening``, ``restored`` (a record that may be old),
``checkpointing``, ``heard``, ``end`` and ``machine`` (the whole line of one party); ``link`` and
``paths`` (is the peer there) and ``log`` (does a whole chain verify). What they promise together:
``specs/``.
"""
