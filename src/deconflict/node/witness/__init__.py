"""The third witness: its own small server, and how a node asks one."""
