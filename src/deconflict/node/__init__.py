"""One party's node: its folder, its door to other nodes, and what it does for its desks."""
