"""How each fault of the table of advice comes about. A stage brings it about, and mends it behind its `yield`.

A stage that ends without a `yield` behind which something is mended cannot be mended while the server runs.
"""

import os
import stat
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

import other_clock
import pushes
import telegrams
from faults.scene import FIRST_ENERGY, Scene, telegram
from history import entries as history
from iskra_server.base.installation import in_container
from iskra_server.codecs.dlms import encoder as dlms
from iskra_server.codecs.sml import encoder, tlv
from iskra_server.codecs.wire import received
from iskra_server.history.model.records import quarter_of
from iskra_server.history.store.checkup import repair
from iskra_server.history.store.store import Store
from iskra_server.meter.obis import Obis
from running import free_port, until

Stage = Callable[[Scene], Iterator[None]]

OTHER_METER = bytes.fromhex("090149534b0000bc614f")
NOBODY = 65534
# an app of Home Assistant whose Supervisor is away
IN_APP = {"SUPERVISOR_TOKEN": "secret", "SUPERVISOR": "127.0.0.1:9"}
P1 = b"/ISK5\\2M550T-1012\r\n\r\n1-3:0.2.8(50)\r\n0-0:1.0.0(261126140500W)\r\n1-0:1.8.1(000123.456*kWh)\r\n!A1B2\r\n"
HDLC = bytes.fromhex("7ea01a0221" + "13" * 22 + "7e")
# a heat meter
# as an AM550 in Austria or Switzerland sends it: general-glo-ciphering, of which nobody here has the key
SEALED = bytes.fromhex("db08") + pushes.TITLE + bytes.fromhex("312000000064") + bytes(range(44))
MBUS = bytes.fromhex("68101068080172") + bytes(13) + b"\x7b\x16"
NMEA = b"$GNRMC,140500.00,A,4807.038,N,01131.000,E,0.0,84.4,261126,,,A*6A\r\n"
WHOLE = telegrams.telegram()
LINE_FEEDS = telegrams.telegram(server_id=bytes.fromhex("0a0a49534b0000bc614e"))


def well(scene: Scene) -> Iterator[None]:
    scene.serve()
    scene.is_open()
    scene.head.send(scene.good())
    yield


# --- device ---


def no_port(scene: Scene) -> Iterator[None]:
    if in_container():
        pytest.skip("this machine is a container")
    yield from _no_port(scene)


def no_port_in_container(scene: Scene) -> Iterator[None]:
    yield from _no_port(scene, {"container": "podman"})


def no_port_in_app(scene: Scene) -> Iterator[None]:
    yield from _no_port(scene, IN_APP)


def _no_port(scene: Scene, environ: dict[str, str] | None = None) -> Iterator[None]:
    by_id = scene.serve_auto(environ)
    yield
    scene.deliver = scene.plug(by_id, "usb-head").send


def missing(scene: Scene) -> Iterator[None]:
    if in_container():
        pytest.skip("this machine is a container")
    yield from _missing(scene)


def missing_in_container(scene: Scene) -> Iterator[None]:
    yield from _missing(scene, {"container": "podman"})


def missing_in_app(scene: Scene) -> Iterator[None]:
    yield from _missing(scene, IN_APP)


def _missing(scene: Scene, environ: dict[str, str] | None = None) -> Iterator[None]:
    scene.head.unplug()
    scene.serve(environ=environ)
    yield
    scene.head.plug()


def nothing_behind(scene: Scene) -> Iterator[None]:
    """The node of a USB adapter that is not there."""
    device = scene.folder / "ttyUSB250"
    try:
        os.mknod(device, stat.S_IFCHR | 0o660, os.makedev(188, 250))
        os.close(os.open(device, os.O_RDWR))
    except PermissionError:
        pytest.skip("this machine does not let us make a device")
    except OSError:
        pass
    scene.serve(device)
    yield
    device.unlink()
    device.symlink_to(scene.head.link)


def unplugged(scene: Scene) -> Iterator[None]:
    scene.serve()
    scene.is_open()
    scene.head.send(scene.good())
    until(lambda: scene.server.status()["ok"])
    scene.head.unplug()
    yield
    scene.head.plug()


def simulated_unplugged(scene: Scene) -> Iterator[None]:
    scene.serve("simulator:MT175?rate=4&faults=unplug=0.2")
    yield


def capture_missing(scene: Scene) -> Iterator[None]:
    scene.serve(f"file:{scene.folder}/gone.bin")
    yield


# --- permission ---


def permission_group(scene: Scene) -> Iterator[None]:
    if in_container():
        pytest.skip("this machine is a container")
    yield from _forbidden(scene, 0o660)


def permission_group_in_container(scene: Scene) -> Iterator[None]:
    yield from _forbidden(scene, 0o660, {"container": "podman"})


def permission_owner(scene: Scene) -> Iterator[None]:
    yield from _forbidden(scene, 0o600)


def _forbidden(scene: Scene, mode: int, environ: dict[str, str] | None = None) -> Iterator[None]:
    port = scene.head.link.resolve()
    os.chown(port, NOBODY, NOBODY)
    port.chmod(mode)
    scene.serve_weak(environ=environ)
    yield
    port.chmod(0o666)


def permission_directory(scene: Scene) -> Iterator[None]:
    folder = scene.folder / "closed"
    folder.mkdir()
    (folder / "head").symlink_to(scene.head.link)
    folder.chmod(0o700)
    os.chown(folder, NOBODY, NOBODY)
    scene.serve_weak(folder / "head")
    yield
    folder.chmod(0o755)


def capture_permission(scene: Scene) -> Iterator[None]:
    capture = scene.folder / "capture.bin"
    capture.write_bytes(WHOLE)
    capture.chmod(0o600)
    os.chown(capture, NOBODY, NOBODY)
    scene.serve_weak(f"file:{capture}")
    yield


# --- port ---


def busy(scene: Scene) -> Iterator[None]:
    with scene.held():
        scene.serve()
        yield


def busy_unknown(scene: Scene) -> Iterator[None]:
    with scene.held():
        scene.serve_weak()
        yield


def named_twice(scene: Scene) -> Iterator[None]:
    """A second name leads to the head as soon as that is read."""
    second = scene.folder / "second-name"
    scene.serve(second, scene.head.link)
    until(lambda: any(each["facts"]["is_open"] for each in scene.server.get("/api/v1/status").json()["meters"]))
    second.symlink_to(scene.head.link)
    yield
    scene.deliver = scene.plug(scene.folder, second.name).send


def all_taken(scene: Scene) -> Iterator[None]:
    by_id = scene.serve_auto()
    scene.plug(by_id, "usb-ITead_Sonoff_Zigbee_3.0_USB_Dongle_Plus-if00")
    yield
    scene.deliver = scene.plug(by_id, "usb-head").send


def unusable(scene: Scene) -> Iterator[None]:
    scene.serve("/dev/null")
    yield


def unusable_file(scene: Scene) -> Iterator[None]:
    (scene.folder / "capture.bin").write_bytes(WHOLE)
    scene.serve(scene.folder / "capture.bin")
    yield


def capture_unusable(scene: Scene) -> Iterator[None]:
    scene.serve(f"file:{scene.folder}")
    yield


def ended(scene: Scene) -> Iterator[None]:
    (scene.folder / "capture.bin").write_bytes(WHOLE)
    scene.serve(f"file:{scene.folder}/capture.bin?speed=0")
    yield


def refused(scene: Scene) -> Iterator[None]:
    port = free_port()
    scene.serve(f"tcp://127.0.0.1:{port}")
    yield
    scene.accept(scene.listen(port))


def closed(scene: Scene) -> Iterator[None]:
    """Every connection, again and again: one that is left open tells of silence half a second later."""
    listening, is_over = scene.listen(), threading.Event()
    scene.serve(f"tcp://127.0.0.1:{listening.getsockname()[1]}")
    listening.settimeout(0.1)

    def close_all() -> None:
        while not is_over.is_set():
            with suppress(TimeoutError):
                listening.accept()[0].close()

    closing = threading.Thread(target=close_all)
    closing.start()
    try:
        yield
    finally:
        is_over.set()
        closing.join()
    listening.settimeout(None)
    scene.accept(listening)


def unknown_name(scene: Scene) -> Iterator[None]:
    scene.serve("tcp://head.invalid:4000")
    yield


def http_password(scene: Scene) -> Iterator[None]:
    served = scene.serve_bridge()
    served.status = 401
    yield
    served.status = 200


def http_empty(scene: Scene) -> Iterator[None]:
    scene.serve_bridge()
    yield


def http_no_node(scene: Scene) -> Iterator[None]:
    served = scene.serve_bridge()
    served.node = "2"
    yield
    served.node = "1"


def only_values(scene: Scene) -> Iterator[None]:
    scene.serve_bridge().body = b'{"$type":"imp_data","delta":10}'
    yield


def mqtt_unavailable(scene: Scene) -> Iterator[None]:
    broker = scene.serve_topic()
    yield
    broker.start()
    scene.publish(broker)


def no_answer(scene: Scene) -> Iterator[None]:
    """It accepts, but never negotiates."""
    scene.serve(f"rfc2217://127.0.0.1:{scene.listen().getsockname()[1]}")
    yield


def unreachable(scene: Scene) -> Iterator[None]:
    scene.serve("tcp://255.255.255.255:4000")
    yield


def needs_package(scene: Scene) -> Iterator[None]:
    yield from _needs_package(scene)


def needs_other_installation(scene: Scene) -> Iterator[None]:
    """As in the container image and the Debian package, which have no pip."""
    (scene.folder / "sitecustomize.py").write_text("import sys\n\nsys.modules['pip'] = None\n")
    yield from _needs_package(scene, {"PYTHONPATH": str(scene.folder)})


def _needs_package(scene: Scene, environ: dict[str, str] | None = None) -> Iterator[None]:
    with suppress(ImportError):
        import aioesphomeapi  # type: ignore[import-not-found]  # noqa: F401, PLC0415

        pytest.skip("the package is installed")
    scene.serve("esphome://192.0.2.1/?port_name=head", environ=environ)
    yield


# --- bytes ---


def silence(scene: Scene) -> Iterator[None]:
    """At one speed: without it the port is searched."""
    scene.serve(f"{scene.head.link}?baud=9600")
    yield


def fell_silent(scene: Scene) -> Iterator[None]:
    scene.serve(environ={"IES_METERS_STALE_AFTER_S": "1"})
    scene.is_open()
    scene.head.send(scene.good())
    yield


def no_meter_found(scene: Scene) -> Iterator[None]:
    by_id = scene.serve_auto()
    scene.plug(by_id, "usb-a-other")
    scene.deliver = scene.plug(by_id, "usb-b-head").send
    yield


# --- signal, protocol ---


def _hearing(data: bytes) -> Stage:
    def stage(scene: Scene) -> Iterator[None]:
        scene.serve(f"{scene.head.link}?baud=9600")
        scene.is_open()
        scene.head.send(data)
        yield

    return stage


def framing(scene: Scene) -> Iterator[None]:
    """What comes of a telegram at an odd speed, and what a driver says of it."""
    scene.serve_counting()
    scene.driver_counts(framing=30, overruns=0)
    scene.head.send(bytes.fromhex("98e0861e7866") * 20)
    yield


def gps(scene: Scene) -> Iterator[None]:
    """`auto` finds it on the only port, and then the head in its place."""
    by_id = scene.serve_auto()
    scene.deliver = scene.plug(by_id, "usb-serial").send
    scene.is_read_at("9600 8N1")
    scene.deliver(NMEA)
    yield


# --- telegrams, checksums, values ---


def _damaged(scene: Scene) -> bytes:
    return scene.good()[:-1] + b"\x00"


def no_valid_telegram(scene: Scene) -> Iterator[None]:
    scene.serve()
    scene.is_open()
    scene.head.send(b"".join(_damaged(scene) for _ in range(3)))
    yield


def checksums(scene: Scene) -> Iterator[None]:
    scene.serve()
    scene.is_open()
    for _ in range(4):
        scene.head.send(scene.good() + _damaged(scene))
    yield


def cut(scene: Scene) -> Iterator[None]:
    scene.serve()
    scene.is_open()
    for _ in range(5):
        scene.head.send(scene.good() + scene.good()[:200])
    yield


def overrun(scene: Scene) -> Iterator[None]:
    """Telegrams lose a byte, and the driver knows where."""
    scene.serve_counting()
    scene.driver_counts(framing=0, overruns=4)
    for _ in range(4):
        scene.head.send(scene.good() + scene.good()[:100] + scene.good()[101:])
    yield


def first_telegram(scene: Scene) -> Iterator[None]:
    scene.serve()
    scene.is_open()
    scene.head.send(scene.good()[:100])
    yield


def held_back(scene: Scene) -> Iterator[None]:
    """The counter of yesterday was higher."""
    record = {"IES_HISTORY_ENABLED": "true", "IES_DATA_DIR": str(scene.folder), "IES_HISTORY_FLUSH_S": "1"}
    scene.serve(environ=record)
    scene.is_open()
    scene.head.send(scene.good())
    until(lambda: scene.server.status()["ok"])
    scene.server.end()
    scene.serve(environ=record)
    scene.is_open()
    scene.head.send(telegram(energy=FIRST_ENERGY - 9))
    yield


# --- unlocked, fresh, plausible ---

LOCKED = {"energy": FIRST_ENERGY // 10_000, "scaler": 3, "power": None}


def locked(scene: Scene) -> Iterator[None]:
    scene.serve()
    scene.is_open()
    scene.head.send(scene.good(**LOCKED))
    yield


def relocked(scene: Scene) -> Iterator[None]:
    scene.serve()
    scene.is_open()
    scene.head.send(scene.good() + scene.good(**LOCKED))
    yield


def inf_off(scene: Scene) -> Iterator[None]:
    scene.serve()
    scene.is_open()
    for seconds, entries in ((0, LOCKED), (10, {"energy": FIRST_ENERGY}), (131, LOCKED)):
        scene.head.send(telegram(seconds=seconds, **entries))
    yield


def stale(scene: Scene) -> Iterator[None]:
    """The head still hears something."""
    scene.serve(environ={"IES_METERS_STALE_AFTER_S": "1"})
    scene.is_open()

    def is_served() -> bool:
        """On a busy machine one telegram would be stale before that."""
        scene.head.send(scene.good())
        return scene.server.cumulated().status_code == 200

    until(is_served)
    yield


def rare(scene: Scene) -> Iterator[None]:
    """One telegram every four seconds."""
    scene.serve(environ={"IES_METERS_STALE_AFTER_S": "1"})
    scene.is_open()
    scene.head.send(scene.good())
    time.sleep(4)
    scene.head.send(scene.good())
    yield


def went_back(scene: Scene) -> Iterator[None]:
    scene.serve()
    scene.is_open()
    scene.head.send(scene.good() + telegram(energy=10))
    yield


def jumped(scene: Scene) -> Iterator[None]:
    scene.serve()
    scene.is_open()
    scene.head.send(scene.good() + telegram(energy=10 * FIRST_ENERGY))
    yield


def beyond_rating(scene: Scene) -> Iterator[None]:
    """A meter whose scaler says that it has counted 28 TWh."""
    scene.serve()
    scene.is_open()
    scene.head.send(telegram(energy=FIRST_ENERGY, scaler=5))
    yield


def below_zero(scene: Scene) -> Iterator[None]:
    scene.serve()
    scene.is_open()
    scene.head.send(telegram(energy=-FIRST_ENERGY))
    yield


# --- worth knowing ---


def two_meters(scene: Scene) -> Iterator[None]:
    other = telegrams.telegram(server_id=OTHER_METER)
    scene.serve()
    scene.is_open()
    scene.head.send(scene.good() + other * 3 + scene.good() + other + scene.good())
    yield


def changing_ids(scene: Scene) -> Iterator[None]:
    """A gateway that makes up a new id for every telegram."""
    scene.serve()
    scene.is_open()
    scene.head.send(scene.good())
    for number in range(60):
        scene.head.send(telegrams.telegram(server_id=b"\x0a\x01GTW\0" + number.to_bytes(4)))
    yield


def other_meter(scene: Scene) -> Iterator[None]:
    scene.serve()
    scene.is_open()
    scene.head.send(telegrams.telegram(server_id=OTHER_METER) + scene.good() * 3)
    yield


def two_heads(scene: Scene) -> Iterator[None]:
    second = scene.plug(scene.folder, "second-head")
    scene.serve(scene.head.link, second.link)
    until(lambda: all(each["facts"]["is_open"] for each in scene.server.get("/api/v1/status").json()["meters"]))
    data = scene.good()
    scene.head.send(data)
    second.send(data)
    yield
    second.unplug()


def clock_behind(scene: Scene) -> Iterator[None]:
    """A small computer without a battery, before it has found the network."""
    if other_clock.MISSING:
        pytest.skip(other_clock.MISSING)
    clock = other_clock.other_clock(FAKETIME="-6y")
    listening = scene.listen()
    # a shifted clock breaks the pauses of threads, and a serial port is opened in one
    scene.serve(f"tcp://127.0.0.1:{listening.getsockname()[1]}", environ=clock)
    scene.accept(listening)
    scene.deliver(scene.good())
    yield


def clock_stepped(scene: Scene) -> Iterator[None]:
    """Somebody sets the clock a year ahead while it runs."""
    yield from _with_clock(scene, "+0", "+1y")


def set_aside(scene: Scene) -> Iterator[None]:
    """What a clock that was a year ahead has left."""
    ahead = history.quarter_reading(quarter_of(time.time()) + 35_040)
    store = Store(f"sqlite:///{scene.folder / 'iskra.sqlite'}")
    store.write([ahead], [history.METER])
    repair(store, time.time())
    store.close()
    scene.serve(environ={"IES_HISTORY_ENABLED": "true", "IES_DATA_DIR": str(scene.folder)})
    scene.is_open()
    scene.head.send(scene.good())
    yield


def _with_clock(scene: Scene, first: str, then: str) -> Iterator[None]:
    if other_clock.MISSING:
        pytest.skip(other_clock.MISSING)
    says = scene.folder / "clock"
    says.write_text(first)
    clock = other_clock.other_clock(FAKETIME_TIMESTAMP_FILE=str(says), FAKETIME_NO_CACHE="1")
    listening = scene.listen()
    scene.serve(f"tcp://127.0.0.1:{listening.getsockname()[1]}", environ=clock)
    scene.accept(listening)
    scene.deliver(scene.good())
    until(lambda: scene.server.cumulated().status_code == 200)
    says.write_text(then)
    scene.deliver(scene.good())
    yield


def phases(scene: Scene) -> Iterator[None]:
    wh = {"scaler": tlv.integer(-1, 1), "unit": tlv.unsigned(30, 1)}
    scene.serve()
    scene.is_open()
    scene.head.send(
        telegrams.telegram(
            [
                encoder.entry(Obis.parse("1-0:96.50.1*1"), tlv.octet_string(b"ISK")),
                encoder.entry(telegrams.IMPORT, tlv.unsigned(FIRST_ENERGY, 8), status=tlv.unsigned(0x0C0104, 4), **wh),
            ]
        )
    )
    yield


def simulated(scene: Scene) -> Iterator[None]:
    scene.serve("simulator:MT175?rate=20")
    yield


STAGES: dict[str, Stage] = {
    stage.__name__: stage
    for stage in (
        *(no_port, no_port_in_container, no_port_in_app),
        *(missing, missing_in_container, missing_in_app, nothing_behind, unplugged),
        *(simulated_unplugged, capture_missing),
        *(permission_group, permission_group_in_container, permission_owner, permission_directory, capture_permission),
        *(
            busy,
            busy_unknown,
            named_twice,
            all_taken,
            unusable,
            unusable_file,
            capture_unusable,
            ended,
            refused,
            closed,
        ),
        *(http_password, http_empty, http_no_node, only_values, mqtt_unavailable),
        *(unknown_name, no_answer, unreachable, needs_package, needs_other_installation),
        *(silence, fell_silent, no_meter_found, gps, framing),
        *(no_valid_telegram, checksums, cut, overrun, first_telegram, held_back),
        *(locked, relocked, inf_off, stale, rare, went_back, jumped, beyond_rating, below_zero),
        *(
            two_meters,
            other_meter,
            changing_ids,
            two_heads,
            clock_behind,
            clock_stepped,
            set_aside,
            phases,
            simulated,
            well,
        ),
    )
} | {
    "noise": _hearing(b"\xff\x3c noise"),
    "flat": _hearing(bytes(700)),
    "modem": _hearing(b"\r\nOK\r\n\r\n+CREG: 0,1\r\n\r\nRING\r\n"),
    "text": _hearing(b"ets Jun  8 2016 00:22:57\r\nrst:0x1 (POWERON_RESET)"),
    "inverted": _hearing(received(WHOLE, 9600, is_inverted=True)),
    "speed": _hearing(received(WHOLE, 4800)),
    "p1": _hearing(P1),
    "amis": _hearing(bytes.fromhex("1040f03016") * 4),
    "dlms": _hearing(HDLC),
    "mbus": _hearing(MBUS),
    "encrypted": _hearing(dlms.hdlc(SEALED)),
    "layout": _hearing(dlms.hdlc(pushes.apdu(pushes.unknown()))),
    "telnet": _hearing(WHOLE.replace(b"\xff", b"\xff\xff") * 2),
    "line_ends": _hearing(LINE_FEEDS.replace(b"\n", b"\r\n") * 2),
    "characters": _hearing(WHOLE.decode("latin-1").encode() * 2),
    "seven_bits": _hearing(bytes(byte & 0x7F for byte in WHOLE * 2)),
    "import_only": well,
}
# what cannot be mended without another address or another start
FOR_GOOD = frozenset(
    (
        *("capture_missing", "capture_permission", "capture_unusable", "ended", "unusable", "unusable_file"),
        *("unknown_name", "no_answer", "unreachable", "needs_package", "needs_other_installation"),
        # the simulator sends its own telegrams, not ours
        *("simulated", "simulated_unplugged"),
    )
)
# staged where it takes no minutes, with the reason
ELSEWHERE = {
    **dict.fromkeys(
        (
            *("silence_searching", "silence_asking", "silence_asked", "silence_asked_fixed", "silence_listening"),
            *("silence_not_asked", "no_usb_head", "echo", "fell_silent_cable"),
            *("speed_searching", "noise_searching", "d0", "first_readout", "answers_damaged", "checksums_cable"),
            *("slow_readout", "unprotected", "unproved", "no_tag", "whole_kwh", "no_power"),
        ),
        (Path("diagnosis/test_situations.py"), "readouts take minutes, and ports are searched for as long"),
    ),
    **dict.fromkeys(
        ("untitled", "untagged", "wrong_key", "not_authentic", "replayed"),
        (Path("diagnosis/test_situations.py"), "needs keys"),
    ),
    **dict.fromkeys(
        (
            *(
                "http_password",
                "http_no_node",
                "http_no_page",
                "http_not_a_bridge",
                "http_empty",
                "http_failure",
                "http_repeated",
            ),
            "only_values",
        ),
        (Path("sources/test_http_poll.py"), "needs a bridge"),
    ),
    **dict.fromkeys(
        ("mqtt_password", "mqtt_denied", "mqtt_unavailable", "mqtt_silent"),
        (Path("sources/test_mqtt_topic.py"), "needs a broker"),
    ),
    **dict.fromkeys(
        (
            "nothing_asks",
            "modbus_alone",
            "shows_no_meter",
            "shows_no_power",
            "shows_production",
            "shows_seldom",
            "shows_import_only",
            "shows_simulated",
        ),
        (Path("outputs/emulation/test_device_notices.py"), "of an output, not of a meter"),
    ),
    **dict.fromkeys(
        ("part_unknown", "part_twice", "part_stale", "part_no_power", "part_is_coarse", "name_taken", "virtual_well"),
        (Path("reading/test_virtual_readings.py"), "of a virtual meter, not of a source"),
    ),
    "short_capture": (Path("cli/commands/test_doctor.py"), "of the command alone: a server has no verdict to wait for"),
    **dict.fromkeys(
        ("permission_root", "permission_group_in_service"),
        (Path("sources/test_errors.py"), "as the ports of other groups"),
    ),
    "read_by_server": (Path("cli/commands/test_doctor.py"), "needs a second server"),
    "no_production": (Path("diagnosis/test_notices.py"), "a meter at a solar plant"),
    "no_values": (Path("diagnosis/test_checks.py"), "what a later decoder may give"),
    "opening": (Path("diagnosis/test_status.py"), "a port opens within milliseconds"),
    "idle": (Path("sources/test_tcp.py"), "two minutes of silence"),
    "http_repeated": (Path("sources/test_http_poll.py"), "half a minute of the same telegram"),
    "http_not_a_bridge": (Path("sources/test_http_poll.py"), "as the other answers of a bridge"),
    "http_failure": (Path("sources/test_http_poll.py"), "as the other answers of a bridge"),
    "mqtt_password": (Path("sources/test_mqtt_topic.py"), "as a broker that is away"),
    "mqtt_denied": (Path("sources/test_mqtt_topic.py"), "needs a plugin of the broker"),
    "mqtt_silent": (Path("sources/test_mqtt_topic.py"), "twenty seconds of silence"),
    "trickle": (Path("reading/test_reader.py"), "twenty seconds of stray light"),
    "no_pause": (Path("reading/test_reader.py"), "twenty seconds of stray light"),
    "bad_address": (Path("sources/test_tcp.py"), "only the far end's own refusal brings it about"),
    **dict.fromkeys(
        (
            *("listening_busy", "listening_busy_unknown", "listening_busy_unknown_in_app", "listening_twice"),
            *("listening_privilege", "listening_privilege_in_service", "listening_privilege_in_container"),
            *("listening_privilege_in_app", "listening_no_address", "listening_failed"),
            *("bridge_only", "bridge_only_in_app"),
        ),
        (Path("outputs/emulation/test_reachability.py"), "no fault of a reader"),
    ),
    "prices_missing": (Path("prices/test_served.py"), "needs a source of prices"),
    **dict.fromkeys(
        (
            *("central_empty", "central_no_month", "central_silent_readers", "central_failing_readers"),
            *(
                "central_silent_meters",
                "central_waiting_readers",
                "central_refused",
                "central_conflicts",
                "central_skew",
            ),
            "central_refused_at_readers",
        ),
        (Path("fleet/central/test_central_facts.py"), "of a central server, not of a meter"),
    ),
    **dict.fromkeys(
        ("central_database", "central_unread"),
        (Path("runtime/test_running_central.py"), "of a central server, not of a meter"),
    ),
    **dict.fromkeys(
        ("reader_well", "reader_unheard", "reader_disconnected", "reader_name", "reader_ahead", "reader_behind"),
        (Path("fleet/central/test_reader_problems.py"), "of a central server, not of a meter"),
    ),
}
