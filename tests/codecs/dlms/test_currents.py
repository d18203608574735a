"""The step of currents that are sent without a scaler, by the power of their list."""

import pytest

import pushes
from iskra_server.codecs.dlms import encoder
from iskra_server.codecs.dlms.currents import scaler
from iskra_server.codecs.dlms.encoder import structure, u4
from iskra_server.meter.obis import Obis

# three phases: voltages 32, 52, 72 and currents 31, 51, 71
BALANCED = {32: 230, 52: 230, 72: 230, 31: 300, 51: 300, 71: 300}


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        # 3 A in each phase
        ({**BALANCED, 1: 2000}, -2),
        # 300 A, 30 A and 0.3 A
        ({**BALANCED, 1: 200_000}, 0),
        ({**BALANCED, 1: 20_000}, -1),
        ({**BALANCED, 21: 70_000, 41: 60_000, 61: 65_000}, 0),
        # a tenth of a kilowatt does not tell
        ({**BALANCED, 1: 200}, None),
        ({32: 230, 31: 0, 1: 2000}, None),
        ({**BALANCED}, None),
        # solar on one phase feeds the others: the total is small, the currents are right
        ({**BALANCED, 1: 250}, -2),
        ({**BALANCED, 21: 690, 41: 690, 62: 690, 1: 690}, -2),
        # 909.99 A by the usual step cannot be without transformers; it is 91 A, nearly all of it reactive
        ({32: 233, 52: 233, 72: 233, 31: 90_999, 51: 93_955, 71: 92_645, 2: 2585, 3: 63_364}, -3),
    ],
)
def test_the_power_tells_the_step(numbers: dict[int, int], expected: int | None) -> None:
    assert scaler(numbers, 0, -2) == expected


def test_a_step_that_was_told_stays() -> None:
    """258 kW at 401 A first, then a list with too little power to tell."""

    def sent(power: int, current: int) -> bytes:
        values = [("1-0:1.7.0", power), ("1-0:32.7.0", 230), ("1-0:31.7.0", current), ("1-0:1.8.0", 5)]
        rows = [encoder.descriptor(40, "0-8:25.9.0"), *(encoder.descriptor(3, obis) for obis, _ in values)]
        body = structure(encoder.array(*rows), *(u4(raw) for _, raw in values))
        return encoder.hdlc(pushes.apdu(body))

    found = pushes.readings(sent(100, 1) + sent(92_000, 401) + sent(100, 1))
    currents = [reading.get(Obis.parse("31.7.0")) for reading in found]
    assert [str(each and each.value) for each in currents] == ["0.01", "401", "1"]
