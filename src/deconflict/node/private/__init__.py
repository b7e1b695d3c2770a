"""Private checks on a line: what the record holds of them, and what a node does for its own side.

What is said of them is in `deconflict.messages.private_bodies`, what two sides compute in
`deconflict.sealed`.
"""
