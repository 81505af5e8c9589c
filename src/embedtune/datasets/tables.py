"""Rows of Arrow tables: Parquet files, pandas, Polars and Arrow frames."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

import pyarrow as pa  # noqa: TID251 -- this is the door
import pyarrow.parquet as pq  # noqa: TID251 -- this is the door

from embedtune.datasets.problems import FileProblems
from embedtune.datasets.sources import Row, refuse_missing
from embedtune.errors import DatasetIntegrityError


class Table(Protocol):
    """What gives its rows through the Arrow stream interface."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Return a capsule with an Arrow stream."""
        ...


def parquet_rows(
    path: Path, names: Sequence[str], problems: FileProblems
) -> Iterator[Row]:
    """Yield the rows of a Parquet file, numbered from 0.

    Raises:
        ConfigurationError: If there is no such column.
    """
    try:
        with pq.ParquetFile(path) as file:
            _refuse_unknown(path.name, names, file.schema_arrow.names)
            yield from _rows(file.iter_batches(columns=list(names)), names)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as e:
        problems.add(path, None, f"is no Parquet file that can be read ({e})")


def frame_rows(table: Table, names: Sequence[str]) -> Iterator[Row]:
    """Yield the rows of a frame, numbered from 0.

    Raises:
        ConfigurationError: If there is no such column.
        DatasetIntegrityError: If a column mixes types that Arrow cannot hold together.
    """
    kind = type(table).__name__
    try:
        reader = pa.RecordBatchReader.from_stream(table)
        _refuse_unknown(kind, names, reader.schema.names)
        yield from _rows(reader, names)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as e:
        # The first part of pyarrow's message may quote a cell, the last one does not.
        what = str(e.args[-1]) if len(e.args) > 1 else "a column cannot be converted"
        msg = f"{kind} cannot be read ({what}); give each column one type"
        raise DatasetIntegrityError(msg, problems=[what]) from e


def _rows(batches: Iterable[pa.RecordBatch], names: Sequence[str]) -> Iterator[Row]:
    start = 0
    for batch in batches:
        columns = [batch.column(name).to_pylist() for name in names]
        yield from enumerate(zip(*columns, strict=True), start)
        start += batch.num_rows


def _refuse_unknown(where: str, names: Sequence[str], columns: Sequence[str]) -> None:
    missing = [name for name in names if name not in columns]
    if missing:
        refuse_missing(where, missing, columns)
