"""A reader that was offline for a month: how long until the centre has all of it?

    python bench/offline.py [meters] [days]

The reader's ledger is filled while it is off; then its uplink runs, through Mosquitto, to one `iskra-server collect`
and PostgreSQL. The clock runs from its return until the reader has nothing left to send, and both ledgers are
compared row by row.
"""

import argparse
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from fleet.field import Collecting, FieldReader, rows
from history.postgres import running
from iskra_server.history.store.store import Store
from outputs.mqtt.broker import Mosquitto
from running import until

DEADLINE_S = 600


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("meters", type=int, nargs="?", default=10)
    parser.add_argument("days", type=int, nargs="?", default=30)
    options = parser.parse_args()
    meters, days = options.meters, options.days
    with tempfile.TemporaryDirectory() as name, running() as postgres, closing(Store(postgres.database())) as centre:
        broker = Mosquitto(Path(name), "max_inflight_messages 500").start()
        reader = FieldReader(Path(name), "cellar", broker.url, meters=meters)
        reader.live_through(96 * days)
        waiting = reader.waiting
        collector = Collecting(broker.url, postgres.url("postgres"))
        try:
            until(lambda: "Collecting from" in collector.log)
            began = time.monotonic()
            reader.start()
            until(lambda: reader.waiting == 0, DEADLINE_S, every_s=0.2)
            seconds = time.monotonic() - began
            is_whole = rows(centre, reader.meters) == reader.rows
        finally:
            reader.close()
            collector.end()
            broker.kill()
    print(f"{waiting:,} quarters of {meters} meters and {days} days: complete within {seconds:.1f} s")
    print("row by row the same" if is_whole else "NOT THE SAME")
    return 0 if is_whole else 1


if __name__ == "__main__":
    sys.exit(main())
