from iskra_server.sources.urls import open_source

__all__ = ["open_source"]
