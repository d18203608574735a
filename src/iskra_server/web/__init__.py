"""The web application: API, metrics and page."""
