"""The integration suite on every kind of server, the compose file, and installs from the wheel: ``python -m tests.lanes``."""
