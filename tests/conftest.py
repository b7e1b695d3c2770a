"""Being here puts this folder on the import path, so that all kinds of tests share its samples."""
