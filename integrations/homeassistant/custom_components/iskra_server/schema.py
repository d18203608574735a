"""The schema library of this Home Assistant: probatio from 2026 on, before that voluptuous; the names are the same."""

from __future__ import annotations

try:
    import probatio as vol  # type: ignore[import-not-found,unused-ignore]
except ImportError:
    import voluptuous as vol  # type: ignore[no-redef,unused-ignore]

__all__ = ["vol"]
