"""The command that makes new rows for a table: munge."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from limbeck.cli._options import Json
from limbeck.cli._output import say
from limbeck.errors import InputError

COMMAS = "several with commas"


def munge(
    table: Annotated[Path, Parameter(help="A CSV or Parquet file.")],
    *,
    to: Annotated[Path, Parameter(help="A CSV or Parquet file; never overwritten.")],
    size: Annotated[int, Parameter(help="How many new rows.")],
    method: Annotated[str, Parameter(help="munge, random or nbe.")] = "munge",
    probability: Annotated[float, Parameter(help="With which a value changes, by munge.")] = 0.5,
    locality: Annotated[float, Parameter(help="How close new values stay, by munge.")] = 5.0,
    nominal: Annotated[str, Parameter(help=f"Columns of codes, {COMMAS}; text is so alone.")] = "",
    without: Annotated[str, Parameter(help=f"Columns left out, {COMMAS}.")] = "label,key,group",
    seed: int = 0,
    json: Json = False,
) -> int:
    """Make new unlabelled rows for a table from those it has, for a teacher to score."""
    from limbeck.datasets import KEY, synthetic, tables

    tables.check_free(to)
    rows = tables.columns_of(table)
    rows = rows.drop_columns([name for name in without.split(",") if name in rows.column_names])
    if not rows.column_names:
        raise InputError(f"{table} has no column left that new rows could have")
    how = {"probability": probability, "locality": locality} if method == "munge" else {}
    codes = [name for name in nominal.split(",") if name]
    make = synthetic.method(method)
    new_rows = make(rows, size=size, nominal=codes, seed=seed, **how)
    keys = [f"{method}-{seed}/{row}" for row in range(size)]
    tables.write(new_rows.add_column(0, KEY, [keys]), to)
    shown = {"to": str(to), "method": method, "rows": size, "columns": rows.column_names}
    return say(shown, f"{to}: {size} rows of {len(rows.column_names)} columns by {method}", json)
