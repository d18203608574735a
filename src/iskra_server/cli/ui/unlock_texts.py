"""All texts of `unlock`, in both languages."""

from collections.abc import Mapping

from msgspec import Struct

from iskra_server.base.language import Language
from iskra_server.diagnosis.unlocking import Event


class Phrases(Struct, frozen=True, kw_only=True):
    """`events`: what the telegrams show. `instructions`: all steps in advance; the other texts lead step by step.

    `digit` has a place for the number of the digit. `flash`, `dark` and `hold` are words on the counting line.
    """

    listening: str
    other_maker: str
    events: Mapping[Event, str]
    instructions: tuple[str, ...]
    wake: str
    until_pin: str
    digit: str
    waiting: str
    still_locked: str
    on_to_inf: str
    light_off: str
    flash: str
    dark: str
    hold: str
    no_pin: str
    no_telegram: str


PHRASES: Mapping[Language, Phrases] = {
    "en": Phrases(
        listening="Listening for the meter ...",
        other_maker="a meter of another maker",
        events={
            "locked": "It is locked: it sends whole kWh and no power.",
            "unlocked": "It is unlocked: there is nothing to do.",
            "digits": "The digits after the point are sent now.",
            "power": "The power is sent now.",
            "falls_back": "It locks itself again in two minutes: switch InF on.",
            "fell_back": "It has locked itself again: InF is off. Enter the PIN again, and hold the light on InF.",
            "inf_on": "InF is on: the meter stays unlocked.",
        },
        instructions=(
            "Have the four-digit PIN from your grid operator and a torch ready. The head may stay where it is;",
            "the light goes to the optical button beside the display (a small circle or an eye).",
            "  1. Two short flashes wake the display; more of them step on until it reads PIN.",
            "  2. Each short flash raises the digit by one; three seconds of darkness accept it. Do this four times.",
            "  3. Step on by short flashes until it reads InF, and hold the light for five seconds until it reads on.",
            "  4. If the meter offers PIN OFF, also hold the light there: then it stays unlocked after a power cut.",
            "Without InF the meter locks itself again after two minutes. Some meters block after several wrong PINs.",
        ),
        wake="Press Enter, and then flash twice with the numbers.",
        until_pin="If the display does not read PIN yet, flash until it does. Then press Enter.",
        digit="Digit {}: flash with each number, and press Enter at yours; immediately for a 0.",
        waiting="Waiting for the meter to unlock ...",
        still_locked="The meter is still locked. Check the PIN, and do not try too often: some meters block.",
        on_to_inf="Step on by short flashes until it reads InF. Then press Enter and hold the light.",
        light_off="Light off; the display should read InF on. Watching whether the meter stays unlocked ...",
        flash="flash",
        dark="dark",
        hold="hold",
        no_pin="The meter at {url} sends {protocol}: it has no PIN that must be entered. Only ISKRA meters that send SML "
        "have one.",
        no_telegram="No telegram arrived from {url}; iskra-server doctor {url} says why.",
    ),
    "de": Phrases(
        listening="Warte auf den Zähler ...",
        other_maker="ein Zähler eines anderen Herstellers",
        events={
            "locked": "Er ist gesperrt: Er sendet nur ganze kWh und keine Leistung.",
            "unlocked": "Er ist freigeschaltet: Es ist nichts zu tun.",
            "digits": "Die Nachkommastellen werden jetzt gesendet.",
            "power": "Die Leistung wird jetzt gesendet.",
            "falls_back": "In zwei Minuten sperrt er sich wieder: Schalten Sie InF ein.",
            "fell_back": "Er hat sich wieder gesperrt: InF ist aus. Geben Sie die PIN noch einmal ein, und halten Sie bei InF das Licht mindestens fünf Sekunden.",
            "inf_on": "InF ist an: Der Zähler bleibt freigeschaltet.",
        },
        instructions=(
            "Halten Sie die vierstellige PIN Ihres Netzbetreibers und eine Taschenlampe bereit. Der Lesekopf darf bleiben;",
            "leuchten Sie auf die optische Taste neben der Anzeige (ein kleiner Kreis oder ein Auge).",
            "  1. Zweimal kurz leuchten weckt die Anzeige; weiter kurz leuchten, bis dort PIN steht.",
            "  2. Jedes kurze Leuchten zählt die Ziffer um eins hoch; drei Sekunden Dunkelheit übernehmen sie. Das viermal.",
            "  3. Weiter kurz leuchten, bis dort InF steht, und dann fünf Sekunden leuchten, bis dort on steht.",
            "  4. Bietet der Zähler PIN OFF an, auch dort lange leuchten: Dann bleibt er nach einem Stromausfall freigeschaltet.",
            "Ohne InF sperrt sich der Zähler nach zwei Minuten wieder. Manche sperren sich nach mehreren falschen PINs ganz.",
        ),
        wake="Drücken Sie die Eingabetaste, und leuchten Sie dann im Takt zweimal.",
        until_pin="Steht dort noch nicht PIN, leuchten Sie kurz, bis es so ist. Dann drücken Sie die Eingabetaste.",
        digit="Ziffer {}: Leuchten Sie bei jeder Zahl kurz, und drücken Sie bei Ihrer Ziffer die Eingabetaste; bei einer 0 sofort.",
        waiting="Warte, ob der Zähler sich freischaltet ...",
        still_locked="Der Zähler ist noch gesperrt. Prüfen Sie die PIN, und versuchen Sie es nicht zu oft: Manche Zähler sperren sich dann ganz.",
        on_to_inf="Leuchten Sie kurz, bis dort InF steht. Dann drücken Sie die Eingabetaste und leuchten fünf Sekunden lang.",
        light_off="Licht aus; dort sollte InF on stehen. Warte, ob der Zähler freigeschaltet bleibt ...",
        flash="Licht",
        dark="dunkel",
        hold="halten",
        no_pin="Der Zähler an {url} sendet {protocol}: Er hat keine PIN, die eingegeben werden muss. Nur Zähler von ISKRA, "
        "die SML senden, haben eine.",
        no_telegram="Von {url} kam kein Telegramm an; iskra-server doctor {url} sagt, warum.",
    ),
}
