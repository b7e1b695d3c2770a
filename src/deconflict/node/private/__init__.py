"""Private checks on a line: what each side flies, what was said, what is found."""
