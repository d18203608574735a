"""The schema library of this Home Assistant: voluptuous, or from 2026.9 on probatio, which it puts in its place.

By the old name it is always the one that Home Assistant uses: another integration may have installed probatio beside an
older one, which cannot show the forms of it. Its types have their own name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    try:
        import probatio as vol  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        import voluptuous as vol  # type: ignore[no-redef,unused-ignore]
else:
    import voluptuous as vol

__all__ = ["vol"]
