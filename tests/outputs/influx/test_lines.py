from datetime import timedelta

from msgspec import structs

import submeters
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Register
from iskra_server.meter.virtual_meter import MeterPart, VirtualMeter, virtual_reading
from iskra_server.outputs.influx.lines import line
from samples import EXPORT, START, energy, power, reading, sample

START_MS = int(START.timestamp()) * 1000


def test_a_sample_is_a_line_with_every_number_and_every_digit() -> None:
    point = line(sample(energy(123456789012345670), energy(20, 3, EXPORT), power(-321)))
    assert point == (
        rb"electricity,meter=1\ ISK\ 00\ 12345678 "
        b"energy_import=12345678901234567.0,energy_export=20000,power=-321 %d\n" % START_MS
    )


def test_the_time_is_the_arrival_to_the_millisecond() -> None:
    late = structs.replace(sample(energy(1)), received_at=START + timedelta(milliseconds=7, microseconds=999))
    assert line(late) == rb"electricity,meter=1\ ISK\ 00\ 12345678 energy_import=0.1 %d" % (START_MS + 7) + b"\n"


def test_a_simulated_meter_says_so() -> None:
    point = line(structs.replace(sample(energy(1)), simulated=True))
    assert point and point.startswith(rb"electricity,meter=1\ ISK\ 00\ 12345678,simulated=true ")


def test_what_is_no_number_is_left_out() -> None:
    text = Register(Obis.parse("129-129:199.130.3"), b"ISK")
    assert line(sample(text)) is None
    point = line(sample(text, energy(1)))
    assert point and b"ISK=" not in point and b"199" not in point


def test_gas_is_no_electricity() -> None:
    _, gas, heat = submeters.p1_samples()
    assert (line(gas) or b"").startswith(b"gas,meter=G0099000000000029 mbus1_reading=1569.646 ")
    assert (line(heat) or b"").startswith(b"heat,meter=H0099000000000077 mbus2_reading=12345000000 ")


def test_a_virtual_meter_has_its_name_as_a_tag() -> None:
    pump = VirtualMeter("Heat pump", (MeterPart("Z1", 1), MeterPart("Z2", -1)))
    content = virtual_reading(pump, [reading(power(1000)), reading(power(400))])
    assert content
    shown = line(structs.replace(sample(power(1)), reading=content, source="virtual"))
    assert shown
    assert shown.startswith(rb"electricity,meter=Heat\ pump power=600 ")
