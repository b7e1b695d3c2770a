"""Being here puts this folder on the import path, so that all kinds of tests share its samples."""

from hypothesis import settings

# No deadline for one example: on a busy machine the first takes long, and that is no defect.
settings.register_profile("deconflict", deadline=None)
settings.register_profile("fuzz", deadline=None, max_examples=2_000)
settings.load_profile("deconflict")
