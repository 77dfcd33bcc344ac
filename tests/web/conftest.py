"""The roost over HTTP."""

import pytest
from raven import Roost
from raven.web import Desk, Web

from socialsupport_core.web import create_app


@pytest.fixture
def web(roost: Roost) -> Web:
    """The application, its workers driven by hand with `roost.hub.drain()`."""
    return Web(create_app(roost.hub, inbox=True, run_workers=False))


@pytest.fixture
def acme(roost: Roost, web: Web) -> Desk:
    return Desk(roost, web, "acme")


@pytest.fixture
def rival(roost: Roost, web: Web) -> Desk:
    return Desk(roost, web, "rival")
