"""The decoder of every source: it finds the protocol from the bytes, and follows a stream that changes it.

    telegram | begins alike ...     following: the current decoder alone is fed, for a meter repeats its telegrams
    telegram | anything else ...    searching: another protocol may have begun; so it is before the first telegram

The search begins, with all bytes since the last telegram, when these begin otherwise than that one, are twice as long,
or are damaged. Each protocol whose mark (marks.py) is among them gets a decoder, a candidate; the first complete
telegram decides who is the current one. So the readings are those that its protocol's own decoder gives, in whatever
pieces the bytes arrive; but what stands between two telegrams of one protocol in one chunk may be noise to it. Before
the first telegram the current decoder is that of SML.

One decoder reports faults: the current one; before the first telegram the one whose telegrams seem to begin. What the
others make of the same bytes is dropped, so no damage is counted twice, and no telegram as noise of another protocol.

A stream whose telegrams are protected is not left for one without a checksum: a damaged P1 telegram may look like a D0
readout. Three of them in a row are another meter.
"""

import re

from iskra_server.codecs import marks
from iskra_server.codecs.decoder import DECODERS, Decoder, Decoders, Pausing, is_telegram
from iskra_server.codecs.sml.encoder import START
from iskra_server.meter.reading import UNREADABLE, Fault, Reading

# the mark of SML, the header of HDLC with its checksum, the maker and model in an identification line
_HEAD = 8
_MANY = 4
# between telegrams of text, with parity bits too
_GAP = b"\r\n\0 \x06\x15\x8d\xa0\x95"
# bytes since the last telegram: as long as the longest of P1 and DLMS
_MAX_UNREAD = 8192
_UNPROTECTED_TELEGRAMS = 3
# faults of the current decoder wait for so many bytes while another protocol may have begun: a P1 telegram has 1,000
_MAX_WITHHELD = 2048
_MAX_FOUND = 32
_STX = re.compile(rb"[\x02\x82]")

Results = list[Reading | Fault]


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
        self._feed = self._current.feed
        # the bytes since the last telegram
        self._unread = bytearray()
        # a chunk of this length goes to the current decoder alone; in a longer one telegrams of other protocols may
        # be, too; 0 while searching
        self._most = 0
        # how the last telegram began, its length, and when to look at the unread bytes again
        self._head = b""
        self._length = self._look_at = 0
        # those whose mark was seen while searching
        self._candidates: dict[str, _Candidate] = {}
        # faults of the current decoder: if another one takes over, they are none
        self._withheld: Results = []
        self._has_reported = False
        self._is_protected = False

    @property
    def pending(self) -> int:
        """Bytes since the last telegram."""
        return len(self._unread)

    def feed(self, data: bytes) -> Results:
        if len(data) > self._most:
            return self._search(data)
        found = self._feed(data)
        self._unread += data
        if found or len(self._unread) >= self._look_at:
            return self._followed(found)
        return found

    def _followed(self, found: Results) -> Results:
        """`found` is what the current decoder made of a chunk; what is unread may be of another protocol."""
        if not all(map(is_telegram, found)):
            return self._begin_search(found)
        if found:
            del self._unread[: len(self._unread) - self._current.pending]
            self._look_at = 0
        if self._unread and not self._begins_alike():
            found += self._begin_search([])
        return found

    def pause(self) -> Results:
        """Nothing has arrived for a second: see `Pausing`."""
        for candidate in self._candidates.values():
            if isinstance(candidate.decoder, Pausing):
                candidate.found += candidate.decoder.pause()
        if not isinstance(self._current, Pausing):
            return []
        faults = self._current.pause()
        if self._most and faults:
            self._unread.clear()
            return faults
        return self._reported(faults)

    def _begins_alike(self) -> bool:
        """Whether what is unread may be the beginning of a telegram like the last one."""
        unread, head, length, most = self._unread, self._head, len(self._unread), 2 * self._length
        self._look_at = most
        if not unread.startswith(head):
            begin = bytes(unread.lstrip(_GAP)[:_HEAD])
            if len(begin) == _HEAD or not head.startswith(begin):
                return begin == head and length < most
            self._look_at = length + 1
        return length < most

    def _begin_search(self, found: Results) -> Results:
        """Among all that is unread; `found` is what the current decoder made of it."""
        data = bytes(self._unread)
        self._unread.clear()
        results = self._judged(found, data, marks.begun(data))
        self._most = _MANY * self._length if self._may_follow() else 0
        return results

    def _may_follow(self) -> bool:
        return bool(self._head) and not self._candidates and not self._withheld and self._begins_alike()

    def _search(self, data: bytes) -> Results:
        """What a chunk completes, whatever its protocol is."""
        results: Results = []
        for piece, begun in marks.pieces(bytes(self._unread[-marks.MAX_MARK :]), data):
            results += self._judged(self._current.feed(piece), piece, begun)
        self._most = _MANY * self._length if self._may_follow() else 0
        return results

    def _judged(self, found: Results, piece: bytes, begun: set[str]) -> Results:
        """`found` is what the current decoder made of a piece; `begun` are the protocols whose mark is in it."""
        self._unread += piece
        if any(map(is_telegram, found)):
            return self._settled(self._current, self._withheld + found)
        if not found and self._may_follow():
            return []
        begun = begun - {self._current.protocol, *self._candidates}
        new = {protocol: _Candidate(make()) for protocol, make in self._decoders.items() if protocol in begun}
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

    def _caught_up(self, new: dict[str, _Candidate]) -> Results | None:
        """Feed new candidates with all that is unread; None if no telegram is in it."""
        pieces = list(marks.pieces(b"", bytes(self._unread)))
        self._unread.clear()
        for number, (old, _) in enumerate(pieces, 1):
            self._unread += old
            for candidate in new.values():
                candidate.feed(old)
            if winner := self._winner(new):
                results = self._settled(winner.decoder, winner.found)
                for piece, begun in pieces[number:]:
                    results += self._judged(self._current.feed(piece), piece, begun)
                return results
        return None

    def _winner(self, candidates: dict[str, _Candidate]) -> _Candidate | None:
        preferred = (candidates[protocol] for protocol in self._decoders if protocol in candidates)
        return next((each for each in preferred if each.takes_over(from_protected=self._is_protected)), None)

    def _settled(self, decoder: Decoder, found: Results) -> Results:
        """What this decoder found, which is the current one from now on, and what stands behind its last telegram."""
        last = max(number for number, item in enumerate(found) if is_telegram(item)) + 1
        results, behind = found[:last], found[last:]
        if all(map(is_telegram, results)):
            self._head = bytes(self._unread.lstrip(_GAP)[:_HEAD])
        elif decoder is not self._current:
            self._head = b""
        self._length = max(item.byte_count for item in results)
        self._current, self._feed = decoder, decoder.feed
        # P1 may stand in an encrypted frame of DLMS
        protocols = (item.protocol for item in reversed(results) if isinstance(item, Reading))
        self.protocol = next(protocols, decoder.protocol)
        self._is_protected = any(map(_is_sure, results))
        self._candidates, self._withheld, self._has_reported = {}, [], False
        length = decoder.pending + sum(fault.byte_count for fault in behind)
        if behind:
            # a decoder of text does not count the bytes of gaps, which another telegram may begin with
            near = bytes(self._unread[-length - marks.MAX_MARK :])
            length = max((length, *(len(near) - place for place, _ in marks.find(near))))
        rest = bytes(self._unread[-length:]) if length else b""
        self._unread.clear()
        return results + self._judged(behind, rest, marks.begun(rest)) if rest else results

    def _reported(self, faults: Results) -> Results:
        """The faults of the decoder that reports them; `faults` are those of the current one."""
        if leader := self._leader():
            faults = [item for item in leader.found if not is_telegram(item)]
        elif self.protocol:
            faults = self._withheld = self._withheld + faults
            if len(self._unread) < (_MAX_WITHHELD if self._candidates else marks.MAX_MARK):
                return []
            self._withheld = []
        self._has_reported |= bool(faults)
        if self._has_reported:
            for candidate in self._candidates.values():
                candidate.drop_faults()
        return faults

    def _leader(self) -> _Candidate | None:
        """The candidate that reports faults before the first telegram, None for the current decoder."""
        if self.protocol or not self._candidates or START in self._unread:
            return None
        first = next(iter(self._candidates))
        return self._candidates["d0" if first == "p1" and _STX.search(self._unread) else first]


def _is_sure(item: Reading | Fault) -> bool:
    return item.protection not in ("sum", "none") if isinstance(item, Reading) else item.kind in UNREADABLE
