"""Facts of a central server in which every count has a value."""

from datetime import UTC, datetime

from iskra_server.diagnosis.central_state import CentralFacts

FACTS = CentralFacts(
    at=datetime.fromtimestamp(1_795_000_000, UTC),
    meters=24,
    silent_meters=2,
    gone_meters=1,
    readers=3,
    silent_readers=1,
    gone_readers=0,
    failing_readers=1,
    waiting_readers=1,
    skewed_reader="house-7",
    skew_s=-400,
    waiting_quarters=96,
    refused_quarters=5,
    conflicts=5,
    refused_messages=4,
    months_left=23,
    last_message=datetime.fromtimestamp(1_794_999_940, UTC),
)
