"""Arguments and options that several verbs have."""

from typing import Annotated

import typer

ConnectorName = Annotated[
    str, typer.Argument(metavar="CONNECTOR", help="The network, such as telegram, or the folder of a plugin.")
]
IntentFile = Annotated[str, typer.Argument(metavar="INTENT.json", help="One intent or a list; - is stdin.")]
SettingsFile = Annotated[str | None, typer.Option("--settings", metavar="FILE", help="TOML or JSON.")]
