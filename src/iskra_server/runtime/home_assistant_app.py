"""The server as an app of Home Assistant: it uses Home Assistant's MQTT broker, and offers our integration.

The broker may appear, change and disappear while the server runs. A Supervisor that does not answer, because it is
being updated, changes nothing.
"""

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress

from msgspec import structs

from iskra_server.base.secret import Secret
from iskra_server.config import Config, ConfigError, MqttConfig
from iskra_server.homeassistant.supervisor import MqttService, Supervisor, SupervisorError
from iskra_server.runtime.output_factory import planned_outputs
from iskra_server.runtime.plan import Plan
from iskra_server.runtime.planned_output import PlannedOutput

ASK_EVERY_S = 60.0

log = logging.getLogger(__name__)


class HomeAssistantApp:
    """`run` asks the Supervisor every minute, and at once after `ask_again`.

    `config` gives the configuration of the moment. `changed` is called when there is another broker, with the secrets
    of the one before.
    """

    def __init__(
        self,
        supervisor: Supervisor,
        config: Callable[[], Config],
        changed: Callable[..., Awaitable[None]],
    ) -> None:
        self._supervisor = supervisor
        self._config = config
        self._changed = changed
        self._broker: MqttService | None = None
        self._offered: Mapping[str, object] | None = None
        self._asking = asyncio.Event()
        # of each request, while it fails
        self._failures: dict[str, str] = {}

    def ask_again(self) -> None:
        self._asking.set()

    def outputs(self, plan: Plan) -> tuple[PlannedOutput, ...]:
        """Those of a plan, and MQTT where Home Assistant has a broker."""
        config = self.with_broker(plan.config)
        try:
            return (
                plan.outputs
                if config is plan.config
                else planned_outputs(config, plan.settings.contracts, plan.settings.tz)
            )
        except ConfigError as error:
            log.error("The MQTT broker of Home Assistant cannot be used: %s", error)
            return plan.outputs

    def with_broker(self, config: Config) -> Config:
        """With the broker of Home Assistant, unless another one is configured."""
        mqtt, broker = config.outputs.mqtt, self._broker
        if not broker or not _wants_broker(mqtt):
            return config
        mqtt = structs.replace(mqtt, url=broker.url, password=broker.password)
        return structs.replace(config, outputs=structs.replace(config.outputs, mqtt=mqtt))

    def secrets(self) -> Sequence[Secret]:
        return (self._broker.password,) if self._broker else ()

    async def run(self) -> None:
        while True:
            self._asking.clear()
            await self.ask()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._asking.wait(), ASK_EVERY_S)

    async def ask(self) -> None:
        """For the broker, and to offer the integration where that is new."""
        await self._reported("broker", self._follow_broker())
        await self._reported("discovery", self._offer_integration())

    async def _follow_broker(self) -> None:
        broker = await self._supervisor.mqtt_service() if _wants_broker(self._config().outputs.mqtt) else None
        if broker != self._broker:
            old_secrets = self.secrets()
            self._broker = broker
            if broker is None:
                log.info("The MQTT broker of Home Assistant is not used any more.")
            await self._changed(*old_secrets)

    async def _offer_integration(self) -> None:
        """Again when it changes: Home Assistant then knows the new token."""
        offer = offer_of(self._config())
        if offer != self._offered:
            await self._supervisor.announce(offer)
            self._offered = offer
            log.info("Home Assistant was told where its integration finds this server: port %s.", offer["port"])

    async def _reported(self, what: str, asking: Awaitable[None]) -> None:
        """A failure is logged when it begins or changes."""
        failure = ""
        try:
            await asking
        except SupervisorError as error:
            failure = str(error)
        if failure and failure != self._failures.get(what):
            log.warning("%s Trying again every minute.", failure)
        self._failures[what] = failure


def _wants_broker(mqtt: MqttConfig) -> bool:
    return mqtt.use_home_assistant and not mqtt.url


def offer_of(config: Config) -> dict[str, object]:
    """What the integration needs to reach the normal port, which Home Assistant can without its being opened."""
    server = config.server
    offer: dict[str, object] = {"host": socket.gethostname(), "port": server.port, "ssl": bool(server.tls_cert)}
    return offer | ({"token": server.token.reveal()} if server.token else {})
