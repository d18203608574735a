"""Sentences about the ports at which batteries and energy managers ask.

fault: sentence, next step, Satz, nächster Schritt
"""

# follows the sentence about a port, where there are devices that ask at that port alone
MISSED = (
    "Without it, these batteries do not find the meter: {devices}.",
    "Ohne ihn finden diese Speicher den Zähler nicht: {devices}.",
)

# fmt: off
SENTENCES: dict[str, tuple[str, str, str, str]] = {
    "listening_busy": (
        "{transport} port {port} is in use by {program}.",
        "Stop that program or give it another port; this server then opens the port by itself.",
        "{transport}-Port {port} wird von {program} verwendet.",
        "Beenden Sie dieses Programm oder geben Sie ihm einen anderen Port; dieser Server öffnet den Port dann von selbst."),
    "listening_busy_unknown": (
        "{transport} port {port} is in use by another program.",
        "Find it with sudo ss -lnp 'sport = :{port}', and stop it or give it another port; this server then opens the port by itself.",
        "{transport}-Port {port} wird von einem anderen Programm verwendet.",
        "Ermitteln Sie es mit sudo ss -lnp 'sport = :{port}' und beenden Sie es oder geben Sie ihm einen anderen Port; dieser Server öffnet den Port dann von selbst."),
    "listening_busy_unknown_in_app": (
        "{transport} port {port} of the machine that runs Home Assistant is in use by another program.",
        "Often it is another app with a web page, such as NGINX: give it another port on its tab Configuration; this server then opens the port by itself.",
        "{transport}-Port {port} des Geräts, auf dem Home Assistant läuft, wird von einem anderen Programm verwendet.",
        "Oft ist es eine andere App mit einer Webseite, etwa NGINX: Geben Sie ihr unter Konfiguration einen anderen Port; dieser Server öffnet den Port dann von selbst."),
    "listening_twice": (
        "{transport} port {port} is already used by this server itself.",
        "Configure another port for its page (server.port) or for the other output.",
        "{transport}-Port {port} wird schon von diesem Server selbst verwendet.",
        "Geben Sie seiner Seite (server.port) oder der anderen Ausgabe einen anderen Port."),
    "listening_privilege": (
        "This server may not open {transport} port {port}: ports below 1024 need a privilege.",
        "Run it as a service of systemd with that privilege (emulation.md, Ports and network), or let all programs open such ports: sudo sysctl net.ipv4.ip_unprivileged_port_start={port}.",
        "Dieser Server darf den {transport}-Port {port} nicht öffnen: Ports unter 1024 brauchen ein Recht dazu.",
        "Betreiben Sie ihn als Dienst von systemd mit diesem Recht (emulation.md, Ports und Netz), oder erlauben Sie allen Programmen solche Ports: sudo sysctl net.ipv4.ip_unprivileged_port_start={port}."),
    "listening_privilege_in_service": (
        "This service may not open {transport} port {port}: ports below 1024 need a privilege.",
        "Give it that one privilege: sudo systemctl edit iskra-server, the lines [Service], CapabilityBoundingSet=CAP_NET_BIND_SERVICE and AmbientCapabilities=CAP_NET_BIND_SERVICE, then sudo systemctl restart iskra-server.",
        "Dieser Dienst darf den {transport}-Port {port} nicht öffnen: Ports unter 1024 brauchen ein Recht dazu.",
        "Geben Sie ihm dieses eine Recht: sudo systemctl edit iskra-server, darin die Zeilen [Service], CapabilityBoundingSet=CAP_NET_BIND_SERVICE und AmbientCapabilities=CAP_NET_BIND_SERVICE, dann sudo systemctl restart iskra-server."),
    "listening_privilege_in_container": (
        "This container may not open {transport} port {port}: ports below 1024 need a privilege.",
        "Start it with deploy/docker-compose.emulation.yml, which gives it that one privilege (emulation.md, Ports and network).",
        "Dieser Container darf den {transport}-Port {port} nicht öffnen: Ports unter 1024 brauchen ein Recht dazu.",
        "Starten Sie ihn mit deploy/docker-compose.emulation.yml: Damit bekommt er dieses eine Recht (emulation.md, Ports und Netz)."),
    "listening_privilege_in_app": (
        "This app may not open {transport} port {port}: ports below 1024 need a privilege.",
        "Install the app ISKRA Electricity Server (host network) instead, in its newest version.",
        "Diese App darf den {transport}-Port {port} nicht öffnen: Ports unter 1024 brauchen ein Recht dazu.",
        "Installieren Sie stattdessen die App ISKRA Electricity Server (host network) in ihrer neuesten Version."),
    "listening_no_address": (
        "This machine has no address {address}.",
        "Correct outputs.emulation.host, or leave it out: then the server listens at all addresses.",
        "Dieses Gerät hat keine Adresse {address}.",
        "Korrigieren Sie outputs.emulation.host oder lassen Sie es weg: Dann gilt jede Adresse des Geräts."),
    "listening_failed": (
        "{transport} port {port} cannot be opened ({reason}).",
        "This server tries again by itself.",
        "{transport}-Port {port} lässt sich nicht öffnen ({reason}).",
        "Dieser Server versucht es von selbst erneut."),
    "bridge_only": (
        "This container is only in a network of the container engine: batteries cannot find it there, as broadcasts and multicast DNS do not get in.",
        "Start it in the network of this machine: with deploy/docker-compose.emulation.yml, or with docker run --network host.",
        "Dieser Container ist nur in einem Netz der Container-Engine: Dort finden ihn Speicher nicht, denn Broadcasts und Multicast-DNS kommen nicht hinein.",
        "Starten Sie ihn im Netz dieses Geräts: mit deploy/docker-compose.emulation.yml oder mit docker run --network host."),
    "bridge_only_in_app": (
        "This app is only in the network of Home Assistant's apps: batteries cannot find it there, as broadcasts and multicast DNS do not get in.",
        "Install the app ISKRA Electricity Server (host network) instead.",
        "Diese App ist nur im Netz der Apps von Home Assistant: Dort finden sie Speicher nicht, denn Broadcasts und Multicast-DNS kommen nicht hinein.",
        "Installieren Sie stattdessen die App ISKRA Electricity Server (host network)."),
}
# fmt: on
