import json
import subprocess
import sys
import warnings

import numpy as np
import pytest
from scipy.spatial import cKDTree
from worlds import blobs

import limbeck
from limbeck.cli import main
from limbeck.datasets import Columns, synthetic, tables
from limbeck.datasets.synthetic import _munge
from limbeck.errors import ExamplesError, InputError, MismatchError, TableWarning

ALL = [synthetic.munge, synthetic.random, synthetic.nbe]
each_method = pytest.mark.parametrize("method", ALL, ids=lambda method: method.__name__)


def correlated(rows: int = 400, seed: int = 0) -> np.ndarray:
    """Four columns that depend on two hidden ones."""
    drawn = np.random.default_rng(seed)
    hidden = drawn.normal(size=(rows, 2)) @ drawn.normal(size=(2, 4))
    return hidden + 0.3 * drawn.normal(size=(rows, 4))


def mixed(rows: int = 300, seed: int = 0, missing: float = 0.0) -> np.ndarray:
    """A continuous column, a whole one and two nominal ones, which depend on one another."""
    drawn = np.random.default_rng(seed)
    kind = drawn.integers(0, 3, rows)
    table = np.empty((rows, 4), dtype=object)
    table[:, 0] = kind * 2 + drawn.normal(size=rows)
    table[:, 1] = drawn.poisson(5 + 10 * kind)
    table[:, 2] = np.array(["red", "green", "blue"], dtype=object)[kind]
    table[:, 3] = np.where(drawn.random(rows) < 0.2, "no", "yes").astype(object)
    table[drawn.random(table.shape) < missing] = None
    return table


def to_nearest(made: np.ndarray, table: np.ndarray) -> np.ndarray:
    span = np.ptp(table, axis=0)
    return cKDTree(table / span).query(made / span)[0]


def by_the_paper(table, changes, noise, locality, neighbors=None):
    """Section 2.3, for continuous columns, with nothing but loops."""
    low = [min(row[a] for row in table) for a in range(len(table[0]))]
    high = [max(row[a] for row in table) for a in range(len(table[0]))]
    rows = [list(row) for row in table]
    for e in range(len(rows)):
        far = [
            sum(((rows[e][a] - o[a]) / (high[a] - low[a])) ** 2 for a in range(len(low)))
            for o in rows
        ]
        far[e] = float("inf")
        other = far.index(min(far)) if neighbors is None else neighbors[e]
        for a in range(len(low)):
            if changes[e][a]:
                one, two = rows[e][a], rows[other][a]
                deviation = abs(one - two) / locality
                rows[e][a] = two + deviation * noise[e][a][0]
                rows[other][a] = one + deviation * noise[e][a][1]
    return np.array(rows)


def munging(table, probability=0.5, locality=3.0, seed=4):
    columns = Columns.of(table)
    return _munge._Munging(columns, columns.numbers(table), probability, locality, seed)


def test_the_exact_form_is_the_papers_loop():
    table = correlated(60)
    how = munging(table)
    for number, done in enumerate(how.exactly(120)):
        changes, noise = how._draws(number)
        expected = by_the_paper(table, changes, noise, how.locality)
        np.testing.assert_allclose(done, expected[how._order(number)], rtol=1e-12)


def test_the_quick_form_is_the_papers_loop_but_for_neighbours_found_once():
    table = correlated(60)
    how = munging(table)
    for number, done in enumerate(how.at_once(180)):
        changes, noise = how._draws(number)
        expected = by_the_paper(table, changes, noise, how.locality, how.neighbors())
        np.testing.assert_allclose(done, expected[how._order(number)], rtol=1e-12)


@pytest.mark.parametrize(("probability", "locality"), [(0.5, 5), (0.2, 1), (0.5, 2)])
def test_the_quick_form_gives_the_distributions_of_the_exact_one(probability, locality):
    table = correlated()
    how = {"size": 12 * len(table), "probability": probability, "locality": locality}
    exact = synthetic.munge(table, exact=True, **how)
    quick = synthetic.munge(table, seed=1, **how)
    deviations = table.std(axis=0)
    np.testing.assert_allclose(
        quick.mean(axis=0) / deviations, exact.mean(0) / deviations, atol=0.02
    )
    np.testing.assert_allclose(quick.std(axis=0), exact.std(axis=0), rtol=0.02)
    np.testing.assert_allclose(np.corrcoef(quick.T), np.corrcoef(exact.T), atol=0.02)
    near = [np.median(to_nearest(made, table)) for made in (quick, exact)]
    assert near[0] == pytest.approx(near[1], rel=0.2)


def test_the_quick_form_keeps_nominal_shares_as_the_exact_one_does():
    table = mixed(200, missing=0.05)
    made = [synthetic.munge(table, size=2000, exact=exact) for exact in (True, False)]
    for column, value in ((2, "red"), (2, None), (3, "no"), (0, None)):
        found = [np.mean([cell is value or cell == value for cell in m[:, column]]) for m in made]
        assert found[0] == pytest.approx(found[1], abs=0.02)


def test_munge_keeps_what_random_loses():
    table = correlated()
    true = np.corrcoef(table.T)
    apart = {
        method.__name__: np.abs(np.corrcoef(method(table, size=8000).T) - true).max()
        for method in ALL
    }
    assert apart["munge"] < 0.05
    assert apart["nbe"] < 0.15
    assert apart["random"] > 0.4


def test_nothing_changes_with_probability_0_and_everything_is_swapped_without_deviation():
    table = correlated(50)
    same = synthetic.munge(table, size=50, probability=0)
    np.testing.assert_array_equal(np.sort(same, axis=0), np.sort(table, axis=0))
    swapped = synthetic.munge(table, size=50, probability=1, locality=1e12)
    np.testing.assert_allclose(np.sort(swapped, axis=0), np.sort(table, axis=0), atol=1e-9)
    assert (same != swapped).any()


def test_a_neighbour_is_another_row_also_among_copies_of_a_row():
    table = np.repeat(correlated(10), 3, axis=0)
    neighbors = munging(table).neighbors()
    assert (neighbors != np.arange(30)).all()
    np.testing.assert_array_equal(table[neighbors], table)
    made = synthetic.munge(table, size=90, locality=1)
    assert np.isin(made, table).all()  # equal rows have no deviation: copies stay copies


def test_neighbours_of_nominal_and_missing_cells_are_those_of_the_papers_distance():
    table = mixed(200, missing=0.1)
    columns = Columns.of(table)
    values = columns.numbers(table)
    found = _munge._Munging(columns, values, 0.5, 5, 0).neighbors()
    for row in range(len(values)):
        far = _munge.distances(columns, values, values[row])
        far[row] = np.inf
        assert far[found[row]] == pytest.approx(far.min())


def test_the_distance_is_euclidean_on_scaled_columns_plus_the_nominal_ones_that_differ():
    table = np.array([[0.0, 0, "a"], [30.0, 4, "b"], [100.0, 10, "a"]], dtype=object)
    columns = Columns.of(table)
    values = columns.numbers(table)
    found = _munge.distances(columns, values, values[0])
    np.testing.assert_allclose(found, [0, np.hypot(0.3, 0.4) + 1, np.hypot(1, 1)])
    gap = values.copy()
    gap[1, 0] = np.nan
    assert _munge.distances(columns, gap, gap[0])[1] == pytest.approx(np.hypot(1, 0.4) + 1)


@each_method
def test_ranges_whole_numbers_and_categories_stay(method):
    table = mixed()
    made = method(table, size=700)
    assert made.shape == (700, 4)
    for column in (0, 1):
        assert table[:, column].min() <= made[:, column].min()
        assert made[:, column].max() <= table[:, column].max()
    assert all(float(cell).is_integer() for cell in made[:, 1])
    assert set(made[:, 2]) <= {"red", "green", "blue"}
    assert set(made[:, 3]) <= {"yes", "no"}


@each_method
def test_missing_values_stay_in_their_columns_at_their_share(method):
    table = correlated(500)
    table[:100, 1] = np.nan
    made = method(table, size=4000)
    gaps = np.isnan(made)
    assert not gaps[:, [0, 2, 3]].any()
    assert gaps[:, 1].mean() == pytest.approx(0.2, abs=0.05)


@each_method
def test_a_missing_category_is_missing_as_it_was(method):
    made = method(mixed(missing=0.2), size=500)
    assert any(cell is None for cell in made[:, 2])
    assert set(made[:, 2]) == {"red", "green", "blue", None}


@each_method
def test_a_constant_column_stays_constant(method):
    table = correlated(80)
    table[:, 2] = 7.5
    assert (method(table, size=200)[:, 2] == 7.5).all()


@each_method
def test_the_number_type_of_an_array_stays(method):
    table = np.random.default_rng(0).integers(0, 90, (60, 3)).astype(np.int16)
    assert method(table, size=100).dtype == np.int16
    assert method(correlated(60).astype(np.float32), size=100).dtype == np.float32


@each_method
def test_rows_follow_from_the_seed_and_more_begin_with_the_same_ones(method):
    table = correlated(70)
    few, more = method(table, size=50, seed=3), method(table, size=400, seed=3)
    np.testing.assert_array_equal(few, more[:50])
    assert (method(table, size=50, seed=4) != few).any()


@each_method
def test_examples_become_unlabelled_examples_that_can_be_scored(method, tmp_path):
    given = blobs(40)
    made = method(given, size=100)
    assert not made.is_labelled.any()
    assert made.classes == given.classes
    assert len(set(made.keys)) == 100
    scores = limbeck.score(lambda x: np.stack([x[:, 0], x[:, 1], -x[:, 0]], 1), made, to=tmp_path)
    assert len(scores) == 100


def test_a_munged_key_names_the_pass_and_the_row_it_came_from():
    given = blobs(30)
    made = synthetic.munge(given, size=60, seed=2, probability=0)
    number, key = made.keys[37].removeprefix("munge-2/").split("/")
    assert number == "1"
    np.testing.assert_array_equal(made.inputs[37], given.inputs[given.find(np.array([key]))[0]])


def test_a_nominal_column_of_numbers_takes_only_its_own_values():
    table = correlated(200)
    table[:, 0] = np.random.default_rng(0).choice([10.0, 20.0, 70.0], 200)
    made = synthetic.munge(table, size=400, nominal=[0], locality=1)
    assert set(made[:, 0]) == {10.0, 20.0, 70.0}


def test_a_data_frame_gives_a_data_frame_of_the_same_columns_and_types():
    pandas = pytest.importorskip("pandas", reason="needs limbeck[pandas]")
    frame = pandas.DataFrame(
        {
            "size": np.random.default_rng(0).normal(size=50),
            "rooms": np.random.default_rng(1).integers(1, 40, 50),
            "street": pandas.Categorical(["high", "low"] * 25),
            "sold": [True, False] * 25,
        }
    )
    made = synthetic.munge(frame, size=120)
    assert list(made.columns) == list(frame.columns)
    assert (made.dtypes == frame.dtypes).all()
    assert len(made) == 120
    assert len(synthetic.munge(frame, size=9, nominal=["rooms"])) == 9


# --- bad input -----------------------------------------------------------------------------------


def test_whole_numbers_with_few_values_are_said_to_look_like_codes():
    table = correlated(100)
    table[:, 1] = np.arange(100) % 4
    with pytest.warns(
        TableWarning, match=r"taken as continuous: '1' \(0, 1, 2, 3\)\. Name those that are codes"
    ):
        synthetic.munge(table, size=10)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        synthetic.munge(table, size=10, nominal=[1])


def test_text_is_nominal_without_being_named():
    table = mixed(50)
    assert Columns.of(table).is_nominal.tolist() == [False, False, True, True]
    assert Columns.of(table.astype(str)).is_nominal.all()
    assert Columns.of(np.array([[True], [False]])).is_nominal.tolist() == [True]


def test_bad_tables_are_refused_in_one_sentence():
    one = correlated(1)
    with pytest.raises(ExamplesError, match="munge takes 2 rows or more, so that each has a neigh"):
        synthetic.munge(np.array([[1.0, np.nan]]), size=3)
    for table, message in (
        (np.ones((9, 2)), "all 2 columns are constant: there is nothing to vary"),
        (one[0], r"a table has rows and columns; this has shape \(4,\)"),
        (one[:0], "the table has no rows"),
        (np.array([[1.0], [np.inf]]), "column '0' holds infinity, first in row 1"),
    ):
        for method in ALL:
            with pytest.raises(ExamplesError, match=message):
                method(table, size=3)
    with pytest.raises(
        ExamplesError, match=r"inputs of shape \(1, 8, 8\); new rows are made for t"
    ):
        synthetic.munge(limbeck.Examples.of(np.zeros((2, 1, 8, 8))), size=3)


def test_bad_numbers_are_refused_in_one_sentence():
    table = correlated(9)
    with pytest.raises(InputError, match="size is 1 row or more, not 0"):
        synthetic.nbe(table, size=0)
    with pytest.raises(InputError, match=r"probability lies between 0 and 1, not 1\.5"):
        synthetic.munge(table, size=3, probability=1.5)
    with pytest.raises(InputError, match="locality is above 0, not 0"):
        synthetic.munge(table, size=3, locality=0)
    with pytest.raises(ExamplesError, match="there is no column 'colour' to be nominal"):
        synthetic.munge(table, size=3, nominal=["colour"])
    with pytest.raises(ExamplesError, match="there is no column 4 to be nominal"):
        synthetic.munge(table, size=3, nominal=[4])


def test_a_table_of_other_columns_is_refused():
    columns = Columns.of(correlated(9))
    with pytest.raises(MismatchError, match="the transfer set has 3 columns, not the 4 there were"):
        columns.numbers(correlated(9)[:, :3], "the transfer set")


def test_importing_limbeck_loads_no_scikit_learn():
    code = "import limbeck, sys; assert 'sklearn' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


# --- Arrow tables and the command ------------------------------------------------------------


def arrow_table(rows: int = 60):
    arrow = pytest.importorskip("pyarrow", reason="needs limbeck[parquet]")
    table = mixed(rows, missing=0.1)
    return arrow.table(
        {
            "size": arrow.array(table[:, 0].tolist(), arrow.float32()),
            "rooms": arrow.array(table[:, 1].tolist(), arrow.int64()),
            "colour": arrow.array(table[:, 2].tolist()),
            "label": arrow.array(["a", "b"] * (rows // 2)),
        }
    )


def test_an_arrow_table_gives_an_arrow_table_of_the_same_schema():
    table = arrow_table()
    made = synthetic.munge(table, size=150, nominal=["label"])
    assert made.schema == table.schema
    assert len(made) == 150
    assert 0 < made["rooms"].null_count < 60
    assert set(made["colour"].to_pylist()) == {"red", "green", "blue", None}
    assert Columns.of(table).names == ("size", "rooms", "colour", "label")


def run(capsys, *arguments: str):
    with pytest.raises(SystemExit) as ended:
        main([str(a) for a in arguments])
    printed = capsys.readouterr()
    return ended.value.code, printed.out, printed.err


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_the_command_writes_rows_without_label_that_can_be_read(ending, tmp_path, capsys):
    tables.write(arrow_table().drop_columns(["rooms"]), tmp_path / f"in.{ending}")
    to = tmp_path / f"out.{ending}"
    status, out, _ = run(
        capsys, "munge", tmp_path / f"in.{ending}", "--to", to, "--size", 80, "--json"
    )
    assert status == 0
    assert json.loads(out)["columns"] == ["size", "colour"]
    made = tables.columns_of(to)
    assert made.column_names == ["key", "size", "colour"]
    assert made["key"][79].as_py() == "munge-0/79"


def test_the_command_refuses_bad_input_and_writes_nothing(tmp_path, capsys):
    tables.write(arrow_table(), tmp_path / "in.csv")
    given, to = tmp_path / "in.csv", tmp_path / "out.csv"
    for arguments, message in (
        ([given, "--to", given, "--size", 3], "in.csv is there already; choose another name"),
        ([given, "--to", tmp_path / "out.txt", "--size", 3], "tables are .csv and .parquet files"),
        ([tmp_path / "no.csv", "--to", to, "--size", 3], "there is no file"),
        ([given, "--to", to, "--size", 0], "size is 1 row or more, not 0"),
        ([given, "--to", to, "--size", 3, "--method", "mung"], "did you mean 'munge'"),
        ([given, "--to", to, "--size", 3, "--nominal", "a"], "there is no column 'a' to be nom"),
        (
            [given, "--to", to, "--size", 3, "--without", "size,rooms,colour,label"],
            "has no column left that new rows could have",
        ),
    ):
        status, out, err = run(capsys, "munge", *arguments)
        assert (status, out) == (2, "")
        assert message in err
        assert err.count("\n") == 1
        assert not to.exists()
