"""The hub over HTTP: doors, API, event stream, surfaces, inbox page. Mount `create_app(hub)` anywhere."""

from socialsupport_core.web.app import create_app

__all__ = ["create_app"]
