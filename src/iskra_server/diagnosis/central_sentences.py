"""Sentences about a central server: which readers and meters are missing, and what is worth a look.

fault: sentence, next step, Satz, nächster Schritt
"""

# fmt: off
SENTENCES: dict[str, tuple[str, str, str, str]] = {
    "central_database": (
        "The database of this central server cannot be read.",
        "{reason}",
        "Die Datenbank dieser Zentrale ist nicht lesbar.",
        "{reason}"),
    "central_unread": (
        "The state of the readers has not been read yet.",
        "Wait a few seconds.",
        "Der Zustand der Lesegeräte ist noch nicht bekannt.",
        "Warten Sie ein paar Sekunden."),
    "central_empty": (
        "No reader has reported yet.",
        "iskra-server fleet enroll NAME prints what the first one needs; the log of a collector says whether it reaches "
        "the broker.",
        "Es hat sich noch kein Lesegerät gemeldet.",
        "iskra-server fleet enroll NAME zeigt, was das erste braucht; im Protokoll eines Kollektors steht, ob er den Broker erreicht."),
    "central_no_month": (
        "Months ahead that have partitions: {months}. Rows of a month without one lie outside of all partitions.",
        "Run iskra-server prepare as the owner of the tables, and then once a month.",
        "Kommende Monate mit Partitionen: {months}. Zeilen eines Monats ohne Partition liegen außerhalb aller Partitionen.",
        "Führen Sie iskra-server prepare als Eigentümer der Tabellen aus, danach einmal im Monat."),
    "central_silent_readers": (
        "Silent readers: {count} of {readers}; {name} for the longest time.",
        "Check the power and the network of these readers, and the broker; the page lists them under Readers.",
        "Lesegeräte ohne Kontakt: {count} von {readers}, am längsten {name}.",
        "Prüfen Sie Strom und Netzwerk dieser Lesegeräte und den Broker; die Seite zeigt sie unter „Lesegeräte“."),
    "central_failing_readers": (
        "Readers with a fault: {count} of {readers}, such as {name}.",
        "{reason}",
        "Lesegeräte mit einem Fehler: {count} von {readers}, zum Beispiel {name}.",
        "{reason}"),
    "central_waiting_readers": (
        "Readers at which quarter-hours wait that are older than two hours: {count} of {readers}, such as {name}.",
        "iskra-server uplink status says there why. If a meter has come to this reader from another one: "
        "iskra-server fleet move METER --to {name}.",
        "Lesegeräte, bei denen Viertelstunden warten, die älter als zwei Stunden sind: {count} von {readers}, zum Beispiel {name}.",
        "iskra-server uplink status nennt dort den Grund. Ist ein Zähler von einem anderen Lesegerät zu diesem gekommen: "
        "iskra-server fleet move ZÄHLER --to {name}."),
    "central_silent_meters": (
        "Meters of which nothing has come for half an hour or longer: {count} of {meters}.",
        "The page lists the meters that have been silent for the longest time first.",
        "Zähler, von denen seit mindestens einer halben Stunde nichts ankam: {count} von {meters}.",
        "Die Seite zeigt zuerst die Zähler, von denen am längsten nichts kam."),
    "central_refused": (
        "Messages of readers that were refused within the last day: {count}; the newest one, because {reason}.",
        "The table refused holds them whole. Correct the cause; then iskra-server uplink resend at the reader sends them again.",
        "Am letzten Tag abgewiesene Nachrichten von Lesegeräten: {count}; Grund der neuesten: {reason}.",
        "Die Tabelle „refused“ enthält sie vollständig. Beheben Sie die Ursache; danach sendet iskra-server uplink resend am Lesegerät sie erneut."),
    "central_conflicts": (
        "Values of the last day that differ from the stored ones: {count}.",
        "The stored values count. iskra-server fleet conflicts lists both: two readers of one meter, or a reader with a wrong clock.",
        "Werte des letzten Tages, die von den gespeicherten abweichen: {count}.",
        "Es gelten die gespeicherten. iskra-server fleet conflicts zeigt beide: zwei Lesegeräte an einem Zähler oder eines mit falscher Uhr."),
    "central_skew": (
        "The clock of reader {name} is {seconds} s off.",
        "Let it set its clock by the network (NTP).",
        "Die Uhr des Lesegeräts {name} weicht um {seconds} s ab.",
        "Lassen Sie seine Uhr über das Netzwerk stellen (NTP)."),
    "central_refused_at_readers": (
        "Quarter-hours at readers that were refused: {count}.",
        "iskra-server uplink status says why; iskra-server uplink resend sends them again.",
        "Abgewiesene Viertelstunden in Lesegeräten: {count}.",
        "iskra-server uplink status nennt den Grund, iskra-server uplink resend sendet sie erneut."),
}
# fmt: on
