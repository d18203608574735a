"""An emulated device of a configuration: made when the meter that it shows is chosen."""

from collections.abc import Callable, Hashable
from typing import Generic, NamedTuple, TypeVar

from iskra_server.outputs.emulation.clients import Clients
from iskra_server.outputs.emulation.device import EmulatedDevice

Device = TypeVar("Device", bound=EmulatedDevice)
# gives the number of a device (device_identity.py), None before the meter is known
Mac = Callable[[], str | None]


class PlannedDevice(NamedTuple, Generic[Device]):
    """`for_batteries`: what it shows follows the rules of outputs.emulation; others show the meter as it is, and their
    answers wait `wait_fresh_s` for the next telegram.
    """

    settings: Hashable
    make: Callable[[Clients, Mac], Device]
    for_batteries: bool = False
    wait_fresh_s: float = 0.0
