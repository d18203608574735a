"""The console of commands."""

from rich.console import Console


def text_console(
    *, stderr: bool = False, quiet: bool = False, soft_wrap: bool = False, width: int | None = None
) -> Console:
    """A console that shows text as it is: ids, names and paths may have [brackets] or :words: in them.

    Styles are given as `style=` or in a `Text`.
    """
    return Console(
        stderr=stderr, quiet=quiet, soft_wrap=soft_wrap, width=width, highlight=False, markup=False, emoji=False
    )
