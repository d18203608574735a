"""The one exception of history. It stands alone so that those who only catch it need no database library."""


class StoreError(Exception):
    """One sentence: which database, what is wrong, what to do next."""
