"""RESTful sensors of a Home Assistant that was there before the server, from the YAML of the documentation.

The next files end servers: not while it tries again.
"""

import re

from homeassistant.entities import BY_REST, unique_ids
from homeassistant.home import IS_AWAY, Home
from homeassistant.instance import EVERY_S
from running import until
from test_docs import DOCS, blocks

# a platform that is not ready is tried again after 30 s, then after 60 s
FOUND_S = 240.0
# asked in the second between the start of the server and its first telegram, which is answered with 503
IS_UNREAD = re.compile(r"has no attribute 'registers'")


def test_a_server_that_starts_later_is_found(house: Home) -> None:
    house.shows(house.meter.kwh, FOUND_S)
    documented = unique_ids(*blocks(DOCS / "home-assistant.md", "yaml"))
    for assistant in house.assistants:
        until(lambda: set(assistant.entities(BY_REST)) >= documented, FOUND_S, EVERY_S)  # noqa: B023
        complaints = [line for line in assistant.complaints() if not IS_AWAY.search(line)]
        assert [line for line in complaints if not IS_UNREAD.search(line)] == []
