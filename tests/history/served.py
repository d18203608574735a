"""A server that reads a meter while its history cannot be written."""

import tempfile
from pathlib import Path

import telegrams
from running import Head, serving, until

# Wh/10, as the meter sends it
SENT = 123456780


def answers(data_dir: Path) -> dict[str, object]:
    """What a server with this data directory serves of a telegram, and says of its history."""
    data = telegrams.telegram(telegrams.meter_entries(energy=SENT), seconds=1)
    environ = {"IES_HISTORY_ENABLED": "true", "IES_DATA_DIR": str(data_dir)}
    with tempfile.TemporaryDirectory() as folder:
        head = Head(Path(folder, "head"))
        with serving("serve", str(head.link), environ=environ) as server:
            until(lambda: server.status()["facts"]["is_open"])
            head.send(data)
            until(lambda: server.cumulated().status_code == 200)
            body = server.cumulated().json()

            def history() -> str:
                return str(server.get("/api/v1/status").json()["history"] or "")

            # the database is tried, and the telegram recorded, beside all this
            until(lambda: " 1 telegram" in history())
            sentence = history()
            refused = server.get("/api/v1/meters/any/energy")
        head.unplug()
    return {
        "value": body["value"],
        "unit": body["unit"],
        **_parts(sentence.replace(str(data_dir), "DIR")),
        "energy": refused.status_code,
    }


def _parts(sentence: str) -> dict[str, str]:
    """What is wrong; and what waits, without the moment since when."""
    wrong, _, rest = sentence.partition(" History has not been written since ")
    return {"history": wrong, "waits": rest.partition("; ")[2]}
