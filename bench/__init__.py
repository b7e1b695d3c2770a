"""How fast, how late, how large: every number the project states, each by a command that makes it.

`python -m bench` runs all of it. Nothing here is a test: a slow machine fails no build.
"""
