"""The decoder of every source: it finds the protocol from the bytes, and follows a stream that changes it.

SML is decoded from the first byte on. Another decoder is made when its mark (marks.py) is among the bytes since the
last telegram; it is fed with all of these, and it takes over with its first complete telegram. So the readings are
those that its protocol's own decoder gives, in whatever pieces the bytes arrive.

    current       the decoder of the last telegram; before the first one that of SML
    candidates    those whose mark was seen since the last telegram; the next telegram of the current one ends them

One decoder reports faults: the current one; before the first telegram the one whose telegrams seem to begin. What the
others make of the same bytes is dropped, so no damage is counted twice, and no telegram as noise of another protocol.

A stream whose telegrams are protected is not left for one without a checksum: a damaged P1 telegram may look like a D0
readout. Three of them in a row are another meter.
"""

import re
from collections.abc import Callable, Iterator

from iskra_server.codecs import marks
from iskra_server.codecs.decoder import DECODERS, Decoder, Decoders, Pausing, is_telegram
from iskra_server.codecs.sml.decoder import NOTHING
from iskra_server.codecs.sml.encoder import START
from iskra_server.meter.reading import UNREADABLE, Fault, Reading

# bytes since the last telegram: as long as the longest of P1 and DLMS
_MAX_UNREAD = 8192
# the longest SML telegram seen has 560 bytes; in longer ones look for other protocols
_MAX_SML = 1024
# no SML telegram is as short
_SHORT = 64
_UNPROTECTED_TELEGRAMS = 3
# faults of the current decoder wait for so many bytes while another protocol may have begun: a P1 telegram has 1,000
_MAX_WITHHELD = 2048
_MAX_FOUND = 32
_STX = re.compile(rb"[\x02\x82]")
# P1 and D0 begin alike: what tells the other one, also with parity bits: the checksum behind "!"; STX, or a group F
_OTHER_TEXT = {
    "d0": ("p1", re.compile(rb"[!\xa1](?:[0-9A-Fa-f\xb0-\xb9\xc1-\xc6\xe1-\xe6]){4}")),
    "p1": ("d0", re.compile(rb"[\x02\x82]|[*\xaa][0-9\xb0-\xb9]{1,3}[(\xa8]")),
}
_MAX_OTHER = 5

Results = list[Reading | Fault]
Feed = Callable[[bytes], Iterator[Reading | Fault]]


class _Candidate:
    """A decoder that may take over, and what it found so far: its faults count only if it does."""

    def __init__(self, decoder: Decoder) -> None:
        self.decoder = decoder
        self.found: Results = []

    def feed(self, data: bytes) -> None:
        self.found += self.decoder.feed(data)
        del self.found[:-_MAX_FOUND]

    def drop_faults(self) -> None:
        self.found = [item for item in self.found if is_telegram(item)]

    def takes_over(self, *, from_protected: bool) -> bool:
        telegrams = sum(isinstance(item, Reading) and not item.channel for item in self.found)
        needed = _UNPROTECTED_TELEGRAMS if from_protected else 1
        return telegrams >= needed or any(map(_is_sure, self.found))


class DetectingDecoder:
    """One per stream; `protocol` is that of the last telegram, "" before the first one."""

    def __init__(self, decoders: Decoders = DECODERS) -> None:
        self.protocol = ""
        self._decoders = decoders
        self._current = decoders["sml"]()
        self._candidates: dict[str, _Candidate] = {}
        # the bytes since the last telegram
        self._unread = bytearray()
        # whether SML, and STX, are among them
        self._has_start = self._has_stx = False
        # faults of the current decoder: if another one takes over, they are none
        self._withheld: Results = []
        self._has_reported = False
        self._is_protected = False
        # set while all that arrives is SML; then these are the bytes since the last telegram
        self._feed_sml: Feed | None = None
        self._chunks: list[bytes] = []
        self._length = 0

    @property
    def pending(self) -> int:
        """Bytes since the last telegram."""
        return len(self._unread) + self._length

    def feed(self, data: bytes) -> Iterator[Reading | Fault]:
        if self._feed_sml is None:
            return iter(self._detected(data))
        if len(data) > _SHORT and data.find(START, 1) > 0:
            return iter([item for piece in _telegrams(data) for item in self._read_sml(piece)])
        return self._read_sml(data)

    def pause(self) -> Iterator[Reading | Fault]:
        """Nothing has arrived for a second: see `Pausing`."""
        for candidate in self._candidates.values():
            if isinstance(candidate.decoder, Pausing):
                candidate.found += candidate.decoder.pause()
        if not isinstance(self._current, Pausing):
            return iter(())
        return iter(self._reported(list(self._current.pause())))

    def _read_sml(self, data: bytes) -> Iterator[Reading | Fault]:
        """The fast path: a meter that sends SML. Anything else is decoded without it."""
        if self._feed_sml is None:
            return iter(self._detected(data))
        results = self._feed_sml(data)
        chunks = self._chunks
        chunks.append(data)
        if results is NOTHING:
            self._length += len(data)
            if self._length < _MAX_SML and chunks[0].startswith(START):
                return results
        found = list(results)
        if len(found) == 1 and isinstance(found[0], Reading):
            length = self._current.pending
            rest = data[len(data) - length :]
            if START.startswith(rest[: len(START)]):
                self._chunks, self._length = [rest] if rest else [], length
                return iter(found)
        data, self._chunks, self._length, self._feed_sml = b"".join(chunks), [], 0, None
        results = iter(self._judged(found, data, _begun(data)))
        self._hasten()
        return results

    def _hasten(self) -> None:
        """Take the fast path if all bytes are SML."""
        is_sml = self.protocol == "sml" and not self._candidates and not self._withheld
        if is_sml and START.startswith(self._unread[: len(START)]) and len(self._unread) < _MAX_SML:
            self._feed_sml = self._current.feed
            self._chunks, self._length = [bytes(self._unread)] if self._unread else [], len(self._unread)
            self._unread.clear()

    def _detected(self, data: bytes) -> Results:
        """What a chunk completes, whatever its protocol is."""
        results: Results = []
        for piece, begun in _pieces(bytes(self._unread[-marks.MAX_MARK :]), data):
            results += self._judged(list(self._current.feed(piece)), piece, begun)
        self._hasten()
        return results

    def _judged(self, found: Results, piece: bytes, begun: set[str]) -> Results:
        """`found` is what the current decoder made of a piece; `begun` are the protocols whose mark is in it."""
        self._unread += piece
        if any(map(is_telegram, found)):
            return self._settled(self._current, self._withheld + found)
        self._has_start |= "sml" in begun
        self._has_stx |= _STX.search(piece) is not None
        new = self._new_candidates(piece, begun)
        if new and (results := self._caught_up(new)) is not None:
            return results
        for candidate in self._candidates.values():
            candidate.feed(piece)
        if winner := self._winner(self._candidates):
            return self._settled(winner.decoder, winner.found)
        if self._has_reported:
            for candidate in new.values():
                candidate.drop_faults()
        self._candidates |= new
        if len(self._unread) > 2 * _MAX_UNREAD:
            del self._unread[:-_MAX_UNREAD]
        return self._reported(found)

    def _new_candidates(self, piece: bytes, begun: set[str]) -> dict[str, _Candidate]:
        """Those whose mark was not seen before."""
        current = self._current.protocol
        if current in _OTHER_TEXT:
            other, mark = _OTHER_TEXT[current]
            is_other = self._has_reported or mark.search(
                self._unread, max(0, len(self._unread) - len(piece) - _MAX_OTHER)
            )
            begun = begun | {other} if is_other else begun - {other}
        begun = begun - {current, *self._candidates}
        return {protocol: _Candidate(make()) for protocol, make in self._decoders.items() if protocol in begun}

    def _caught_up(self, new: dict[str, _Candidate]) -> Results | None:
        """Feed new candidates with all that is unread; None if no telegram is in it."""
        pieces = list(_pieces(b"", bytes(self._unread)))
        self._unread.clear()
        for number, (old, _) in enumerate(pieces, 1):
            self._unread += old
            for candidate in new.values():
                candidate.feed(old)
            if winner := self._winner(new):
                results = self._settled(winner.decoder, winner.found)
                for piece, begun in pieces[number:]:
                    results += self._judged(list(self._current.feed(piece)), piece, begun)
                return results
        return None

    def _winner(self, candidates: dict[str, _Candidate]) -> _Candidate | None:
        preferred = (candidates[protocol] for protocol in self._decoders if protocol in candidates)
        return next((each for each in preferred if each.takes_over(from_protected=self._is_protected)), None)

    def _settled(self, decoder: Decoder, found: Results) -> Results:
        """What this decoder found, which is the current one from now on, and what stands behind its last telegram."""
        last = max(number for number, item in enumerate(found) if is_telegram(item)) + 1
        results, behind = found[:last], found[last:]
        self._current = decoder
        # P1 may stand in an encrypted frame of DLMS
        protocols = (item.protocol for item in reversed(results) if isinstance(item, Reading))
        self.protocol = next(protocols, decoder.protocol)
        self._is_protected = any(map(_is_sure, results))
        self._candidates, self._withheld = {}, []
        self._has_reported = self._has_start = self._has_stx = False
        length = decoder.pending + sum(fault.byte_count for fault in behind)
        rest = bytes(self._unread[-length:]) if length else b""
        self._unread.clear()
        return results + self._judged(behind, rest, _begun(rest)) if rest else results

    def _reported(self, faults: Results) -> Results:
        """The faults of the decoder that reports them; `faults` are those of the current one."""
        if leader := self._candidates.get(self._leader()):
            faults = [item for item in leader.found if not is_telegram(item)]
        elif self.protocol:
            faults = self._withheld = self._withheld + faults
            is_noise = all(isinstance(fault, Fault) and fault.kind == "noise" for fault in faults)
            if len(self._unread) < (_MAX_WITHHELD if self._candidates or is_noise else marks.MAX_MARK):
                return []
            self._withheld = []
        self._has_reported |= bool(faults)
        if self._has_reported:
            for candidate in self._candidates.values():
                candidate.drop_faults()
        return faults

    def _leader(self) -> str:
        """The candidate that reports faults before the first telegram, "" for the current decoder."""
        if self.protocol or not self._candidates or self._has_start:
            return ""
        first = next(iter(self._candidates))
        return "d0" if first == "p1" and self._has_stx else first


def _telegrams(data: bytes) -> Iterator[bytes]:
    """Cut before each start of SML."""
    begin, at = 0, data.find(START, 1)
    while at > 0:
        yield data[begin:at]
        begin, at = at, data.find(START, at + 1)
    yield data[begin:]


def _pieces(before: bytes, data: bytes) -> Iterator[tuple[bytes, set[str]]]:
    """Cut so that no telegrams of two protocols end in one piece; with the protocols that begin in it."""
    begin, begun = 0, set[str]()
    for place, protocols in marks.find(before + data, len(before)):
        at = place - len(before)
        if at > begin and begun != set(protocols[:1]):
            yield data[begin:at], begun
            begin, begun = at, set()
        begun.update(protocols)
    yield data[begin:], begun


def _begun(data: bytes) -> set[str]:
    return {protocol for _, protocols in marks.find(data) for protocol in protocols}


def _is_sure(item: Reading | Fault) -> bool:
    return item.is_protected if isinstance(item, Reading) else item.kind in UNREADABLE
