"""`socialsupport answers`: articles and canned replies from a folder."""

# ruff: noqa: PLC0415 - imported when it is needed, so that --help is quick

from pathlib import Path
from typing import Annotated, Any

import typer

from socialsupport_core.cli.reach import DEFAULT, Store, Tenant, hub_at, tenant_of


def add(app: typer.Typer) -> None:
    app.command()(answers)


def answers(
    folder: Annotated[
        Path | None, typer.Argument(help="Articles (*.md) and canned replies (*.toml); left out, lists what there is.")
    ] = None,
    store: Store = DEFAULT,
    tenant: Tenant = None,
) -> None:
    """Bring in a folder of articles and canned replies: what is gone from it goes here too. Or list them."""
    from socialsupport_core.cli.output import line, table

    given = read(folder) if folder else None
    with hub_at(store) as hub:
        owner = tenant_of(hub, tenant)
        if given is not None and folder is not None:
            told = hub.import_answers(owner, given, source=f"folder {folder.resolve().name}")
            line(f"{told['kept']} answers, {told['removed']} removed")
            return
        found = hub.written_answers(owner)
    table(("name", "kind", "title", "sent", "score"), [_row(one) for one in found])


def _row(one: dict[str, Any]) -> tuple[str, str, str, str, str]:
    from socialsupport_core.text import visible

    return one["name"], one["kind"], visible(one["title"]), str(one["sent"]), f"{one['score']:.2f}"


def read(folder: Path) -> dict[str, dict[str, Any]]:
    """By name. Raises ConfigError that names the file."""
    from socialsupport_core.contract import ConfigError

    if not folder.is_dir():
        raise ConfigError(f"{folder}: there is no such folder")
    found: dict[str, dict[str, Any]] = {}
    for path in sorted(folder.rglob("*")):
        read_one = {".md": _article, ".toml": _canned}.get(path.suffix)
        for name, one in read_one(path, folder).items() if read_one else ():
            if name in found:
                raise ConfigError(f"{path}: the name {name!r} is there twice; rename one")
            found[name] = one
    return found


def _article(path: Path, folder: Path) -> dict[str, dict[str, Any]]:
    """The first heading is its title. `url:`, `language:`, `keywords:`, `short:` may stand above between two `---`."""
    text = _text(path).strip()
    facts: dict[str, Any] = {}
    if text.startswith("---\n"):
        head, _, text = text[4:].partition("\n---")
        facts = {name.strip(): value.strip() for name, _, value in (one.partition(":") for one in head.splitlines())}
    title, _, rest = text.strip().partition("\n")
    if not title.startswith("#"):
        title, rest = path.stem.replace("-", " ").replace("_", " ").capitalize(), text
    name = path.relative_to(folder).with_suffix("").as_posix()
    return {name: {"kind": "article", "title": title.lstrip("# ").strip(), "text": rest.strip(), **facts}}


def _canned(path: Path, _folder: Path) -> dict[str, dict[str, Any]]:
    """One table for each."""
    import tomllib

    from socialsupport_core.contract import ConfigError

    try:
        given = tomllib.loads(_text(path))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: {error}") from None
    if wrong := [name for name, one in given.items() if not isinstance(one, dict)]:
        raise ConfigError(f"{path}: {wrong[0]} stands outside of any answer; write [name] above it")
    return given


def _text(path: Path) -> str:
    from socialsupport_core.contract import ConfigError

    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: it cannot be read ({error})") from None
