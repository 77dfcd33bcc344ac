"""The configuration file: every error names the file, the key and the remedy."""

from pathlib import Path

import pytest
from raven.connector import Raven, plugin

from socialsupport_core.config import apply, load, open_hub
from socialsupport_core.contract import ConfigError, Registry
from socialsupport_core.store import accounts

FULL = """
[hub]
store = "data/support.sqlite"
public_url = "https://support.example"
inbox = true
hosts = ["desk.example"]

[tenants.acme]
name = "Acme"

[tenants.acme.agents.dana]
name = "Dana"
token = "a-token-of-twenty-characters"
scopes = ["read", "reply"]

[tenants.acme.channels.tower]
connector = "raven"
settings = { secret = "hunter2" }

[apps.flock]
connector = "raven"
settings = { secret = "flock" }
"""


def write(folder: Path, content: str | bytes) -> Path:
    path = folder / "socialsupport.toml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def registry() -> Registry:
    return Registry.of(plugin(Raven))


def test_all_of_it(tmp_path: Path) -> None:
    read = load(write(tmp_path, FULL))
    assert read.connectors() == {"raven"}
    hub = open_hub(read, tmp_path, registry=registry())
    doors = apply(read, hub)
    assert set(doors) == {"app flock", "acme/tower"}
    assert doors == apply(read, hub)
    access = hub.access("a-token-of-twenty-characters")
    assert access is not None
    assert (access.agent.id, access.scopes) == ("dana", {"read", "reply"})
    assert (tmp_path / "data" / "support.sqlite").exists()
    hub.close()


@pytest.mark.parametrize(
    ("more", "mode"),
    [("", "poll"), ('listen = "127.0.0.1:2525"', "webhook"), ('listen = "127.0.0.1:2525"\nmode = "poll"', "poll")],
)
def test_what_listens_is_not_polled_unless_the_file_says_so(tmp_path: Path, more: str, mode: str) -> None:
    polled = Raven.capabilities.model_copy(update={"receives": frozenset({"poll"})})
    pigeon = type("Polled", (Raven,), {"capabilities": polled})
    told = FULL.replace('settings = { secret = "hunter2" }', f'settings = {{ secret = "hunter2" }}\n{more}')
    hub = open_hub(read := load(write(tmp_path, told)), tmp_path, registry=Registry.of(plugin(pigeon)))
    apply(read, hub)
    assert [one["mode"] for one in hub.list_channels("acme")] == [mode]
    hub.close()


def test_a_token_that_may_less_from_now_on_may_less(tmp_path: Path) -> None:
    for scopes in ('["read", "reply"]', '["read"]'):
        hub = open_hub(load(write(tmp_path, FULL.replace('["read", "reply"]', scopes))), tmp_path, registry=registry())
        access = hub.access("a-token-of-twenty-characters")
        hub.close()
    assert access is not None
    assert access.scopes == {"read"}


def test_a_token_that_is_taken_out_of_the_file_is_refused_and_others_stay(tmp_path: Path) -> None:
    hub = open_hub(load(write(tmp_path, FULL)), tmp_path, registry=registry())
    by_hand = hub.issue_token("acme", "dana")
    hub.close()
    other = FULL.replace("a-token-of-twenty-characters", "another-one-of-twenty-or-more")
    for content in (other, FULL.replace('token = "a-token-of-twenty-characters"\n', "")):
        hub = open_hub(load(write(tmp_path, content)), tmp_path, registry=registry())
        allowed = {token for token in ("a-token-of-twenty-characters", by_hand) if hub.access(token)}
        replaced = hub.access("another-one-of-twenty-or-more") is not None
        hub.close()
        assert allowed == {by_hand}
        assert replaced == (content is other)


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    content = FULL.replace("inbox = true", "inbx = true").replace('["read", "reply"]', '["rule"]')
    with pytest.raises(ConfigError) as refused:
        load(write(tmp_path, content))
    told = str(refused.value)
    assert told.index("hub.inbx: there is no such key; did you mean inbox?") < told.index("scopes.0: must be 'read'")


def test_a_channel_that_was_paused_stays_so_over_a_restart(tmp_path: Path) -> None:
    for _ in range(2):
        hub = open_hub(load(write(tmp_path, FULL)), tmp_path, registry=registry())
        states = [one["state"] for one in hub.list_channels("acme")]
        hub.set_channel_state("acme", "tower", "paused", "holiday")
        hub.close()
    assert states == ["paused"]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("inbox = true", "inbx = true", "hub.inbx: there is no such key; did you mean inbox?"),
        ("inbox = true", 'inbox = "perhaps"', "hub.inbox: must be true or false"),
        ("inbox = true", "inbox = perhaps", "line 5, column 9); a text stands in quotation marks"),
        ('"https://support.example"', '"support.example"', "hub.public_url: must be an address such as https://"),
        ("[tenants.acme]", "[tenant.acme]", "tenant: there is no such key; did you mean tenants?"),
        ("channels.tower", 'channels."My Tower"', "tenants.acme.channels.My Tower: may have up to 64 characters"),
        ("agents.dana", 'agents."Da na"', "tenants.acme.agents.Da na: may have"),
        (
            'connector = "raven"\nsettings = { secret = "hunter2" }',
            "settings = {}",
            "tenants.acme.channels.tower.connector: is missing; add it",
        ),
        ('"a-token-of-twenty-characters"', '"short"', "tenants.acme.agents.dana.token: must have at least 20 "),
        ('["read", "reply"]', '["rule"]', "tenants.acme.agents.dana.scopes.0: "),
        ("[tenants.acme]", "[tenants.acme", "line 8"),
        ("[hub]", "\x00[hub]", "line"),
    ],
)
def test_an_error_names_file_and_key(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert old in FULL
    path = write(tmp_path, FULL.replace(old, new, 1))
    with pytest.raises(ConfigError) as refused:
        load(path)
    assert str(path) in str(refused.value)
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('{ secret = "hunter2" }', '{ sekret = "hunter2" }', "tenants.acme.channels.tower: channel tower: sekret: "),
        ('{ secret = "hunter2" }', "{ secret = 5 }", "tenants.acme.channels.tower: channel tower: secret: "),
        ('connector = "raven"\nsettings = { secret = "hunter2" }', 'connector = "raben"', "did you mean raven?"),
        ("[tenants.acme.channels.tower]", '[tenants.acme.channels.tower]\napp = "herd"', "there is no app 'herd'"),
    ],
)
def test_a_channel_that_cannot_be_names_itself_and_quotes_no_secret(
    tmp_path: Path, old: str, new: str, told: str
) -> None:
    assert old in FULL
    with pytest.raises(ConfigError) as refused:
        open_hub(load(write(tmp_path, FULL.replace(old, new, 1))), tmp_path, registry=registry())
    assert told in str(refused.value)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("what", ["missing", "folder", "bytes"])
def test_a_file_that_cannot_be_read_says_so(tmp_path: Path, what: str) -> None:
    path = {"missing": tmp_path / "no.toml", "folder": tmp_path, "bytes": tmp_path / "b.toml"}[what]
    if what == "bytes":
        path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError) as refused:
        load(path)
    assert str(path) in str(refused.value)


def test_a_tenant_that_has_another_name_in_the_file_has_it_in_the_store(tmp_path: Path) -> None:
    for name in ("Acme", "Acme Incorporated"):
        content = FULL.replace('name = "Acme"', f'name = "{name}"')
        hub = open_hub(load(write(tmp_path, content)), tmp_path, registry=registry())
        key = hub._database.read(lambda tx: accounts.tenant_key(tx, "acme"))
        hub.close()
    reopened = open_hub(load(write(tmp_path, '[hub]\nstore = "data/support.sqlite"\n')), tmp_path, registry=registry())
    assert reopened.list_tenants() == [{"id": "acme", "name": "Acme Incorporated"}]
    assert reopened._database.read(lambda tx: accounts.tenant_key(tx, "acme")) == key
    reopened.close()


HANDOFF = """
[tenants.acme.handoff]
language = "de"

[tenants.acme.handoff.words.de]
public_link = "Hier entlang: {url}"
places = { raven = "beim Raben" }

[tenants.acme.issuers.portal]
issuer = "https://login.acme.example"
audience = "support-desk"
algorithms = ["ES256"]
"""


def test_words_and_issuers(tmp_path: Path) -> None:
    hub = open_hub(load(write(tmp_path, FULL + HANDOFF)), tmp_path, registry=registry())
    assert hub.templates("acme")["de"]["public_link"] == "Hier entlang: {url}"
    assert hub.templates("acme")["de"]["places.raven"] == "beim Raben"
    portal = {"issuer": "https://login.acme.example", "audience": "support-desk", "algorithms": ["ES256"]}
    assert hub.issuers("acme") == [portal]
    apply(load(write(tmp_path, FULL)), hub)  # a file that says nothing of them leaves them
    assert hub.issuers("acme") == [portal]
    assert hub.templates("acme")["de"]["public_link"] == "Hier entlang: {url}"
    apply(load(write(tmp_path, FULL + "[tenants.acme.handoff]\n")), hub)
    assert hub.templates("acme")["de"]["public_link"] != "Hier entlang: {url}"
    hub.close()


def test_guidance_that_is_left_out_stays(tmp_path: Path) -> None:
    hub = open_hub(
        load(write(tmp_path, FULL + "[tenants.acme.guidance]\ntarget = 60\n")), tmp_path, registry=registry()
    )
    assert hub.guidance("acme").target == 60
    apply(load(write(tmp_path, FULL)), hub)
    assert hub.guidance("acme").target == 60
    apply(load(write(tmp_path, FULL + "[tenants.acme.guidance]\n")), hub)
    assert hub.guidance("acme").target == 4 * 3600
    hub.close()


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ("Hier entlang: {url}", "Hier entlang", r"handoff\.words: .*de\.public_link: \{url\} is missing"),
        ("Hier entlang: {url}", "{url} {name}", r"de\.public_link: \{name\} cannot be filled in"),
        ("public_link", "public_lnk", r"de\.public_lnk: there is no such template; there is public_open"),
        ('language = "de"', 'language = "German"', r"handoff\.language"),
        ("https://login", "http://login", r"issuers\.portal: .*is no issuer"),
        ("ES256", "HS256", r"issuers\.portal: .*'HS256' is not allowed; there is RS256"),
        ('audience = "support-desk"\n', "", r"issuers\.portal\.audience: is missing"),
    ],
)
def test_what_is_wrong_with_words_and_issuers(tmp_path: Path, right: str, wrong: str, told: str) -> None:
    assert right in HANDOFF
    with pytest.raises(ConfigError, match=rf"(?s)socialsupport\.toml: .*{told}"):
        load(write(tmp_path, FULL + HANDOFF.replace(right, wrong)))
