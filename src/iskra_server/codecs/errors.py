"""The one exception inside the codecs; caught by each decoder and turned into a `Fault`."""


class Malformed(Exception):
    """Bytes that do not follow the protocol; the text says what stood where and what was expected."""


class NoFrame(Malformed):
    """Nothing of the protocol begins at these bytes: they are noise, not a damaged frame."""
