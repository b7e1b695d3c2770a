"""The durable record of a node: one small interface, and SQLite behind it."""
