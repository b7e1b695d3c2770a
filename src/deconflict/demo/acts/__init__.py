"""The acts of the demo, each a file; each step is a function of the stage."""
