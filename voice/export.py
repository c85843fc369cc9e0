"""A list of the admin as CSV: a row at a time out of the database and onto the wire, whatever its length.

For spreadsheets: UTF-8 with a byte order mark, every cell quoted, and no cell that a spreadsheet would calculate.
"""

from __future__ import annotations

import csv
import json
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.db.models import QuerySet
from django.http import HttpRequest, StreamingHttpResponse

from voice.visible import cell

CHUNK = 1_000
"""Rows that are in memory at a time."""


def csv_response(
    request: HttpRequest, rows: QuerySet[Any], columns: Sequence[str], filename: str
) -> StreamingHttpResponse:
    """``columns`` of ``rows``, in their order. A column is the path of a value, as for ``values_list()``."""
    text = _text(rows.values_list(*columns), [column.replace("__", "_") for column in columns])
    # Each kind of server reads an iterator of the other kind to its end before it sends the first byte.
    body: Any = _from_thread(text) if isinstance(request, ASGIRequest) else text
    response = StreamingHttpResponse(body, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{filename}"'
    response["Cache-Control"] = "no-store"
    return response


def _text(rows: Any, names: Sequence[str]) -> Iterator[bytes]:
    written: list[str] = []
    writer = csv.writer(_Lines(written.append), quoting=csv.QUOTE_ALL)
    writer.writerow(names)
    yield "\ufeff".encode()
    for number, row in enumerate(rows.iterator(chunk_size=CHUNK), start=1):
        writer.writerow([_cell(value) for value in row])
        if number % CHUNK == 0:
            yield "".join(written).encode()
            written.clear()
    yield "".join(written).encode()


class _Lines:
    """What the writer takes for a file."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self.write = write


async def _from_thread(text: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Chunk by chunk, all in the request's one thread, whose connection the cursor belongs to."""
    pull = sync_to_async(lambda: next(text, b""))
    while (chunk := await pull()) != b"":
        yield chunk


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return cell(value)
    if isinstance(value, dict | list):
        return cell(json.dumps(value, ensure_ascii=False))
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    return str(value)
