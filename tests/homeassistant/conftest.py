"""One home for all tests of this folder; installing and starting takes most of their time."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

import other_clock
from homeassistant import forms, network, release
from homeassistant.entities import are_right
from homeassistant.home import PORT, Home, home
from homeassistant.instance import START_S, HomeAssistant
from homeassistant.network import PI_NAME
from test_docs import DOCS, blocks


@pytest.fixture(scope="package")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """Configured with the blocks of the documentation, and by hand with the broker; the server was there last."""
    if reason := network.missing() or other_clock.MISSING:
        pytest.skip(reason)
    wanted = release.wanted()
    possible = [one for one in wanted if not release.missing(one)]
    if not possible:
        pytest.skip("; ".join(filter(None, map(release.missing, wanted))))
    with ThreadPoolExecutor() as pool:
        list(pool.map(release.install, possible))
    with home(tmp_path_factory.mktemp("home"), possible, *blocks(DOCS / "home-assistant.md", "yaml")) as built:
        built.broker.start()
        built.everywhere(HomeAssistant.start)
        built.everywhere(lambda assistant: assistant.add_mqtt(PI_NAME, built.broker.port))
        built.start_server()
        built.everywhere(add_ours)
        # whichever file is run alone: its first test takes something away that has to be there
        are_right(built, START_S)
        yield built


def add_ours(assistant: HomeAssistant) -> None:
    """With every telegram, as MQTT and the RESTful sensors have it here."""
    if assistant.has_ours:
        entry = forms.add(assistant, host=PI_NAME, port=PORT)
        forms.set_options(assistant, entry, update_every_s=0)
