"""The same calls as a CSV file."""

import json
import time
from datetime import UTC, datetime

import pytest

from socialsupport_core.contract import MalformedPayload
from socialsupport_core.contract.table import rows
from socialsupport_core.model import Event, InteractionReceived, Payload, Unrecognised
from socialsupport_phone import Phone, PhoneSettings
from socialsupport_phone.records import CALLS

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
PHONE = Phone(PhoneSettings(number="+15550001111", timezone="UTC"))
HEADER = "from,to,start,duration,outcome,agent,notes"
GOOD = "+15550002222,+15550001111,2026-03-01 08:15:00,252,answered,Dana,Refund promised."


def parse(body: str | bytes) -> list[Event]:
    content = body if isinstance(body, bytes) else body.encode()
    return list(PHONE.parse(Payload(source="file", body=content, received_at=NOW)))


def texts(body: str | bytes) -> list[str | None]:
    return [event.interaction.text for event in parse(body) if isinstance(event, InteractionReceived)]


def reasons(body: str | bytes) -> list[str | None]:
    return [event.reason for event in parse(body) if isinstance(event, Unrecognised)]


def test_a_table_and_a_webhook_name_the_same_call_alike() -> None:
    native = {
        "from": "+15550002222",
        "to": "+15550001111",
        "start": "2026-03-01T09:15:00+01:00",
        "duration": 252,
        "outcome": "answered",
        "agent": "Dana",
        "notes": "Refund promised.",
    }
    webhook = Payload(body=json.dumps(native).encode(), received_at=NOW)
    assert parse(f"{HEADER}\n{GOOD}\n") == list(PHONE.parse(webhook))


@pytest.mark.parametrize(
    "body",
    [
        f"{HEADER}\r\n{GOOD}\r\n",
        f"{HEADER}\r{GOOD}",
        b"\xef\xbb\xbf" + f"{HEADER}\n{GOOD}".encode(),
        f"\n\n{HEADER}\n\n{GOOD}\n,,,,,,\n",
        f"{HEADER.upper()}\n{GOOD}",
        f"{HEADER}\n{GOOD}".replace(",", ";"),
        f"{HEADER}\n{GOOD}".replace(",", "\t"),
        f"{HEADER},queue\n{GOOD},Sales",
        " Notes ,OUTCOME,duration,start,to,from\n"
        "Refund promised.,answered,0:04:12,2026-03-01T08:15Z,+15550001111,+15550002222",
    ],
)
def test_tables_as_programs_write_them(body: str | bytes) -> None:
    assert texts(body) == ["Refund promised."]
    assert reasons(body) == []


def test_cells_hold_line_breaks_and_separators() -> None:
    quoted = GOOD.replace("Refund promised.", '"Refund, ""soon"";\nthen a call."')
    assert texts(f"{HEADER}\n{quoted}\n{GOOD}") == texts(
        f"{HEADER}\r\n{quoted}\r\n{GOOD}".replace("\nthen", "\r\nthen")
    )
    assert texts(f"{HEADER}\n{quoted}\n{GOOD}") == ['Refund, "soon";\nthen a call.', "Refund promised."]


def test_short_rows_are_filled_with_nothing() -> None:
    (event,) = parse(f"{HEADER}\n{GOOD.removesuffix(',Dana,Refund promised.')}")
    assert isinstance(event, InteractionReceived)
    assert (event.interaction.text, event.interaction.recipients) == (None, ())


def test_a_bad_row_is_kept_with_its_number_and_the_others_come_in() -> None:
    rows = [
        HEADER,
        GOOD,
        GOOD.replace("2026", "MMXXVI"),
        GOOD + ",more",
        'a"b,"c"d,',
        GOOD.replace("08", "07"),
    ]
    assert texts("\n".join(rows)) == ["Refund promised."] * 2
    assert reasons("\n".join(rows)) == [
        "row 3: start: not ISO 8601, such as 2026-03-01T09:15:00+01:00",
        "row 4: has 8 cells, the header 7; quote a cell that holds a separator",
        "row 5: cannot be read: ',' expected after '\"'",
    ]


def test_an_open_quotation_mark_is_said_and_never_swallows_in_silence() -> None:
    open_quote = GOOD.replace("Refund", '"Refund')
    assert texts(f"{HEADER}\n{GOOD}\n{open_quote}\n{GOOD}\n") == ["Refund promised."]
    (reason,) = reasons(f"{HEADER}\n{GOOD}\n{open_quote}\n{GOOD}\n")
    assert reason == ("row 3: a quotation mark opened here is never closed; the rest of the file cannot be read")


def test_bad_rows_of_different_files_are_different_events() -> None:
    first, again, other = (parse(f'{HEADER}\n"{end}')[0].id for end in ("a", "a", "b"))
    assert first == again
    assert first != other


def test_the_same_bad_row_in_a_longer_file_is_the_same_event() -> None:
    bad = GOOD.replace("2026", "MMXXVI")
    assert parse(f"{HEADER}\n{bad}")[0].id == parse(f"{HEADER}\n{GOOD}\n{bad}")[1].id


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "the file is empty; its first row names the columns: from, to, start"),
        (b"\n \n", "the file is empty"),
        (b"from,start,agent\nx,y,z\n", "lacks the columns to, duration, outcome"),
        (GOOD.encode(), "lacks the columns from, to, start, duration, outcome"),
        (b'"from', "lacks the columns"),
        (f"{HEADER},From\n{GOOD}".encode(), "names a column twice: from"),
        (f"{HEADER}\nM\xfcller".encode("latin-1"), r"not UTF-8 \(byte 44\); save it as CSV UTF-8"),
        (b"\x89PNG\r\n", "not UTF-8"),
    ],
)
def test_files_that_are_no_table_of_calls(body: bytes, reason: str) -> None:
    with pytest.raises(MalformedPayload, match=reason):
        parse(body)


def test_a_cell_beyond_the_readers_limit_spoils_its_row_only() -> None:
    long = GOOD.replace("Refund", "x" * 200_000)
    assert texts(f"{HEADER}\n{long}\n{GOOD}") == ["Refund promised."]
    assert reasons(f"{HEADER}\n{long}\n{GOOD}") == ["row 2: cannot be read: field larger than field limit (131072)"]


@pytest.mark.parametrize("piece", ['a"\n', '"a"b\n', "\n", ",", '""', '"\n'])
def test_reading_stays_linear(piece: str) -> None:
    def seconds(size: int) -> float:
        body = f"{HEADER}\n{piece * (size // len(piece))}".encode()
        began = time.process_time()
        assert all(row.number > 1 for row in rows(body, "calls", CALLS.needed, CALLS.optional))
        return time.process_time() - began

    small, large = (min(seconds(size) for _ in range(3)) for size in (20_000, 160_000))
    assert large < 0.05 or large < 24 * small, f"eight times the input took {large / small:.0f} times as long"
