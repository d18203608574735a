"""The outputs of a running server as text: what fails, what is worth knowing, and who asks an emulated device."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from iskra_server.base.language import Language
from iskra_server.outputs.state import OutputClient, OutputState, notices_by_output


class _Texts(NamedTuple):
    asks: str
    often: str
    answered: str


_TEXTS: dict[Language, _Texts] = {
    "en": _Texts(
        "requests of {address}: {requests}",
        ", one every {interval}",
        "; answered: {answers}, with readings {age} old, at most {highest}",
    ),
    "de": _Texts(
        "Anfragen von {address}: {requests}",
        ", im Abstand von {interval}",
        "; beantwortet: {answers}, mit Werten im Alter von {age}, höchstens {highest}",
    ),
}


def output_lines(outputs: Iterable[OutputState], lang: Language) -> Iterator[str]:
    """Nothing of an output that is well and is not asked."""
    outputs = list(outputs)
    for output in outputs:
        if output.sentence:
            german = output.sentence_de if lang == "de" else ""
            yield f"{output.name}: {german or output.sentence}"
    for notice, names in notices_by_output(outputs).items():
        yield f"{', '.join(names)}: {notice.de if lang == 'de' else notice.en}"
    yield from (f"{output.name}: {_client(client, lang)}" for output in outputs for client in output.clients)


def _client(client: OutputClient, lang: Language) -> str:
    def age(seconds: float) -> str:
        text = f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"
        return text.replace(".", ",") if lang == "de" else text

    texts = _TEXTS[lang]
    line = texts.asks.format(address=client.address, requests=client.requests)
    if client.interval_s is not None:
        line += texts.often.format(interval=age(client.interval_s))
    if client.age_s is not None:
        highest = age(client.max_age_s or client.age_s)
        line += texts.answered.format(answers=client.answers, age=age(client.age_s), highest=highest)
    return f"{line}."
