"""What is wrong with a reader, in both languages."""

import msgspec
from msgspec import Struct

from iskra_server.diagnosis.advice import Advice, Words, advise
from iskra_server.fleet.central.reader_state import SILENT_AFTER_S, SKEW_LIMIT_S, ReaderRow

# what the central server writes of a reader by itself
_OWN = {str(advice.en): advice for advice in map(advise, ("reader_well", "reader_unheard", "reader_disconnected"))}


class _Source(Struct):
    """What counts here of a source in a stored status; readers of the first versions send no German."""

    ok: bool = True
    sentence_de: str = ""


_decode_sources = msgspec.json.Decoder(list[_Source]).decode


def problem(row: ReaderRow, now_s: float) -> Advice | None:
    """What is wrong with a reader and what to do; None where nothing is."""
    if row.rival_s and now_s - row.rival_s < SILENT_AFTER_S:
        return advise("reader_name", {"name": row.name})
    if not row.ok:
        return last_state(row.sentence, row.status)
    if row.skew_s is not None and abs(row.skew_s) > SKEW_LIMIT_S:
        return advise("reader_ahead" if row.skew_s > 0 else "reader_behind", {"seconds": abs(row.skew_s)})
    return None


def last_state(sentence: str, status: str) -> Advice:
    """What is stored of a reader: its `sentence` in English, and the `status` of all its sources."""
    if own := _OWN.get(sentence):
        return own
    german = next((source.sentence_de for source in _decode_sources(status) if not source.ok), "")
    return Advice("reader_fault", Words(sentence, ""), Words(german or sentence, ""))
