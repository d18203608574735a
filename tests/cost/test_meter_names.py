from iskra_server.config import ContractConfig, OfferConfig
from iskra_server.cost.meter_names import NamedMeter, meter_findings

KNOWN = [NamedMeter("1 ISK 00 12345678", "0a01"), NamedMeter("HZ")]


def test_a_name_may_be_written_with_spaces_without_or_as_the_server_id() -> None:
    contracts = [ContractConfig(meter=name) for name in ("", "1ISK0012345678", "1 isk 00 12345678", "0A01", "hz")]
    assert meter_findings(contracts, (), KNOWN) == []


def test_a_contract_of_a_meter_that_measures_a_solar_plant_is_doubted() -> None:
    meters = [*KNOWN, NamedMeter("1 ISK 00 20000001", is_production=True)]
    found = meter_findings([ContractConfig(), ContractConfig(meter="1ISK0020000001")], (), meters)
    assert [(finding.level, finding.key) for finding in found] == [("warning", "contracts.2.meter")]
    assert "whose role is production" in found[0].sentence and "role = production" in found[0].german


def test_a_name_that_no_meter_has_is_told_with_its_place() -> None:
    found = meter_findings([ContractConfig()], [OfferConfig(), OfferConfig(meter="1ISK0000000000")], KNOWN)
    assert [(finding.level, finding.key) for finding in found] == [("warning", "offers.2.meter")]
    assert "Known are 1 ISK 00 12345678, HZ." in found[0].sentence and "liest dieser Server nicht" in found[0].german
    assert meter_findings([ContractConfig(meter="x")], (), ()) == []
