from datetime import UTC, datetime

from iskra_server.outputs.notify.event_texts import Texts
from iskra_server.outputs.notify.messages import MeterMessage, Text, notification, trial_message

AT = datetime(2026, 11, 27, 13, 5, tzinfo=UTC)


def test_a_simulated_meter_says_so_in_every_text() -> None:
    texts: Texts = {
        "en": Text("House: locked again", "Enter the PIN."),
        "de": Text("Haus: wieder gesperrt", "PIN eingeben."),
    }
    message = MeterMessage("locked", "begin", AT, texts, simulated=True)
    en, de = notification(message, "en", ""), notification(message, "de", "")
    assert en.title == "[simulated] House: locked again"
    assert en.message == "Enter the PIN.\nThese values are simulated; no real meter is being read."
    assert de.title == "[simuliert] Haus: wieder gesperrt"
    assert de.message.endswith("\nDiese Werte sind simuliert; es wird kein echter Zähler gelesen.")
    assert (en.simulated, en.priority, en.tags) == (True, 4, ["lock"])


def test_each_message_has_an_id_of_its_own() -> None:
    ids = {notification(trial_message(AT), language, "").id for language in ("en", "de") for _ in range(2)}
    assert len(ids) == 4
