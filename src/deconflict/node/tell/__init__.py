"""Which alerts people get, from what was said, heard, found and missed on a line."""
