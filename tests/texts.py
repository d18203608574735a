"""P1 telegrams and D0 readouts for the tests, of invented meters, made with the project's own encoders."""

import time
from collections.abc import Iterable
from decimal import Decimal
from typing import Protocol, TypeVar

import telegrams
from iskra_server.codecs.checksum import arc
from iskra_server.codecs.d0 import encoder as d0_encoder
from iskra_server.codecs.decoder import Decoder
from iskra_server.codecs.dlms import encoder as dlms_encoder
from iskra_server.codecs.dlms.security import Keys
from iskra_server.codecs.p1 import encoder
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import Fault, Reading

P1_IDENT = r"ISK5\2M550T-1099"
P1_ID, GAS_ID = "E0099000000000019", "G0099000000000029"


def hex_text(name: str) -> str:
    return name.encode().hex().upper()


def p1_lines(*, import_kwh: str = "001234.567", power_kw: str = "00.321", second: int = 19) -> list[str]:
    """A Dutch meter of three phases with gas on channel 1."""
    return [
        "1-3:0.2.8(50)",
        f"0-0:1.0.0(2611221005{second:02}W)",
        f"0-0:96.1.1({hex_text(P1_ID)})",
        f"1-0:1.8.1({import_kwh}*kWh)",
        "1-0:1.8.2(000765.432*kWh)",
        "1-0:2.8.1(000000.000*kWh)",
        "1-0:2.8.2(000012.300*kWh)",
        "0-0:96.14.0(0002)",
        f"1-0:1.7.0({power_kw}*kW)",
        "1-0:2.7.0(00.000*kW)",
        "0-0:96.7.21(00005)",
        "1-0:99.97.0(1)(0-0:96.7.19)(260417201458S)(0000000236*s)",
        "1-0:32.32.0(00001)",
        "0-0:96.13.0()",
        "1-0:32.7.0(237.1*V)",
        "1-0:31.7.0(001*A)",
        "1-0:21.7.0(00.321*kW)",
        "0-1:24.1.0(003)",
        f"0-1:96.1.0({hex_text(GAS_ID)})",
        "0-1:24.2.1(261122100010W)(01569.646*m3)",
    ]


def p1_telegram(lines: Iterable[str] | None = None, ident: str = P1_IDENT) -> bytes:
    return encoder.telegram(ident, p1_lines() if lines is None else lines)


def sealed_p1(lines: Iterable[str], keys: Keys, counter: int = 100) -> bytes:
    """A telegram of Poland: what follows the identification is encrypted, and `keys.title` is not in it."""
    text = "".join(f"{line}\r\n" for line in (*lines, f"0-0:96.13.1({'30' * 100})"))
    whole = dlms_encoder.seal(text.encode(), keys.title, counter, keys)
    # without the tag of general-glo and the title; a length of two bytes
    assert whole[10] == 0x82
    head = b"/KFM5KAIFA-METER\r\n\r\n\0\x82" + (len(whole) - 13).to_bytes(2) + whole[13:] + b"!"
    return head + f"{arc(head):04X}\r\n".encode()


def decode(decoder: Decoder, data: bytes, chunk: int | None = None) -> list[Reading | Fault]:
    """All that a decoder makes of a stream that is fed in chunks of one size."""
    return [result for part in telegrams.chunks(data, chunk or len(data) or 1) for result in decoder.feed(part)]


def readings(results: Iterable[Reading | Fault]) -> list[Reading]:
    return [result for result in results if isinstance(result, Reading)]


def faults(results: Iterable[Reading | Fault]) -> list[str]:
    return [result.kind for result in results if isinstance(result, Fault)]


def value(reading: Reading, code: str) -> tuple[Decimal | None, str] | None:
    """The value of a register and its unit, or None."""
    register = reading.get(Obis.parse(code))
    return (register.value, str(register.unit or "")) if register else None


def wh(count: int) -> tuple[Decimal | None, str]:
    """So many Wh, as `value` gives them."""
    return Decimal(count), "Wh"


D0_IDENT = "ISk5MT174-0099"
D0_SERIAL = "63000199"


def d0_lines(*, import_kwh: str = "0008048.375", power_kw: str = "0.908") -> list[str]:
    """An MT174 with some of its history."""
    return [
        "1-0:0.9.1*255(201455)",
        "1-0:0.9.2*255(0261122)",
        f"1-0:0.0.1*255(1ISK00{D0_SERIAL})",
        f"0-0:C.1.0*255({D0_SERIAL})",
        "0-0:C.1.6*255(FDF5)",
        "1-0:1.6.0*255(02.468*kW)(2611100930)",
        "1-0:1.6.0*01(02.999*kW)(2610100930)",
        f"1-0:1.7.0*255({power_kw}*kW)",
        f"1-0:1.8.0*255({import_kwh}*kWh)",
        "1-0:1.8.0*01(0007987.399*kWh)",
        "1-0:1.8.0*02(0006976.231*kWh)",
        "1-0:2.8.0*255(0000013.465*kWh)",
        "1-0:2.8.0*01(0000000.000*kWh)",
        "1-0:32.7.0*255(241.0*V)",
        "0-0:F.F.0*255(0000000)",
    ]


def d0_readout(lines: Iterable[str] | None = None, ident: str = D0_IDENT) -> bytes:
    """The identification and a readout behind it."""
    return d0_encoder.identification(ident) + d0_encoder.readout(d0_lines() if lines is None else lines)


Cut = TypeVar("Cut")
Cut_co = TypeVar("Cut_co", covariant=True)


class CutsFrames(Protocol[Cut_co]):
    def feed(self, data: bytes) -> None: ...

    def next(self) -> Cut_co | None: ...


def cut(frames: CutsFrames[Cut], data: bytes, chunk: int | None = None) -> list[Cut]:
    """Everything that these frames give for a stream, fed whole or in chunks."""
    results = []
    for part in telegrams.chunks(data, chunk or len(data) or 1):
        frames.feed(part)
        while (result := frames.next()) is not None:
            results.append(result)
    return results


# each is repeated until a stream is full: starts, ends, and what makes a line hard to parse
HOSTILE = (
    *(b"/ABC5\r\n", b"/ABC5\r\n\n!", b"/ABC", b"\n!0000\r\n", b"/ABC5" + b"a" * 64, b"/ABC5\r\n)!", b"/ABC5\r\n\x02"),
    *(b"\x02", b"\x02\x03", b"\x02\x04\x04", b"(", b"((", b"1.8.0(1)", b"\x02" + b"(a" * 500 + b"\x03"),
    b"/ABC5\r\n\r\n" + b"(1)" * 2000 + b"\n!\r\n",
    b"/ABC5\r\n\r\n1.8.0(" + b" " * 6000 + b"% %)\n!\r\n",
    b"\x021.8.0(" + b" " * 30_000 + b"% %)\x03\x22",
)


def cpu_seconds(decoder: Decoder, hostile: bytes, byte_count: int) -> float:
    """The CPU time for a stream of so many hostile bytes."""
    data = (hostile * (byte_count // len(hostile) + 1))[:byte_count]
    began_s = time.process_time()
    decode(decoder, data, 256)
    return time.process_time() - began_s
