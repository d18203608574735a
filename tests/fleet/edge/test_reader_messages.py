"""What a reader reports about its sources."""

from iskra_server.fleet import protocol
from iskra_server.fleet.edge.reader_messages import sources
from samples import METER_ID
from web.serving import status


def test_a_source_says_what_is_wrong_in_both_languages() -> None:
    well, silent = status(), status(meter_id=None, age_s=None, telegrams=0, byte_count=0, data_age_s=None)
    first, second = sources([well, silent])
    assert (first.ok, first.meter, first.broken, first.sentence_de) == (True, METER_ID, None, "")
    assert b"sentence_de" not in protocol.encode(first)
    assert (second.ok, second.broken) == (False, silent.failed_check)
    assert (second.sentence, second.sentence_de) == (str(silent.advice.en), str(silent.advice.de))
    assert second.sentence_de.startswith("An /dev/ttyUSB0 kommen keine Daten an.")
