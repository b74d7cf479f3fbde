"""Does the client keep what is promised of it: to be there soon, and to obey? See ``command.py``."""
