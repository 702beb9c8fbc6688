"""Demand as a trace that a load tester can replay: one line a request, in order of time.

Three layouts. ``heritage``: ``timestamp`` in seconds since the start, ``input_length`` and ``output_length`` in note
events (a note event is one decoding step), then what else is known of the request. ``mooncake``: the JSON lines that
replayers of the Mooncake traces read, ``timestamp`` in whole milliseconds, with ``hash_ids``: one number for each block
of the prompt, the same for the same block of the same source. ``azure``: the columns of the Azure LLM inference traces,
``TIMESTAMP`` as a date.

References
----------
Mooncake trace: https://github.com/kvcache-ai/Mooncake ; Azure LLM inference trace:
https://github.com/Azure/AzurePublicDataset
"""

from __future__ import annotations

import contextlib
import csv
import json
import os
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from heritage_sim.base import Arrival, InputError, StorageError

Layout = Literal["heritage", "mooncake", "azure"]
Row = dict[str, Any]

FORMATS: dict[Layout, tuple[str, ...]] = {
    "heritage": (".csv", ".jsonl", ".parquet"),
    "mooncake": (".jsonl",),
    "azure": (".csv",),
}
COLUMNS: dict[Layout, tuple[str, ...]] = {
    "heritage": (
        *("timestamp", "input_length", "output_length", "request_id", "who", "tradition", "source_sha256", "take"),
        "patience_s",
    ),
    "mooncake": ("timestamp", "input_length", "output_length", "hash_ids"),
    "azure": ("TIMESTAMP", "ContextTokens", "GeneratedTokens"),
}
BLOCK_EVENTS = 512
"""Length of a prompt's block in the Mooncake traces."""
_ROW_GROUP = 65_536


def check_target(out: Path, layout: Layout) -> None:
    """Refuse a file that the layout cannot be written to.

    Parameters
    ----------
    out : Path
        The file.
    layout : {"heritage", "mooncake", "azure"}
        How it is laid out.

    Raises
    ------
    InputError
        If its suffix is not one of the layout's, or its folder does not exist.
    """
    if out.suffix not in FORMATS[layout]:
        raise InputError(
            f"the layout {layout} cannot be written to a file {out.suffix or 'without a suffix'}",
            f"--out {out}",
            f"end the name in {' or '.join(FORMATS[layout])}",
        )
    if not out.absolute().parent.is_dir():
        raise InputError("the folder does not exist", str(out.absolute().parent), "make it, or name another")


def write_trace(arrivals: Iterable[Arrival], out: Path, layout: Layout, genesis_s: int) -> int:
    """Write a trace, whole or not at all, and return its number of requests.

    Parameters
    ----------
    arrivals : iterable of Arrival
        In order of time; taken one after another, so a long trace needs little memory.
    out : Path
        The file; its suffix says the format.
    layout : {"heritage", "mooncake", "azure"}
        How it is laid out.
    genesis_s : int
        Timestamp of the start, in seconds since 1970, for layouts with dates.

    Returns
    -------
    int

    Raises
    ------
    StorageError
        If it cannot be written.
    """
    writers: dict[str, Callable[[Iterator[Row], Path, Layout], int]] = {
        ".csv": _write_csv,
        ".jsonl": _write_jsonl,
        ".parquet": _write_parquet,
    }
    beside = out.with_name(f".part-{os.getpid()}-{out.name}")
    try:
        num_requests = writers[out.suffix](rows_of(arrivals, layout, genesis_s), beside, layout)
        os.replace(beside, out)
    except OSError as error:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
        raise StorageError(
            f"the trace cannot be written: {error.strerror or error}", str(out), "use --out with another file"
        ) from error
    return num_requests


def rows_of(arrivals: Iterable[Arrival], layout: Layout, genesis_s: int) -> Iterator[Row]:
    """Yield each request as a row of a layout's columns."""
    start = datetime.fromtimestamp(genesis_s, UTC).replace(tzinfo=None)
    blocks: dict[str, int] = {}
    for a in arrivals:
        if layout == "mooncake":
            values: tuple[Any, ...] = (
                int(a.at_s * 1_000),
                a.prompt_events,
                a.length_events,
                _block_ids(a, blocks),
            )
        elif layout == "azure":
            moment = start + timedelta(microseconds=round(a.at_s * 1e6))
            values = (moment.isoformat(sep=" ", timespec="microseconds"), a.prompt_events, a.length_events)
        else:
            values = (
                *(round(a.at_s, 6), a.prompt_events, a.length_events, a.request_id, a.who, a.tradition),
                *(a.source_sha256, a.take, round(a.patience_s, 3)),
            )
        yield dict(zip(COLUMNS[layout], values, strict=True))


def _block_ids(arrival: Arrival, blocks: dict[str, int]) -> list[int]:
    """Return one id for each block of the prompt; a source's blocks are numbered on when it first comes up."""
    num_blocks = max(1, -(-arrival.prompt_events // BLOCK_EVENTS))
    first = blocks.get(arrival.source_sha256)
    if first is None:
        first = blocks[arrival.source_sha256] = blocks.get("", 0)
        blocks[""] = first + num_blocks
    return list(range(first, first + num_blocks))


def _write_csv(rows: Iterator[Row], path: Path, layout: Layout) -> int:
    count = 0
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS[layout], lineterminator="\n")
        writer.writeheader()
        for row in rows:
            writer.writerow(row)
            count += 1
    return count


def _write_jsonl(rows: Iterator[Row], path: Path, layout: Layout) -> int:
    count = 0
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row) + "\n")
            count += 1
    return count


def _write_parquet(rows: Iterator[Row], path: Path, layout: Layout) -> int:
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = {"timestamp": pa.float64(), "patience_s": pa.float64()}
    types |= dict.fromkeys(("input_length", "output_length", "take"), pa.int32())
    schema = pa.schema([(name, types.get(name, pa.string())) for name in COLUMNS[layout]])
    count = 0
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        while group := list(islice(rows, _ROW_GROUP)):
            writer.write_table(pa.Table.from_pylist(group, schema=schema))
            count += len(group)
    return count
