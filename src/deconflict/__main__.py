"""``python -m deconflict`` is the command ``deconflict``."""

from deconflict.cli import main

if __name__ == "__main__":
    main()
