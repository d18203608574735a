"""Messages to people by ntfy, webhook, Gotify or e-mail: when a meter needs somebody, and digests."""
