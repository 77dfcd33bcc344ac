"""A contact table: what somebody's own records say of people, row by row.

Columns are found by their names. `id` is the record's own id; e-mail addresses and telephone numbers may stand in
several columns, and several in one cell; a column named like an identifier (`telegram.user`) holds such accounts.
"""

import codecs
import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pydantic import ValidationError

from socialsupport_core.contract.errors import ConfigError
from socialsupport_core.identity.policy import DEFAULT, Policy
from socialsupport_core.model import Identifier
from socialsupport_core.store import micros

COLUMNS: Mapping[str, frozenset[str]] = {
    "id": frozenset({"id", "contact_id", "customer_id", "external_id", "record_id", "number", "customer_number"}),
    "email": frozenset({"email", "e_mail", "mail", "email_address", "e_mail_address"}),
    "phone": frozenset({"phone", "telephone", "tel", "mobile", "cell", "phone_number", "mobile_phone", "landline"}),
    "name": frozenset({"name", "full_name", "display_name"}),
    "at": frozenset({"at", "updated_at", "modified_at", "created_at"}),
    "verified": frozenset({"verified"}),
    "email_verified": frozenset({"email_verified", "verified_email", "e_mail_verified"}),
    "phone_verified": frozenset({"phone_verified", "verified_phone"}),
}
"""The names under which columns are known, in lower case; a number may follow, as in `email2`."""
YES = frozenset({"yes", "y", "true", "1", "x"})
NO = frozenset({"", "no", "n", "false", "0"})
_KIND = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_.]*")
_SEPARATORS: Mapping[str, str] = {"email": r"[;,\s]+", "phone": r"[;,|/]+"}
_SAMPLE = 8192  # bytes, from which the separator of columns is guessed
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")  # .xlsx and .ods; .xls


@dataclass(frozen=True, slots=True)
class Contact:
    """One record: `proven` are those of `claims` that the table marks as verified."""

    line: int
    record: Identifier
    claims: tuple[Identifier, ...]
    proven: frozenset[Identifier]
    name: str | None = None
    at: int | None = None
    """When the record says what it says; None if it does not tell."""
    fields: Mapping[str, str] = field(default_factory=dict)
    """All other columns."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a row was left out. It names the column and never repeats what stands there."""

    line: int
    problem: str


def read(content: bytes, kind: str, policy: Policy = DEFAULT) -> Iterator[Contact | Trouble]:
    """The rows of a table, in order. Raises ConfigError if it is no contact table."""
    text = _text(content)
    rows = csv.reader(io.StringIO(text, newline=""), _dialect(text), strict=True)
    header = _header(rows)
    columns = [_column(name) for name in header]
    if "id" not in columns:
        raise ConfigError(
            "the table has no column with the records' own ids; name it `id`, in the first line of the file, "
            f"which has {len(header)} column{'s' * (len(header) != 1)}"
        )
    if len({*columns} - {"id", "name", "at", "verified"}) == 0:
        raise ConfigError("the table has neither addresses nor numbers; name their columns `email` and `phone`")
    try:
        for row in rows:
            if any(cell.strip() for cell in row):
                yield _contact(rows.line_num, row, header, columns, kind, policy)
    except csv.Error as error:
        raise ConfigError(f"line {rows.line_num}: {error}; is a quotation mark missing?") from None


def is_contact_table(content: bytes) -> bool:
    """Whether its first line names columns as a contact table has them."""
    try:
        text = _text(content[:_SAMPLE])
        rows = csv.reader(io.StringIO(text, newline=""), _dialect(text))
        columns = {_column(name) for name in next(rows, [])}
    except (csv.Error, ConfigError):
        return False
    return "id" in columns and bool(columns & {"email", "phone"})


def _text(content: bytes) -> str:
    """Spreadsheets write UTF-16 where one saves "Unicode text"."""
    if content.startswith(_WORKBOOKS):
        raise ConfigError("this is a workbook of a spreadsheet; save the table from there as CSV (UTF-8)")
    marked = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    for encoding in ("utf-16",) if marked else ("utf-8-sig", "cp1252"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise ConfigError("the table is neither UTF-8 nor Windows-1252; save it as UTF-8")


def _dialect(text: str) -> type[csv.Dialect]:
    first = text[:_SAMPLE].partition("\n")[0]

    class Found(csv.excel):
        delimiter = max(",;\t|", key=first.count)

    return Found


def _header(rows: Iterator[list[str]]) -> list[str]:
    try:
        return next(rows)
    except StopIteration:
        raise ConfigError("the table is empty; its first line names the columns") from None


def _column(name: str) -> str:
    """What a column holds: a name of `COLUMNS`, a kind of identifier, or nothing that we know (`""`)."""
    written = re.sub(r"[\s-]+", "_", name.strip().lower())
    for known, names in COLUMNS.items():
        if written in names or re.sub(r"_?\d+$", "", written) in names:
            return known
    return written if _KIND.fullmatch(written) else ""


class _Unusable(ValueError):
    pass


def _contact(
    line: int, row: list[str], header: list[str], columns: list[str], kind: str, policy: Policy
) -> Contact | Trouble:
    if len(row) != len(header):
        return Trouble(line, f"it has {len(row)} columns, the header {len(header)}; is a quotation mark missing?")
    try:
        return _read_row(line, row, header, columns, kind, policy)
    except _Unusable as error:
        return Trouble(line, str(error))


def _read_row(line: int, row: list[str], header: list[str], columns: list[str], kind: str, policy: Policy) -> Contact:
    one: dict[str, str] = {}
    claims: list[Identifier] = []
    fields: dict[str, str] = {}
    for name, column, cell in zip(header, columns, row, strict=True):
        value = cell.strip()
        if column in ("email", "phone") or "." in column:
            claims += [_claim(column, name, part, policy) for part in _parts(column, value)]
        elif column:
            one.setdefault(column, value)
        elif value:
            fields[name.strip()] = value
    if not one.get("id"):
        raise _Unusable("it has no id")
    if not claims:
        raise _Unusable("it has no address, number or account to know the person by")
    proven = _proven(one, claims)
    record = _identifier(kind, "id", one["id"])
    return Contact(line, record, tuple(claims), proven, one.get("name") or None, _time(one.get("at")), fields)


def _parts(column: str, value: str) -> list[str]:
    separator = _SEPARATORS.get(column)
    parts = re.split(separator, value) if separator else [value]
    return [part.strip() for part in parts if part.strip()]


def _claim(column: str, name: str, value: str, policy: Policy) -> Identifier:
    if column == "email" and not re.fullmatch(r"[^@\s]+@[^@\s]+", value):
        raise _Unusable(f"its {name.strip()!r} is no e-mail address")
    if column == "phone":
        digits = sum(char.isdecimal() for char in value)
        if digits < 6:
            raise _Unusable(f"its {name.strip()!r} is no telephone number")
        if not value.startswith(("+", "00", "tel:+")) and policy.calling_code is None:
            raise _Unusable(
                f"its {name.strip()!r} has no calling code; write it as +44 …, or set calling_code in the tenant's"
                " `identity`"
            )
    return _identifier(column, name, value)


def _identifier(kind: str, name: str, value: str) -> Identifier:
    try:
        return Identifier(kind=kind, value=value)
    except ValidationError:
        raise _Unusable(f"its {name.strip()!r} is longer than an identifier may be") from None


def _proven(one: Mapping[str, str], claims: list[Identifier]) -> frozenset[Identifier]:
    everything = _is_yes(one, "verified")
    marked = {kind for kind in ("email", "phone") if _is_yes(one, f"{kind}_verified")}
    return frozenset(claim for claim in claims if everything or claim.kind in marked)


def _is_yes(one: Mapping[str, str], column: str) -> bool:
    value = one.get(column, "").lower()
    if value not in YES | NO:
        raise _Unusable(f"its {column!r} must be yes or no")
    return value in YES


def _time(written: str | None) -> int | None:
    if not written:
        return None
    try:
        read = datetime.fromisoformat(written)
    except ValueError:
        raise _Unusable("its time cannot be read; write it as 2026-01-30 or 2026-01-30T01:57:09Z") from None
    return micros(read if read.tzinfo else read.replace(tzinfo=UTC))
