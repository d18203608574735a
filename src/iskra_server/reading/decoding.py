"""How the telegrams of one meter are decoded: its keys and layouts, checked before anything is read."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from msgspec import Struct

from iskra_server.base.installation import how_to_add
from iskra_server.base.secret import Secret
from iskra_server.codecs.decoder import DECODERS, Decoder
from iskra_server.codecs.detecting import DetectingDecoder
from iskra_server.meter.reading import Fault, Reading
from iskra_server.sources.source import Chunk

if TYPE_CHECKING:
    from iskra_server.codecs.dlms.layouts import Layout
    from iskra_server.codecs.dlms.security import Keys

Parsed = TypeVar("Parsed")

# a key has 32 characters, a file of layouts a few thousand
_MAX_BYTES = 256 * 1024


class Decoding(Struct, frozen=True):
    """Keys and own layouts of a meter; nothing of DLMS is imported without them."""

    keys: "Keys | None" = None
    layouts: "tuple[Layout, ...]" = ()

    @property
    def has_key(self) -> bool:
        return self.keys is not None

    @property
    def has_auth_key(self) -> bool:
        return self.keys is not None and bool(self.keys.authentication)

    def decoder(self, protocol: str = "") -> Decoder:
        """For one stream; without a protocol it finds that from the bytes."""
        decoders = {**DECODERS, "dlms": self._dlms, "p1": self._p1} if self != _PLAIN else DECODERS
        return decoders[protocol]() if protocol else DetectingDecoder(decoders)

    def _dlms(self) -> Decoder:
        from iskra_server.codecs.dlms.decoder import DlmsDecoder  # noqa: PLC0415

        return DlmsDecoder(self.keys, self.layouts)

    def _p1(self) -> Decoder:
        from iskra_server.codecs.p1.decoder import P1Decoder  # noqa: PLC0415

        return P1Decoder(self.keys)


_PLAIN = Decoding()


def decoding(
    key: Secret, auth_key: Secret, layouts_file: Path | None, names: tuple[str, str, str], system_title: str = ""
) -> Decoding:
    """The decoding with these keys; `names` is what the user calls both and the system title.

    Raises ValueError with a sentence, without full stop, that does not hold a key.
    """
    if not (key or auth_key or layouts_file or system_title):
        return _PLAIN
    from iskra_server.codecs.dlms import layouts, security  # noqa: PLC0415

    if auth_key and not key:
        _parsed(security.key, auth_key, names[1])
        raise ValueError(f"{names[1]} needs {names[0]} too: a telegram is decrypted before its tag is checked")
    title = _parsed(security.system_title, Secret(system_title), names[2]) if system_title else b""
    if title and not key:
        raise ValueError(f"{names[2]} needs {names[0]} too")
    keys = None
    if key:
        authentication = _parsed(security.key, auth_key, names[1]) if auth_key else b""
        keys = security.Keys(_parsed(security.key, key, names[0]), authentication, title)
    own: tuple[Layout, ...] = ()
    if layouts_file:
        own = _parsed(lambda text: layouts.parse(text, is_own=True), read_text(layouts_file), str(layouts_file))
    made = Decoding(keys, own)
    try:
        made.decoder("dlms")
    except ImportError:
        raise ValueError(f"Keys of meters need one more package: {how_to_add('encrypted')}") from None
    return made


def results(decoder: Decoder, chunk: Chunk) -> Iterable[Reading | Fault]:
    """What a chunk completes: decoded, or as a conversation with the meter did."""
    return decoder.feed(chunk.data) if chunk.results is None else chunk.results


def read_text(path: Path) -> Secret:
    """A file with a key or with layouts. Raises ValueError as `decoding` does."""
    try:
        with path.open("rb") as file:
            return Secret(file.read(_MAX_BYTES).decode("utf-8-sig"))
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ValueError(f"{path} is no text") from None


def _parsed(parse: Callable[[str], Parsed], text: Secret, name: str) -> Parsed:
    try:
        return parse(text.reveal())
    except ValueError as error:
        raise ValueError(f"{name} {error}") from None
