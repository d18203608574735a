"""What anybody who may write to the broker can put before this server: whatever it is, it is read or left."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iskra_server.outputs.mqtt.catalogue import KnownMeter
from iskra_server.outputs.mqtt.discovery import ORIGIN, DiscoveryPayloads, own_registers
from iskra_server.outputs.mqtt.removal import RemovalError, find_meter
from iskra_server.outputs.mqtt.topics import Topics
from outputs.mqtt.published import settings
from outputs.mqtt.test_payloads import reading, sample
from trying import tries

TOPICS = Topics("iskra-server", "homeassistant")
PAYLOADS = DiscoveryPayloads(topics=TOPICS, language="en", version="1")
METER = "0a0149534b0004316b61"
KEYS = ("energy_import", "power", "status", "x", "")

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*KEYS, "origin"]), inner, max_size=3),
)
entities = st.fixed_dictionaries(
    {"origin": st.just({"name": ORIGIN}) | values},
    optional={
        "suggested_display_precision": st.integers() | values,
        "components": st.dictionaries(st.sampled_from(KEYS), values, max_size=3) | values,
        "unique_id": values,
    },
)
payloads = st.one_of(st.binary(max_size=200), values.map(json.dumps), entities.map(json.dumps)).map(
    lambda payload: payload if isinstance(payload, bytes) else payload.encode()
)
names = st.text("abc019/+#$ ", max_size=12)
topics = st.one_of(
    names,
    st.builds(TOPICS.entity, names, st.just(METER) | names, st.sampled_from(KEYS)),
    st.builds(TOPICS.device, st.just(METER) | names),
    st.builds(TOPICS.availability, st.just(METER) | names),
    st.builds(TOPICS.diagnostics, st.just(METER) | names),
)


@tries()
@given(st.dictionaries(topics, payloads, max_size=4))
def test_retained_messages(messages: dict[str, bytes]) -> None:
    meter = KnownMeter(sample(reading()), "House")
    ours = {topic: payload for topic, payload in messages.items() if TOPICS.meter_of_discovery(topic)}
    for registers in own_registers(ours).values():
        for key, register in registers.items():
            meter.add_register(key, register.places, register.unit)
    for payload in meter.discovery(PAYLOADS, settings("mqtt://pi")).values():
        json.loads(payload)


@tries(0.5)
@given(st.dictionaries(topics, payloads, max_size=4), st.text(max_size=12))
def test_meters_that_a_broker_names(messages: dict[str, bytes], name: str) -> None:
    try:
        meter, label = find_meter(TOPICS, messages, name, "mqtt://pi")
    except RemovalError:
        return
    assert meter and label


def test_text_that_is_no_utf_8() -> None:
    assert own_registers({TOPICS.device(METER): b'{"unique_id":"\xff"}'}) == {}
    messages = {TOPICS.availability(METER): b"online", TOPICS.diagnostics(METER): b'{"id":"\xff"}'}
    assert find_meter(TOPICS, messages, METER, "mqtt://pi") == (METER, METER)


@pytest.mark.parametrize("beginning", [b'{"components":{"a":', b'{"origin":', b"[", b'{"a":['])
def test_depth_without_end(beginning: bytes) -> None:
    assert own_registers({TOPICS.device(METER): beginning * 20_000}) == {}
