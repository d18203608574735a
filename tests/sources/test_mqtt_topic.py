"""A topic of a real Mosquitto as a source: forms of payloads, retained messages, and what a broker may refuse."""

import asyncio
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import telegrams
import texts
from iskra_server.mqtt import broker_connection
from iskra_server.sources import mqtt_topic, reconnect
from iskra_server.sources.mqtt_topic import mqtt_source
from iskra_server.sources.reconnect import Reconnecting
from outputs.mqtt.broker import Mosquitto, Subscriber
from outputs.mqtt.secured import CA, READER, guarded, secured
from running import free_port
from sources.ptys import listening, until

SERIES = telegrams.series(5)
TOPIC = "house/meter/raw"


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconnect, "FIRST_WAIT_S", 0.05)


@pytest.fixture(name="broker")
def broker_without_password(tmp_path: Path) -> Iterator[Mosquitto]:
    made = Mosquitto(tmp_path).start()
    yield made
    made.kill()


async def wait(condition: Callable[[], Any]) -> None:
    await until(condition)


async def subscribed(broker: Mosquitto, count: int = 1) -> None:
    """The broker has that many subscriptions of the topic so far."""
    await wait(lambda: broker.log.exists() and broker.log.read_text().count(f"\t{TOPIC} (QoS 0)") >= count)


def source_of(broker: Mosquitto, topic: str = TOPIC, **keys: Any) -> Reconnecting:
    return mqtt_source(f"{broker.url}/{topic}", **keys)


def state_of(source: Reconnecting) -> tuple[str | None, dict[str, str]]:
    async def main() -> tuple[str | None, dict[str, str]]:
        async with listening(source):
            await wait(lambda: source.state.problem)
            return source.state.problem, source.state.details

    return asyncio.run(main())


@pytest.mark.parametrize(
    "form",
    [
        bytes,
        lambda data: data.hex().upper().encode(),
        lambda data: b'{"SSerialReceived":"' + data.hex().encode() + b'"}',
    ],
    ids=["raw", "hex", "Tasmota"],
)
def test_telegrams_of_each_form(broker: Mosquitto, form: Callable[[bytes], bytes]) -> None:
    async def main() -> None:
        source = source_of(broker)
        with Subscriber(broker.port, "nothing") as head:
            async with listening(source) as heard:
                await subscribed(broker)
                for telegram in SERIES:
                    head.say(TOPIC, form(telegram))
                await wait(lambda: heard.data == b"".join(SERIES))
                assert (source.state.is_open, source.state.problem) == (True, None)

    asyncio.run(main())


def test_what_the_broker_retained_never_counts(broker: Mosquitto) -> None:
    async def main() -> None:
        with Subscriber(broker.port, "nothing") as head:
            head.say(TOPIC, SERIES[0], retain=True)
            source = source_of(broker, silence_s=0.2)
            async with listening(source) as heard:
                await wait(lambda: source.state.problem == "mqtt_silent")
                assert (heard.data, source.state.is_open) == (b"", False)
                # a head that publishes with the retain flag is heard all the same
                head.say(TOPIC, SERIES[1], retain=True)
                await wait(lambda: heard.data == SERIES[1])
                assert source.state.is_open

    asyncio.run(main())


def test_a_binary_telegram_that_is_delivered_twice_counts_once(broker: Mosquitto) -> None:
    async def main() -> None:
        with Subscriber(broker.port, "nothing") as head:
            async with listening(source_of(broker)) as heard:
                await subscribed(broker)
                for telegram in (SERIES[0], SERIES[0], SERIES[1]):
                    head.say(TOPIC, telegram)
                await wait(lambda: heard.data == SERIES[0] + SERIES[1])

    asyncio.run(main())


def test_a_message_that_is_longer_than_any_telegram_is_left_out(broker: Mosquitto) -> None:
    async def main() -> None:
        with Subscriber(broker.port, "nothing") as head:
            async with listening(source_of(broker)) as heard:
                await subscribed(broker)
                for payload in (SERIES[0] * 1000, b"[" * 100_000, SERIES[1]):
                    head.say(TOPIC, payload)
                await wait(lambda: heard.data == SERIES[1])

    asyncio.run(main())


def test_the_same_text_is_another_readout(broker: Mosquitto) -> None:
    """A D0 meter without a clock sends the same as long as nothing flows."""
    readout = texts.d0_readout()

    async def main() -> None:
        with Subscriber(broker.port, "nothing") as head:
            async with listening(source_of(broker)) as heard:
                await subscribed(broker)
                for _ in range(3):
                    head.say(TOPIC, readout)
                await wait(lambda: heard.data == readout * 3)

    asyncio.run(main())


def test_values_instead_of_telegrams_are_a_problem_until_a_telegram_comes(broker: Mosquitto) -> None:
    async def main() -> None:
        source = source_of(broker)
        with Subscriber(broker.port, "nothing") as head:
            async with listening(source) as heard:
                await subscribed(broker)
                head.say(TOPIC, '{"SML":{"Total_in":1234.5}}')
                await wait(lambda: source.state.problem == "only_values")
                head.say(TOPIC, SERIES[0])
                await wait(lambda: heard.data == SERIES[0])
                await wait(lambda: source.state.is_open and source.state.problem is None)

    asyncio.run(main())


def test_nothing_on_the_topic_is_a_problem(broker: Mosquitto) -> None:
    problem, details = state_of(source_of(broker, silence_s=0.1))
    assert (problem, details) == (
        "mqtt_silent",
        {"port": f"{broker.url}/{TOPIC}", "topic": TOPIC, "seconds": "0"},
    )
    assert mqtt_topic.SILENCE_S == 20


def test_a_broker_that_was_away_is_read_again(broker: Mosquitto) -> None:
    async def main() -> None:
        source = source_of(broker)
        async with listening(source) as heard:
            await subscribed(broker)
            with Subscriber(broker.port, "nothing") as head:
                head.say(TOPIC, SERIES[0])
                await wait(lambda: heard.data == SERIES[0])
            broker.kill()
            await wait(lambda: source.state.problem == "mqtt_unavailable")
            await asyncio.to_thread(broker.start)
            await subscribed(broker, 2)
            with Subscriber(broker.port, "nothing") as head:
                head.say(TOPIC, SERIES[1])
                await wait(lambda: heard.data == SERIES[0] + SERIES[1])
            assert source.state.is_open

    asyncio.run(main())


def test_a_broker_that_answers_nothing_any_more_is_a_problem(
    broker: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker_connection, "KEEP_ALIVE_S", 1)

    async def main() -> None:
        source = source_of(broker)
        with Subscriber(broker.port, "nothing") as head:
            async with listening(source) as heard:
                await subscribed(broker)
                head.say(TOPIC, SERIES[0])
                await wait(lambda: heard.data == SERIES[0])
                broker.freeze()
                try:
                    await wait(lambda: source.state.problem == "mqtt_unavailable")
                finally:
                    broker.thaw()
                await subscribed(broker, 2)
                head.say(TOPIC, SERIES[1])
                await wait(lambda: heard.data == SERIES[0] + SERIES[1])

    asyncio.run(main())


def test_no_broker_is_a_problem_with_its_reason() -> None:
    problem, details = state_of(mqtt_source(f"mqtt://127.0.0.1:{free_port()}/{TOPIC}"))
    assert problem == "mqtt_unavailable"
    assert details["reason"] == "Connection refused"


def test_a_wrong_password_is_a_problem_without_the_password(tmp_path: Path) -> None:
    with guarded(tmp_path, "meter", "s3cr:t/@") as broker:
        address = f"127.0.0.1:{broker.port}/{TOPIC}"
        problem, details = state_of(mqtt_source(f"mqtt://meter:wrong-one@{address}"))
        assert (problem, details) == ("mqtt_password", {"port": f"mqtt://meter:***@{address}"})

        async def main() -> None:
            with Subscriber(broker.port, "nothing", user="meter", password="s3cr:t/@") as head:
                async with listening(mqtt_source(f"mqtt://meter:s3cr%3At%2F%40@{address}")) as heard:
                    await subscribed(broker)
                    head.say(TOPIC, SERIES[0])
                    await wait(lambda: heard.data == SERIES[0])

        asyncio.run(main())


def test_a_topic_that_the_broker_denies(tmp_path: Path) -> None:
    plugin = next(iter(Path("/usr/lib").glob("*/mosquitto_dynamic_security.so")), None)
    if plugin is None:
        pytest.skip("this Mosquitto has no dynamic security")
    (tmp_path / "rules.json").write_text('{"defaultACLAccess": {"subscribe": false}}')
    broker = Mosquitto(tmp_path, f"plugin {plugin}", f"plugin_opt_config_file {tmp_path / 'rules.json'}").start()
    try:
        problem, details = state_of(source_of(broker))
        assert (problem, details["topic"]) == ("mqtt_denied", TOPIC)
    finally:
        broker.kill()


def test_tls_with_an_authority_and_a_certificate_of_ones_own(tmp_path: Path) -> None:
    async def main(broker: Mosquitto) -> None:
        context = ssl.create_default_context(cafile=str(tmp_path / CA))
        context.load_cert_chain(tmp_path / READER)
        url = f"mqtts://localhost:{broker.port}/{TOPIC}?ca_file={tmp_path / CA}&cert_file={tmp_path / READER}"
        with Subscriber(broker.port, "nothing", context=context) as head:
            async with listening(mqtt_source(url)) as heard:
                await subscribed(broker)
                head.say(TOPIC, SERIES[0])
                await wait(lambda: heard.data == SERIES[0])

    with secured(tmp_path) as broker:
        asyncio.run(main(broker))


def test_cancelling_leaves_the_broker(broker: Mosquitto) -> None:
    async def main() -> None:
        async with listening(source_of(broker)):
            await subscribed(broker)

    asyncio.run(main())

    async def left() -> None:
        await wait(lambda: "disconnected" in broker.log.read_text())

    asyncio.run(left())


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("mqtt://pi", "mqtt://pi must name a topic: mqtt://USER:PASSWORD@BROKER/TOPIC."),
        ("mqtts://me:secret@pi/", "mqtts://me:***@pi/ must name a topic: mqtts://USER:PASSWORD@BROKER/TOPIC."),
        ("mqtt://pi/house/+/raw", "mqtt://pi/house/+/raw names several topics by + or #; name the topic of one meter."),
        ("mqtt://pi/#", "mqtt://pi/# names several topics by + or #; name the topic of one meter."),
        ("mqtt://pi/house/%23", "mqtt://pi/house/%23 names several topics by + or #; name the topic of one meter."),
        (
            "mqtt:///topic",
            "mqtt:///topic cannot be used: the url must be like mqtt://user@host:1883, or mqtts:// for TLS.",
        ),
        ("mqtt://pi:0/t", "mqtt://pi:0/t cannot be used: the port in the url must be a number from 1 to 65535."),
        (
            "mqtt://pi/t?ca_file=x",
            "mqtt://pi/t?ca_file=x cannot be used: certificates need TLS: write the url as mqtts://.",
        ),
        ("mqtts://pi/t?ca_file=/nowhere", "mqtts://pi/t?ca_file=/nowhere cannot be used: there is no file /nowhere."),
        (
            "mqtt://pi/t?qos=1",
            "mqtt://pi/t?qos=*** cannot be used: the option qos is unknown; there are ca_file, cert_file, key_file.",
        ),
    ],
)
def test_a_wrong_address_is_one_sentence(url: str, sentence: str) -> None:
    with pytest.raises(ValueError) as refusal:
        mqtt_source(url)
    assert str(refusal.value) == sentence


@pytest.mark.parametrize(
    ("path", "topic"),
    [
        ("tele/meter/RESULT", "tele/meter/RESULT"),
        ("/with/slash", "/with/slash"),
        ("$aws/rules/bridge/publish", "$aws/rules/bridge/publish"),
        ("two%20words", "two words"),
    ],
)
def test_every_other_topic_can_be_written(broker: Mosquitto, path: str, topic: str) -> None:
    async def main() -> None:
        async with listening(source_of(broker, path)):
            await wait(lambda: f"\t{topic} (QoS 0)" in broker.log.read_text())

    asyncio.run(main())
