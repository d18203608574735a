"""The running server: composition, supervision, HTTP socket, logs, systemd, TLS, time."""
