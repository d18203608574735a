"""The texts of messages about events, in English and German."""

from datetime import datetime
from decimal import Decimal

from msgspec import Struct

from iskra_server.base.language import Language
from iskra_server.diagnosis.advice import Advice
from iskra_server.outputs.notify import localized
from iskra_server.outputs.notify.messages import Text

Texts = dict[Language, Text]
_HOURS_OF_YEAR = 8766


def silent_text(name: str, since: datetime | None, now: datetime, advice: Advice) -> Texts:
    """`since` is None for a meter that was not heard since the server started."""
    en = f"no reading since {localized.since(since, now, 'en')}" if since else "no reading yet"
    de = f"seit {localized.since(since, now, 'de')} kein Wert" if since else "noch kein Wert"
    return {"en": Text(f"{name}: {en}", str(advice.en)), "de": Text(f"{name}: {de}", str(advice.de))}


def heard_text(name: str, since: datetime, until: datetime) -> Texts:
    en, de = _span(since, until, "en"), _span(since, until, "de")
    return {
        "en": Text(
            f"{name}: readings arrive again",
            f"No reading arrived from {en}. The meter went on counting: its energy of that time is known as one sum.",
        ),
        "de": Text(
            f"{name}: Es kommen wieder Werte an",
            f"Von {de} kam kein Wert an. Der Zähler hat weitergezählt: Die Energie dieser Zeit ist als Summe bekannt.",
        ),
    }


def fault_text(name: str, advice: Advice) -> Texts:
    return {
        "en": Text(f"{name}: something is wrong", str(advice.en)),
        "de": Text(f"{name}: Störung", str(advice.de)),
    }


def gone_text(name: str, since: datetime, until: datetime) -> Texts:
    return {
        "en": Text(f"{name}: all is well again", f"The fault lasted from {_span(since, until, 'en')}."),
        "de": Text(f"{name}: Störung behoben", f"Sie dauerte von {_span(since, until, 'de')}."),
    }


def _span(since: datetime, until: datetime, language: Language) -> str:
    """14:05 to 14:32 (27 minutes); 14:05 bis 14:32 Uhr (27 Minuten)."""
    begin = localized.since(since, until, language).removesuffix(" Uhr")
    to = "bis" if language == "de" else "to"
    # the difference of two local times would be that of the clock on the wall
    lasted = localized.duration(until.timestamp() - since.timestamp(), language)
    return f"{begin} {to} {localized.clock(until, language)} ({lasted})"


def locked_text(name: str, advice: Advice) -> Texts:
    return {
        "en": Text(f"{name}: locked again", str(advice.en)),
        "de": Text(f"{name}: wieder gesperrt", str(advice.de)),
    }


class LoadFigures(Struct, frozen=True):
    """A load above a limit from `since` to `until`, or now; `energy_wh` is None where the counters do not tell it."""

    limit_w: Decimal
    since: datetime
    until: datetime
    power_w: Decimal
    peak_w: Decimal
    energy_wh: Decimal | None = None


def load_text(name: str, load: LoadFigures) -> Texts:
    def text(language: Language, title: str, body: str) -> Text:
        lasted_s = load.until.timestamp() - load.since.timestamp()
        limit, lasted = localized.watts(load.limit_w, language), localized.duration(lasted_s, language)
        since = localized.since(load.since, load.until, language)
        power, peak = localized.watts(load.power_w, language), localized.watts(load.peak_w, language)
        return Text(f"{name}: {title.format(limit, lasted)}", body.format(power, peak, since))

    return {
        "en": text("en", "above {0} for {1}", "{0} from the grid now, at most {1} since {2}."),
        "de": text("de", "seit {1} über {0}", "Bezug jetzt {0}, höchstens {1} seit {2}."),
    }


def load_end_text(name: str, load: LoadFigures) -> Texts:
    def text(language: Language, title: str, body: str) -> Text:
        parts = [localized.watts(load.peak_w, language)]
        parts += [localized.kwh(load.energy_wh, language)] if load.energy_wh is not None else []
        title = title.format(localized.watts(load.limit_w, language))
        return Text(f"{name}: {title}", body.format(_span(load.since, load.until, language), ", ".join(parts)))

    return {
        "en": text("en", "below {} again", "Above it from {}: at most {}."),
        "de": text("de", "wieder unter {}", "Darüber von {}: höchstens {}."),
    }


def base_load_text(name: str, power_w: Decimal, before_w: Decimal) -> Texts:
    """The median of seven nights, and of the seven before."""
    year_wh = (power_w - before_w) * _HOURS_OF_YEAR
    values = {
        language: (
            localized.change(power_w, before_w, language).lstrip("+"),
            localized.watts(power_w, language),
            localized.watts(before_w, language),
            f"{localized.number(year_wh.scaleb(-3), 0, language)} kWh",
        )
        for language in ("en", "de")
    }
    percent, now, before, year = values["en"]
    prozent, jetzt, vorher, jahr = values["de"]
    return {
        "en": Text(
            f"{name}: base load up by {percent}",
            f"{now} in the quietest hour of the night, {before} a week ago (median of seven nights each). If it stays "
            f"so, that is {year} more in a year.",
        ),
        "de": Text(
            f"{name}: Grundlast um {prozent} gestiegen",
            f"{jetzt} in der ruhigsten Stunde der Nacht, vor einer Woche {vorher} (Median aus je sieben Nächten). "
            f"Bleibt es dabei, sind das {jahr} mehr im Jahr.",
        ),
    }
