from iskra_server.base.secret import Secret
from iskra_server.config import MeterConfig
from iskra_server.meter.guard import Guard
from iskra_server.reading.hub import Hub
from iskra_server.runtime.meter_reader import configured_reader
from iskra_server.runtime.meter_setup import meter_decoding
from iskra_server.simulator.simulated_source import SimulatedSource


def test_a_reader_has_the_settings_of_its_meter() -> None:
    meter = MeterConfig(name="cellar", key=Secret("000102030405060708090A0B0C0D0E0F"))
    made = configured_reader(meter, SimulatedSource("M550"), meter_decoding(meter))(guard=Guard(), hub=Hub())
    facts = made.facts()
    assert (facts.name, facts.source, facts.has_key) == ("cellar", "simulator:M550", True)
