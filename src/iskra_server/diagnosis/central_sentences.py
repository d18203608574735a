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
        "There are partitions for {months} more months; without one, new rows of a month lie outside of all partitions.",
        "Run iskra-server prepare as the owner of the tables, and then once a month.",
        "Es gibt Partitionen für {months} weitere Monate; ohne Partition liegen neue Zeilen eines Monats außerhalb aller Partitionen.",
        "Führen Sie iskra-server prepare als Eigentümer der Tabellen aus, danach einmal im Monat."),
    "central_silent_readers": (
        "{count} of {readers} readers are silent, {name} for the longest time.",
        "Check the power and the network of these readers, and the broker; the page lists them under Readers.",
        "{count} von {readers} Lesegeräten melden sich nicht, {name} seit der längsten Zeit.",
        "Prüfen Sie Strom und Netzwerk dieser Lesegeräte und den Broker; die Seite zeigt sie unter „Lesegeräte“."),
    "central_failing_readers": (
        "{count} of {readers} readers report a fault, such as {name}.",
        "{reason}",
        "{count} von {readers} Lesegeräten melden einen Fehler, zum Beispiel {name}.",
        "{reason}"),
    "central_silent_meters": (
        "{count} of {meters} meters have sent nothing for half an hour or longer.",
        "The page lists the meters that have been silent for the longest time first.",
        "Von {count} der {meters} Zähler kam seit mindestens einer halben Stunde nichts an.",
        "Die Seite zeigt zuerst die Zähler, von denen am längsten nichts kam."),
    "central_refused": (
        "{count} messages of readers were refused within the last day; the newest one, because {reason}.",
        "The table refused holds them whole. Correct the cause; then iskra-server uplink resend at the reader sends them again.",
        "{count} Nachrichten von Lesegeräten wurden am letzten Tag abgelehnt; Grund der neuesten: {reason}.",
        "Die Tabelle „refused“ enthält sie vollständig. Beheben Sie die Ursache; danach sendet iskra-server uplink resend am Lesegerät sie erneut."),
    "central_conflicts": (
        "{count} values that differ from the stored ones arrived within the last day.",
        "iskra-server fleet conflicts lists them: two readers of one meter, or a reader with a wrong clock.",
        "Am letzten Tag kamen {count} Werte an, die von den gespeicherten abweichen.",
        "iskra-server fleet conflicts listet sie auf: zwei Lesegeräte an einem Zähler oder eines mit falscher Uhr."),
    "central_skew": (
        "The clock of reader {name} is {seconds} s off.",
        "Let it set its clock by the network (NTP).",
        "Die Uhr des Lesegeräts {name} weicht um {seconds} s ab.",
        "Lassen Sie seine Uhr über das Netzwerk stellen (NTP)."),
    "central_refused_at_readers": (
        "Readers hold {count} quarter-hours that were refused.",
        "iskra-server uplink status says why; iskra-server uplink resend sends them again.",
        "In Lesegeräten liegen {count} Viertelstunden, die abgelehnt wurden.",
        "iskra-server uplink status nennt den Grund, iskra-server uplink resend sendet sie erneut."),
}
# fmt: on
