"""The outputs of a running server as text: what fails, what is worth knowing, and who asks an emulated device."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from iskra_server.cli.ui.options import Language
from iskra_server.outputs.state import OutputClient, OutputState


class _Texts(NamedTuple):
    asks: str
    often: str
    answered: str


_TEXTS: dict[Language, _Texts] = {
    "en": _Texts(
        "{address} sent {requests} requests",
        ", one every {seconds} s",
        "; {answers} were answered, with readings {age} s old, at most {highest} s",
    ),
    "de": _Texts(
        "{address} hat {requests} Anfragen gesendet",
        ", eine alle {seconds} s",
        "; {answers} wurden beantwortet, mit Werten im Alter von {age} s, höchstens {highest} s",
    ),
}


def output_lines(outputs: Iterable[OutputState], lang: Language) -> Iterator[str]:
    """Nothing of an output that is well and is not asked."""
    for output in outputs:
        if output.sentence:
            yield f"{output.name}: {output.sentence}"
        yield from (f"{output.name}: {notice.de if lang == 'de' else notice.en}" for notice in output.notices)
        yield from (f"{output.name}: {_client(client, lang)}" for client in output.clients)


def _client(client: OutputClient, lang: Language) -> str:
    def number(seconds: float) -> str:
        text = f"{seconds:.1f}"
        return text.replace(".", ",") if lang == "de" else text

    texts = _TEXTS[lang]
    line = texts.asks.format(address=client.address, requests=client.requests)
    if client.interval_s is not None:
        line += texts.often.format(seconds=number(client.interval_s))
    if client.age_s is not None:
        highest = number(client.max_age_s or client.age_s)
        line += texts.answered.format(answers=client.answers, age=number(client.age_s), highest=highest)
    return f"{line}."
