"""How fast telegrams become readings, side by side with other decoders, and with the least that checking can cost.

    python bench/decode.py

SML beside smllib and pysml, P1 beside dsmr-parser, D0 beside iec62056-21, DLMS beside dlms-cosem. Every decoder gets
the same telegrams in chunks of 64 bytes, one stream a profile of the simulator, and the streams of real captures where
they lie beside the project. Each figure is the CPU time of the best of several rounds, taken in turn, as machines are
noisy: read the ratios. `limit` is what finding the marks and one checksum cost, as a share of ours.

iec62056-21 and dlms-cosem know no streams: there both get whole messages, the former without parity bits and the latter
without HDLC frames, which they do not read. dsmr-parser is told the version of its telegrams.
"""

import subprocess
import sys
import time
from binascii import crc_hqx
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import peers

ROOT = Path(__file__).parent.parent
CAPTURES = ROOT.parent / "shared" / "captures" / "sml"
CHUNK = 64
TELEGRAMS = 2000
PEER_TELEGRAMS = 100
ROUNDS = 3
Run = Callable[[list[bytes]], int]
REAL = ("ISKRA_MT175_PIN_log", "ISKRA_MT175_eHZ", "ISKRA_MT631-D1A52-K0z-H01_with_PIN")


def ours(telegrams: list[bytes]) -> int:
    from iskra_server.codecs.sml.decoder import SmlDecoder

    feed = SmlDecoder().feed
    return sum(1 for chunk in chunks(telegrams) for _ in feed(chunk))


def smllib(telegrams: list[bytes]) -> int:
    from smllib import SmlStreamReader

    stream, count = SmlStreamReader(), 0
    for chunk in chunks(telegrams):
        stream.add(chunk)
        while frame := stream.get_frame():
            frame.parse_frame()
            count += 1
    return count


def pysml(telegrams: list[bytes]) -> int:
    """As its own protocol class drives it."""
    from sml import SmlBase

    buffer, count = b"", 0
    for chunk in chunks(telegrams):
        buffer += chunk
        end, frame = SmlBase.find_frame(buffer)
        buffer = buffer[end:]
        count += bool(frame)
    return count


def p1(telegrams: list[bytes]) -> int:
    from iskra_server.codecs.p1.decoder import P1Decoder

    return readings(P1Decoder(), chunks(telegrams))


def readings(decoder: Any, parts: Iterable[bytes]) -> int:
    """How many readings of meters there are; those of sub-meters come in the same telegrams."""
    from iskra_server.meter.reading import Reading

    feed = decoder.feed
    return sum(isinstance(each, Reading) and not each.channel for part in parts for each in feed(part))


def dsmr_parser(telegrams: list[bytes]) -> int:
    """As its own protocol class drives it."""
    from dsmr_parser import telegram_specifications
    from dsmr_parser.clients.telegram_buffer import TelegramBuffer
    from dsmr_parser.parsers import TelegramParser

    parser, buffer, count = TelegramParser(telegram_specifications.V5), TelegramBuffer(), 0
    for chunk in chunks(telegrams):
        buffer.append(chunk.decode("ascii"))
        for telegram in buffer.get_all():
            count += parser.parse(telegram, throw_ex=True) is not None
    return count


def d0(telegrams: list[bytes]) -> int:
    """With the parity of each character, as iec62056-21 in whole messages."""
    from iskra_server.codecs.d0.decoder import D0Decoder
    from iskra_server.codecs.text.parity import with_parity

    return readings(D0Decoder(), map(with_parity, telegrams))


def iec62056_21(telegrams: list[bytes]) -> int:
    from iec62056_21.messages import AnswerDataMessage, IdentificationMessage

    count = 0
    for telegram in telegrams:
        start = telegram.index(b"\x02")
        IdentificationMessage.from_bytes(telegram[:start])
        count += bool(AnswerDataMessage.from_bytes(telegram[start:]).data)
    return count


def dlms(telegrams: list[bytes]) -> int:
    """In HDLC frames, one by one."""
    from iskra_server.codecs.dlms.decoder import DlmsDecoder

    return readings(DlmsDecoder(), telegrams)


def dlms_cosem(telegrams: list[bytes]) -> int:
    from dlms_cosem.protocol.xdlms import DataNotification
    from dlms_cosem.utils import parse_as_dlms_data

    # without its frame: flag, format, addresses, control, HCS, LLC; FCS and flag
    apdus = (telegram[12:-3] for telegram in telegrams)
    return sum(bool(parse_as_dlms_data(DataNotification.from_bytes(apdu).body)) for apdu in apdus)


def least(telegrams: list[bytes]) -> int:
    """Find the marks and run the checksum once, nothing else."""
    stream, count, start = b"".join(telegrams), 0, 0
    reverse = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
    while (end := stream.find(b"\x1b\x1b\x1b\x1b\x1a", start)) >= 0:
        count += crc_hqx(stream[start : end + 8].translate(reverse), 0xFFFF) == 0x1D0F
        start = end + 8
    return count


def chunks(telegrams: list[bytes]) -> Iterator[bytes]:
    stream = b"".join(telegrams)
    return (stream[at : at + CHUNK] for at in range(0, len(stream), CHUNK))


def streams() -> Iterator[tuple[str, list[bytes]]]:
    from iskra_server.simulator.simulated_source import telegrams
    from iskra_server.simulator.sml_layouts import LAYOUTS

    for name in LAYOUTS:
        yield name, list(islice(telegrams(name, start=datetime(2026, 3, 1, 8, tzinfo=UTC)), TELEGRAMS))
    for prefix in REAL:
        for path in sorted(CAPTURES.glob(f"{prefix}*.bin")):
            yield f"capture {path.stem.split('_')[1]}", whole_telegrams(path.read_bytes())


def other_protocols() -> Iterator[tuple[str, Run, Run, list[bytes]]]:
    """A name, both decoders and telegrams whose numbers and times change as those of a meter do."""
    sys.path.insert(0, str(ROOT / "tests"))
    import pushes
    import texts
    from iskra_server.codecs.dlms.encoder import hdlc

    def values(k: int) -> list[tuple[str, int, int, int]]:
        return [(obis, raw + k, scaler, unit) for obis, raw, scaler, unit in pushes.VALUES]

    p1_telegrams = [
        texts.p1_telegram(
            texts.p1_lines(import_kwh=f"001234.{k % 1000:03}", power_kw=f"00.{k % 700:03}", second=k % 60)
        )
        for k in range(TELEGRAMS)
    ]
    yield "P1, DSMR 5 with gas", p1, dsmr_parser, p1_telegrams
    # more power than three times voltage and current would contradict the layout
    cycled = [k % 500 for k in range(TELEGRAMS)]
    lines = [texts.d0_lines(import_kwh=f"{8048 + k:07}.375", power_kw=f"{k % 9}.908") for k in range(TELEGRAMS)]
    yield "D0, MT174", d0, iec62056_21, list(map(texts.d0_readout, lines))
    yield "D0, ME162", d0, iec62056_21, [texts.d0_readout(each[2:4] + each[7:10]) for each in lines]
    yield (
        "DLMS, codes and scalers",
        dlms,
        dlms_cosem,
        [hdlc(pushes.apdu(pushes.tagged(values(k)))) for k in range(TELEGRAMS)],
    )
    yield (
        "DLMS, values alone",
        dlms,
        dlms_cosem,
        [hdlc(pushes.apdu(pushes.ljubljana((700 + k, 40), (500 + k, 120, 80, 0, 0, 40)))) for k in cycled],
    )


def whole_telegrams(byte_count: bytes) -> list[bytes]:
    """The telegrams of a capture, repeated up to the usual number."""
    from iskra_server.codecs.checksum import Variant
    from iskra_server.codecs.sml.decoder import has_valid_checksum
    from iskra_server.codecs.sml.transport import Transport

    transport, found = Transport(), []
    transport.ready(byte_count)
    while (telegram := transport.next()) is not None:
        if isinstance(telegram, bytes) and has_valid_checksum(telegram, Variant.X25):
            found.append(telegram)
    return (found * TELEGRAMS)[:TELEGRAMS]


def microseconds(run: Run, telegrams: list[bytes]) -> float:
    started = time.process_time()
    count = run(telegrams)
    seconds = time.process_time() - started
    if count != len(telegrams):
        raise SystemExit(f"{run.__name__} found {count} of {len(telegrams)} telegrams")
    return seconds / count * 1e6


def compare() -> None:
    print("stream                  bytes  ours us    per s  smllib us  ratio  pysml us  ratio  limit")
    for name, telegrams in streams():
        rounds = [
            (
                microseconds(ours, telegrams),
                microseconds(smllib, telegrams[:PEER_TELEGRAMS]),
                microseconds(pysml, telegrams[:PEER_TELEGRAMS]),
                microseconds(least, telegrams),
            )
            for _ in range(ROUNDS)
        ]
        mine, lib, sml, floor = map(min, zip(*rounds, strict=True))
        byte_count = sum(map(len, telegrams)) // len(telegrams)
        print(
            f"{name:24}{byte_count:7}{mine:9.2f}{1e6 / mine:9.0f}{lib:11.1f}{lib / mine:7.1f}"
            f"{sml:10.0f}{sml / mine:7.0f}{floor / mine:7.0%}"
        )


def compare_others() -> None:
    print("\ntelegram                bytes  ours us    per s  beside         us  ratio")
    for name, mine, other, telegrams in other_protocols():
        rounds = [
            (microseconds(mine, telegrams), microseconds(other, telegrams[:PEER_TELEGRAMS])) for _ in range(ROUNDS)
        ]
        ours_us, other_us = map(min, zip(*rounds, strict=True))
        byte_count = sum(map(len, telegrams)) // len(telegrams)
        print(
            f"{name:24}{byte_count:5}{ours_us:9.2f}{1e6 / ours_us:9.0f}  {other.__name__:12}{other_us:8.0f}"
            f"{other_us / ours_us:7.1f}"
        )


def compare_detecting() -> None:
    """What finding the protocol costs while a meter repeats its telegrams, as a share of its own decoder."""
    from iskra_server.codecs.decoder import DECODERS
    from iskra_server.codecs.detecting import DetectingDecoder

    print("\ndetecting               64 bytes  1024 bytes")
    settled = [("SML, MT175", next(streams())[1]), *((name, each) for name, _, _, each in other_protocols())]
    for name, telegrams in settled:
        makes = (DetectingDecoder, DECODERS[name.partition(",")[0].lower()])
        stream, shares = b"".join(telegrams), []
        for size in (64, 1024):
            parts = [stream[at : at + size] for at in range(0, len(stream), size)]
            rounds = [[seconds(make(), parts) for make in makes] for _ in range(ROUNDS)]
            detecting, own = map(min, zip(*rounds, strict=True))
            shares.append(detecting / own)
        print(f"{name:24}{shares[0]:8.2f}{shares[1]:12.2f}")


def seconds(decoder: Any, parts: list[bytes]) -> float:
    started = time.process_time()
    readings(decoder, parts)
    return time.process_time() - started


def main() -> None:
    if "--inside" in sys.argv:
        compare()
        compare_others()
        return compare_detecting()
    python = peers.python_with(
        "smllib==1.7", "pysml==0.1.9", "dsmr-parser==1.11.2", "dlms-cosem==21.3.2", "iec62056-21==0.0.2"
    )
    subprocess.run([python, __file__, "--inside"], check=True)


if __name__ == "__main__":
    main()
