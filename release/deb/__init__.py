"""The Debian packages: a virtual environment below /opt with the locked wheels, and what fits it into a system."""
