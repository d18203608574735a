"""Names that several modules use."""

from __future__ import annotations

from typing import Final

DOMAIN: Final = "iskra_server"
DEFAULT_PORT: Final = 8080
# option: minimum seconds between two states of one meter; a meter may send two telegrams a second
CONF_UPDATE_EVERY_S: Final = "update_every_s"
DEFAULT_UPDATE_EVERY_S: Final = 5.0
# so long may a meter or a server be away, such as for an update, before a person is asked to look
NO_DATA_AFTER_S: Final = 900
