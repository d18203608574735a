"""Which Shelly a device is: its model, and the names that clients know it by."""

from collections.abc import Callable
from typing import NamedTuple

# of all models
VERSION, FIRMWARE = "1.7.1", "20250924-062729/1.7.1-gd336f31"


class ShellyModel(NamedTuple):
    """`component` is what measures: EM (three phases) or EM1 (one channel). `ports` are those that batteries ask."""

    name: str
    number: str
    app: str
    generation: int
    component: str
    profile: str | None
    ports: tuple[int, ...]


PRO_3EM = ShellyModel("ShellyPro3EM", "SPEM-003CEBEU", "Pro3EM", 2, "EM", "triphase", (1010, 2220))
PRO_EM50 = ShellyModel("ShellyProEM50", "SPEM-002CEBEU50", "ProEM50", 2, "EM1", None, (2223,))
EM_GEN3 = ShellyModel("ShellyEMG3", "S3EM-002CXCEU", "EMG3", 3, "EM1", None, (2222,))


class ShellyIdentity(NamedTuple):
    """`mac`: twelve hex digits in lower case. `typical`: whether what the meter does not measure is filled in."""

    model: ShellyModel
    mac: str
    typical: bool = True

    @property
    def id(self) -> str:
        """Batteries remember it; Marstek refuses one of another form."""
        return f"{self.model.name.lower()}-{self.mac}"

    @property
    def upper_id(self) -> str:
        """As Solakon looks for it."""
        return f"{self.model.name}-{self.mac.upper()}"


# None before the meter is known
Identify = Callable[[], ShellyIdentity | None]
