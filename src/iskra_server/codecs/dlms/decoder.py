"""DLMS push to readings: HDLC, M-Bus or bare, clear or encrypted.

    bytes -> transport (frames) -> blocks (telegrams) -> security (clear) -> notification, axdr -> lists, layouts
                                                                          -> p1: encrypted P1 (LU, HU, AT)

A telegram counts only if the checksums of all its frames are right, its tag where a key can check it, and if its
structure ends with its last byte. Deciphering with a wrong key gives noise, which never does. Without a tag the time
of a telegram must be within a day of the one before, until three in a row agree.
"""

from collections.abc import Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from iskra_server.codecs.dlms import axdr, checks, identity, layouts, lists, notification, security
from iskra_server.codecs.dlms.axdr import Element
from iskra_server.codecs.dlms.blocks import Assembled, Assembly
from iskra_server.codecs.dlms.checks import NAME
from iskra_server.codecs.dlms.fast_path import DecodedList, Forms
from iskra_server.codecs.dlms.hdlc import HdlcFrame
from iskra_server.codecs.dlms.layouts import Layout
from iskra_server.codecs.dlms.notification import CIPHERED, CLOCKS
from iskra_server.codecs.dlms.scales import Scales
from iskra_server.codecs.dlms.security import Keys, Proof, Sealed
from iskra_server.codecs.dlms.transport import Transport
from iskra_server.codecs.errors import Malformed
from iskra_server.meter.identity import UNKNOWN, Identity
from iskra_server.meter.reading import Fault, FaultKind, MeterTime, Protection, Reading, Register

if TYPE_CHECKING:
    from iskra_server.codecs.p1.decoder import P1Decoder

PROTOCOL = "dlms"
_CIPHERED = bytes((CIPHERED,))
# what was put together wrongly, or never was a telegram
_REFUSED = frozenset(("structure", "wrong_key", "not_authentic", "checksum"))
# an unknown list is shown as far as this
_SHOWN_ELEMENTS = 64
_SHOWN_BYTES = 32


class DlmsDecoder:
    """One per stream. `feed` gives everything that a chunk completes and never raises.

    `keys` are those of the meter, `own` the user's own layouts. Raises ImportError where a key is set and the library
    `cryptography` is missing.
    """

    protocol = PROTOCOL

    def __init__(self, keys: Keys | None = None, own: Iterable[Layout] = ()) -> None:
        self._transport = Transport()
        self._assembly = Assembly()
        self._opener = security.Opener(keys or Keys())
        self._counters = security.Counters()
        self._layouts = layouts.Memory((*own, *layouts.built_in()))
        self._scales = Scales()
        self._forms = Forms()
        # whose lists without an identity are: one meter sends all lists of a stream
        self._meter = UNKNOWN
        # the meter that a tag has proved: whatever is said in its name needs one from then on
        self._proved_title: bytes | None = None
        self._proved_id: str | None = None
        self._p1: P1Decoder | None = None

    @property
    def pending(self) -> int:
        """Bytes held back, waiting for the rest of a telegram."""
        return self._transport.pending + self._assembly.size

    def feed(self, data: bytes) -> list[Reading | Fault]:
        transport = self._transport
        transport.feed(data)
        results: list[Reading | Fault] = []
        while (found := transport.next()) is not None:
            if isinstance(found, Fault):
                results.extend(self._assembly.drop())
                results.append(found)
                continue
            for whole in (found,) if isinstance(found, Assembled) else self._assembly.add(found):
                for result in (whole,) if isinstance(whole, Fault) else self._read(whole):
                    if isinstance(result, Fault) and result.kind in _REFUSED and not isinstance(found, HdlcFrame):
                        transport.refuse()
                    results.append(result)
        return results

    def pause(self) -> list[Reading | Fault]:
        """Nothing has come for a second: the parts of a telegram so far belong to no other (HDLC numbers none)."""
        return list(self._assembly.drop())

    def _read(self, whole: Assembled) -> Iterator[Reading | Fault]:
        """What a telegram says; nothing for one that was read just before."""
        try:
            if whole.apdu[:1] == _CIPHERED:
                yield from self._unseal(whole, security.parse(whole.apdu))
            else:
                result = self._result(self._parse(whole.apdu, b"", protection=whole.protection), whole, b"")
                if isinstance(result, Reading) and result.meter_id == self._proved_id:
                    result = Fault("not_authentic", security.NO_TAG, whole.size, result.meter_id)
                yield result
        except Malformed as error:
            yield Fault("structure", str(error), whole.size)

    def _unseal(self, whole: Assembled, sealed: Sealed) -> Iterator[Reading | Fault]:
        if not self._opener.can_open(sealed):
            yield _fault("encrypted", "encrypted, and no key is set", whole, sealed)
            return
        if self._counters.is_repeat(sealed):
            return
        content, proof = self._opener.open(sealed)
        try:
            # nothing is learnt from what is not authentic
            if reason := security.refused(proof, was_proved=sealed.title == self._proved_title):
                if not _is_p1(content):
                    notification.parse(content, is_strict=True)
                yield _fault("not_authentic", reason, whole, sealed)
                return
            if _is_p1(content):
                results = self._read_p1(content, whole, proof)
                time = next((each.meter_time for each in results if isinstance(each, Reading)), None)
            else:
                is_proved = proof == "proved"
                protection: Protection = "tag" if is_proved else whole.protection
                said = self._parse(content, sealed.title, is_strict=not is_proved, protection=protection)
                results, time = [self._result(said, whole, sealed.title, proof)], said.time
        except Malformed:
            if proof == "proved" or not sealed.is_encrypted:
                raise
            yield _fault("wrong_key", "the key does not decipher this telegram", whole, sealed)
            return
        is_read = any(isinstance(each, Reading) for each in results)
        problem = self._counters.problem(sealed, time.seconds if time else None, proof) if is_read else ""
        if problem:
            yield _fault("replayed", problem, whole, sealed)
        else:
            if proof == "proved" and is_read:
                self._proved_title = sealed.title
                self._proved_id = next(each.meter_id for each in results if isinstance(each, Reading))
            yield from results

    def _read_p1(self, content: bytes, whole: Assembled, proof: Proof) -> list[Reading | Fault]:
        """What an encrypted P1 telegram says; `byte_count` is that of the wire, with the first result."""
        if self._p1 is None:
            from iskra_server.codecs.p1.decoder import P1Decoder  # noqa: PLC0415

            self._p1 = P1Decoder()
        results = list(self._p1.feed(content + b"\r\n", is_proved=proof == "proved"))
        results = [replace(each, byte_count=0 if index else whole.size) for index, each in enumerate(results)]
        return [security.with_proof(each, proof) if isinstance(each, Reading) else each for each in results]

    def _parse(
        self, apdu: bytes, title: bytes, *, is_strict: bool = False, protection: Protection
    ) -> "DecodedList | Unknown":
        """What a clear telegram says. Raises Malformed."""
        said = self._forms.read(apdu, title)
        if said is not None:
            layout = said.layout
            if layout is None or self._layouts.is_still_valid(layout, said.registers, time=said.time, title=title):
                return said
            self._forms = Forms()
        is_weak = protection in ("sum", "none")
        sent = notification.parse(apdu, is_strict=is_strict or is_weak)
        if is_weak and not _clocks_agree(sent):
            raise Malformed("the clock in the list is not that before it")
        found = lists.find(sent.body)
        maker = identity.maker_of(title, lists.texts(found.items) if found else ())
        layout = None
        if found is not None:
            maker, number = found.maker or maker, found.number
            registers, elements = _unzipped(lists.registers(found.items, maker, self._scales))
        elif (match := self._layouts.read(sent.body, time=sent.time, title=title, maker=maker)) is not None:
            registers, elements, number, layout = match.registers, match.elements, match.number, match.layout
            # of two lists of one meter only one may have its logical device name; both must give one identity
            maker = maker or (layout.makers[0] if len(layout.makers) == 1 else "")
        else:
            registers = ()
        if not registers:
            return Unknown(sent.time, sent.body)
        who = identity.identify(registers, title, maker, number)
        said = DecodedList(registers, sent.time or _clock(registers), who, layout)
        if self._scales.is_settled:
            self._forms.learn(apdu, title, sent, said, elements)
        return said

    def _result(
        self, said: "DecodedList | Unknown", whole: Assembled, title: bytes, proof: Proof = "none"
    ) -> Reading | Fault:
        if isinstance(said, Unknown):
            return _unknown(said.body, whole, title)
        meter = self._identify(said.who)
        reading = Reading(
            meter_id=meter.meter_id,
            server_id=meter.server_id,
            registers=said.registers,
            meter_time=said.time,
            protocol=PROTOCOL,
            byte_count=whole.size,
            protection=whole.protection,
        )
        return security.with_proof(reading, proof)

    def _identify(self, who: Identity) -> Identity:
        """The sender of a list. One without an identity (Kaifa: power each 2 s) has that of the one before."""
        if who != UNKNOWN:
            self._meter = who
        return self._meter


class Unknown(Struct, frozen=True):
    """A list that nothing describes."""

    time: MeterTime | None
    body: Element


def _unzipped(pairs: list[tuple[Register, Element]]) -> tuple[tuple[Register, ...], tuple[Element, ...]]:
    return tuple(register for register, _ in pairs), tuple(element for _, element in pairs)


def _clock(registers: Iterable[Register]) -> MeterTime | None:
    """The time of a clock in the list, for telegrams that have none before it."""
    clocks = (each.raw for each in registers if each.obis in CLOCKS and isinstance(each.raw, bytes))
    return next((time for clock in clocks if (time := notification.meter_time(clock)) is not None), None)


def _clocks_agree(sent: notification.Notification) -> bool:
    """Whether every clock in a list shows the time before it; also True where there is none."""
    listed = [notification.meter_time(item.data) for item in sent.body.items if lists.is_clock(item)]
    return all(map(partial(checks.is_near, sent.time), listed))


def _is_p1(content: bytes) -> bool:
    """Whether this is the text of a P1 telegram."""
    return content.startswith(b"/") and content.isascii()


def _fault(kind: FaultKind, detail: str, whole: Assembled, sealed: Sealed) -> Fault:
    return Fault(kind, detail, whole.size, identity.from_title(sealed.title).meter_id)


def _unknown(body: Element, whole: Assembled, title: bytes) -> Fault:
    """A list that no layout names: its sender as far as it tells, and what it says, for a person to look at."""
    elements = body.items
    names = [Register(NAME, element.data) for element in elements if checks.is_name(element.data)]
    who = identity.identify(names, title)
    shown = tuple(map(_shown, elements[:_SHOWN_ELEMENTS]))
    return Fault("layout", f"unknown list of {len(elements)} elements", whole.size, who.meter_id, shown)


def _shown(element: Element) -> str:
    value = element.value
    if isinstance(value, tuple):
        return f"{axdr.NAMES[element.tag]} of {len(value)}"
    text = value[:_SHOWN_BYTES].hex() if isinstance(value, bytes) else "" if value is None else str(value)
    return f"{axdr.NAMES[element.tag]} {text}".rstrip()
