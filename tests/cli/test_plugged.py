"""Settings: read from files, or made up."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field, SecretBytes, SecretStr, StringConstraints, field_validator

from socialsupport_core.cli.plugged import placeholders, settings_of
from socialsupport_core.contract import ConfigError, Settings
from socialsupport_core.testing.hidden import secrets_of


class Inner(Settings):
    password: SecretStr
    port: int = Field(gt=1)


class Many(Settings):
    token: SecretStr
    raw: SecretBytes
    number: Annotated[str, StringConstraints(pattern=r"^\+\d+$")]
    base: Annotated[str, StringConstraints(pattern=r"^https://")]
    address: str = Field(pattern="@")
    mode: Literal["fast", "slow"]
    key: SecretStr = Field(min_length=64)
    many: tuple[str, ...]
    wait: timedelta
    inner: Inner
    more: dict[str, SecretStr]
    either: SecretStr | None
    left: str = "default"

    @field_validator("base")
    @classmethod
    def _is_an_address(cls, base: str) -> str:
        if "." not in base:
            raise ValueError("needs a dot")
        return base


class Impossible(Settings):
    code: str = Field(pattern="^xyzzy$")


def plugin(model: type[Settings]) -> Any:
    """What these functions look at."""
    return SimpleNamespace(
        name="parrot", settings_model=model, __module__="nowhere", __mro__=(object,), __name__="Parrot"
    )


def test_placeholders_are_made_of_the_right_form() -> None:
    made = placeholders(plugin(Inner))
    assert made.invented == ("password", "port")
    assert made.secrets == ()


@pytest.mark.parametrize("name", [name for name in Many.model_fields if name not in {"left"}])
def test_every_required_setting_gets_one(name: str) -> None:
    made = placeholders(plugin(Many))
    assert made.invented is not None
    assert name in made.invented
    assert "left" not in made.invented


def test_without_required_settings_the_defaults_hold() -> None:
    made = placeholders(plugin(Settings))
    assert made.remark == "no --settings: the defaults hold"


def test_where_no_placeholder_fits_the_settings_must_be_given() -> None:
    with pytest.raises(ConfigError, match=r"parrot: code: must match pattern.*; no placeholder fits, give --settings"):
        placeholders(plugin(Impossible))


def test_all_secrets_are_found_however_deep() -> None:
    filled = Many(
        token=SecretStr("a"),
        raw=SecretBytes(b"b"),
        number="+1",
        base="https://a.example",
        address="@",
        mode="fast",
        key=SecretStr("k" * 64),
        many=("x",),
        wait=timedelta(1),
        inner=Inner(password=SecretStr("c"), port=2),
        more={"d": SecretStr("d")},
        either=None,
    )
    assert sorted(secrets_of(filled)) == ["a", "b", "c", "d", "k" * 64]
    assert sorted(secrets_of([SecretStr("e"), (SecretStr("f"),)])) == ["e", "f"]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("s.toml", "password = ", "s.toml: not TOML: "),
        ("s.json", '{"password": "x"', "s.json, line 1, column 17: not JSON"),
        ("s.json", "[]", "s.json: the whole: must be a table of names and values"),
        ("s.toml", 'password = "x"\nport = 1', "s.toml: port: must be greater than 1"),
        ("s.toml", 'pasword = "x"\nport = 2', "s.toml: pasword: there is no such key; did you mean password?"),
        ("s.toml", 'password = "x"\nport = 2\nz = 1', "s.toml: z: there is no such key; there is: password, port"),
    ],
)
def test_a_mistake_in_the_settings_names_file_key_and_remedy(write: Any, name: str, content: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        settings_of(plugin(Inner), write(name, content))
    assert said in str(caught.value)


def test_no_value_of_the_settings_is_ever_repeated(write: Any) -> None:
    wrong = {"password": {"hunter2": "hunter2"}, "port": "hunter2", "hunter": "hunter2"}
    with pytest.raises(ConfigError) as caught:
        settings_of(plugin(Inner), write("s.json", wrong))
    assert "hunter2" not in str(caught.value)


def test_nested_keys_are_corrected_too(write: Any) -> None:
    class Outer(Settings):
        inner: Inner | None = None

    with pytest.raises(ConfigError, match=r"inner\.prot: there is no such key; did you mean port\?"):
        settings_of(plugin(Outer), write("s.json", {"inner": {"password": "x", "port": 2, "prot": 1}}))


def test_a_settings_file_that_is_not_there(tmp_path: Any) -> None:
    with pytest.raises(FileNotFoundError):
        settings_of(plugin(Inner), str(tmp_path / "none.toml"))


# the folder of a plugin


INTENT = {
    "type": "send.message",
    "key": "k-1",
    "own_account": "account-1",
    "thread": {"id": "chat-kerry", "visibility": "private"},
    "text": "It is **on its way**.",
}
MESSAGE = {"id": "m-1", "account": "account-1", "chat": "c", "from": "kerry", "text": "Hi", "at": "2026-01-01T10:00Z"}


@pytest.mark.parametrize("given", ["socialsupport-curlew", "./socialsupport-curlew/"])
def test_a_folder_stands_for_the_connector_in_it(run: Any, write: Any, given: str) -> None:
    write("intent.json", INTENT)
    write("message.json", MESSAGE)
    run("new", "connector", "curlew")
    assert run("translate", given, "message.json").lines[0]["interaction"]["network"] == "curlew"
    assert run("compose", given, "intent.json").lines[0]["url"] == "https://api.curlew.example/messages"
    assert run("plan", given, "intent.json", "--json").lines[0]["possible"] is True


@pytest.mark.parametrize("verb", ["translate", "compose", "plan"])
def test_a_folder_without_a_connector_is_told(run: Any, write: Any, verb: str) -> None:
    write("intent.json", INTENT)
    run("new", "crm", "lapwing")
    assert "socialsupport-lapwing holds no connector" in run(verb, "socialsupport-lapwing", "intent.json").err
    assert "holds no plugin: it has no pyproject.toml" in run(verb, ".", "intent.json").err


def test_an_installed_connector_goes_before_a_folder_of_its_name(run: Any, write: Any, tmp_path: Any) -> None:
    write("intent.json", INTENT)
    (tmp_path / "parrot").mkdir()
    assert run("compose", "parrot", "intent.json").lines[0]["url"] == "https://parrot.example/placeholder/wake"


def test_of_several_connectors_in_a_folder_one_must_be_named(run: Any, write: Any, tmp_path: Any) -> None:
    write("intent.json", INTENT)
    run("new", "connector", "gull")
    module = tmp_path / "socialsupport-gull" / "socialsupport_gull" / "__init__.py"
    module.write_text(
        module.read_text().replace("return (Gull,)", "return (Gull, type('Tern', (Gull,), {'name': 'tern'}))")
    )
    assert (
        "holds the connectors gull, tern; install it and name one"
        in run("plan", "socialsupport-gull", "intent.json").err
    )
