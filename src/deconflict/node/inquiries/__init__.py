"""What takes long to find out of a record: that it verifies, and what each side knew when."""
