"""DLMS push to readings: HDLC, M-Bus or bare, clear or encrypted.

    bytes -> transport (frames) -> blocks (telegrams) -> security (clear) -> notification, axdr -> lists, layouts

A telegram counts only if the checksums of all its frames are right, its tag where a key can check it, and if its
structure ends with its last byte. Deciphering with a wrong key gives noise, which never does.
"""

from collections.abc import Iterable, Iterator

from msgspec import Struct

from iskra_server.codecs.dlms import axdr, checks, identity, layouts, lists, notification, security
from iskra_server.codecs.dlms.axdr import Element
from iskra_server.codecs.dlms.blocks import Assembly, Whole
from iskra_server.codecs.dlms.checks import NAME
from iskra_server.codecs.dlms.fast_path import Forms, Said
from iskra_server.codecs.dlms.hdlc import HdlcFrame
from iskra_server.codecs.dlms.layouts import Layout
from iskra_server.codecs.dlms.notification import CIPHERED, CLOCKS
from iskra_server.codecs.dlms.scales import Scales
from iskra_server.codecs.dlms.security import Keys, Proof, Sealed
from iskra_server.codecs.dlms.transport import Transport, noise_fault
from iskra_server.codecs.errors import Malformed
from iskra_server.meter.reading import Fault, FaultKind, MeterTime, Reading, Register

PROTOCOL = "dlms"
_CIPHERED = bytes((CIPHERED,))
# what was put together wrongly, or never was a telegram
_REFUSED = frozenset(("structure", "wrong_key"))
_AUTHENTIC: dict[Proof, bool | None] = {"proved": True, "unchecked": False, "none": None}
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

    @property
    def pending(self) -> int:
        """Bytes held back, waiting for the rest of a telegram."""
        return self._transport.pending + self._assembly.size

    def feed(self, data: bytes) -> Iterator[Reading | Fault]:
        transport = self._transport
        transport.feed(data)
        results: list[Reading | Fault] = []
        while (found := transport.next()) is not None:
            if isinstance(found, Fault):
                results.extend(self._assembly.drop())
                results.append(found)
                continue
            for whole in (found,) if isinstance(found, Whole) else self._assembly.add(found):
                result = whole if isinstance(whole, Fault) else self._read(whole)
                if isinstance(result, Fault) and result.kind in _REFUSED and not isinstance(found, HdlcFrame):
                    transport.refuse()
                if result is not None:
                    results.append(result)
        return iter(results)

    def pause(self) -> Iterator[Fault]:
        """Nothing has come for a second: the parts of a telegram so far belong to no other (HDLC numbers none)."""
        return iter(list(self._assembly.drop()))

    def finish(self) -> Iterator[Fault]:
        """The stream has ended: what is still held back."""
        parts = sum(fault.byte_count for fault in self._assembly.drop())
        noise, held = self._transport.finish()
        results = [noise_fault(noise)] if noise else []
        if parts or held:
            results.append(Fault("cut", "the stream ends inside this telegram", parts + held))
        return iter(results)

    def _read(self, whole: Whole) -> Reading | Fault | None:
        """What a telegram says; None for one that was read just before."""
        try:
            if whole.apdu[:1] == _CIPHERED:
                return self._unseal(whole, security.parse(whole.apdu))
            return _result(self._parse(whole.apdu, b"", is_strict=not whole.is_protected), whole, b"")
        except Malformed as error:
            return Fault("structure", str(error), whole.size)

    def _unseal(self, whole: Whole, sealed: Sealed) -> Reading | Fault | None:
        if not self._opener.can_open(sealed):
            return _fault("encrypted", "encrypted, and no key is set", whole, sealed)
        if self._counters.is_repeat(sealed):
            return None
        content, proof = self._opener.open(sealed)
        try:
            # nothing is learnt from what is not authentic
            if proof == "wrong":
                notification.parse(content, is_strict=True)
                return _fault("not_authentic", "the tag does not fit the authentication key", whole, sealed)
            said = self._parse(content, sealed.title, is_strict=proof != "proved")
        except Malformed:
            if content.startswith(b"/") and content.isascii():
                raise Malformed("a P1 telegram is inside") from None
            if proof == "proved" or not sealed.is_encrypted:
                raise
            return _fault("wrong_key", "the key does not decipher this telegram", whole, sealed)
        if not self._counters.accept(sealed, said.time.seconds if said.time else None):
            return _fault("replayed", f"counter {sealed.counter} was passed before", whole, sealed)
        return _result(said, whole, sealed.title, proof)

    def _parse(self, apdu: bytes, title: bytes, *, is_strict: bool) -> "Said | Unknown":
        """What a clear telegram says. Raises Malformed."""
        said = self._forms.read(apdu, title)
        if said is not None:
            layout = said.layout
            if layout is None or self._layouts.keeps(layout, said.registers, time=said.time, title=title):
                return said
            self._forms = Forms()
        sent = notification.parse(apdu, is_strict=is_strict)
        found = lists.find(sent.body)
        maker = identity.maker_of(title, lists.texts(found.items) if found else ())
        layout = None
        if found is not None:
            maker, number = found.maker or maker, found.number
            registers, elements = _unzipped(lists.registers(found.items, maker, self._scales))
        elif (match := self._layouts.read(sent.body, time=sent.time, title=title, maker=maker)) is not None:
            registers, elements, number, layout = match.registers, match.elements, match.number, match.layout
        else:
            registers = ()
        if not registers:
            return Unknown(sent.time, sent.body)
        who = identity.identify(registers, title, maker, number)
        said = Said(registers, sent.time or _clock(registers), who, layout)
        self._forms.learn(apdu, title, sent, said, elements)
        return said


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


def _result(said: Said | Unknown, whole: Whole, title: bytes, proof: Proof = "none") -> Reading | Fault:
    if isinstance(said, Unknown):
        return _unknown(said.body, whole, title)
    return Reading(
        meter_id=said.who.meter_id,
        server_id=said.who.server_id,
        registers=said.registers,
        meter_time=said.time,
        protocol=PROTOCOL,
        byte_count=whole.size,
        is_protected=whole.is_protected or proof == "proved",
        is_authentic=_AUTHENTIC[proof],
    )


def _fault(kind: FaultKind, detail: str, whole: Whole, sealed: Sealed) -> Fault:
    return Fault(kind, detail, whole.size, identity.from_title(sealed.title).meter_id)


def _unknown(body: Element, whole: Whole, title: bytes) -> Fault:
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
