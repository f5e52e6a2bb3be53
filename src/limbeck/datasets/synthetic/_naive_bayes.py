"""Naive Bayes estimation: a mixture, fitted by EM, in whose components columns are independent."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp
from sklearn.cluster import KMeans

from limbeck.datasets.synthetic._columns import Columns
from limbeck.examples import Array

ROUNDS = 100
ENOUGH = 1e-3  # nats a row: EM stops where a round gains less
FLOOR = 1e-2  # the least deviation in a component, in deviations of the column
HELD_OUT = 0.1
MOST = 256  # components


@dataclass(frozen=True, eq=False)
class _Cells:
    """Rows as EM needs them: standard scores with 0 for what is missing, and what is present.

    Nominal columns are one-hot side by side, missing being a category more.
    """

    scores: Array
    present: Array
    one_hot: Array

    def take(self, rows: Array) -> "_Cells":
        return _Cells(self.scores[rows], self.present[rows], self.one_hot[rows])

    def __len__(self) -> int:
        return len(self.scores)


@dataclass(frozen=True, eq=False)
class Mixture:
    """Components with a weight, and for each column an independent distribution in each.

    A normal one for a continuous column, of which a share is missing; shares of the categories
    for a nominal one. Lowd & Domingos 2005, "Naive Bayes Models for Probability Estimation".

    Attributes:
        columns: what the columns are.
        center, scale: what continuous columns were standardised with, `(continuous,)`.
        weights: `(components,)`.
        means, deviations: of standard scores, `(components, continuous)`.
        present: the share that is not missing, `(components, continuous)`.
        shares: of all categories side by side, `(components, categories)`.
    """

    columns: Columns
    center: Array
    scale: Array
    weights: Array
    means: Array
    deviations: Array
    present: Array
    shares: Array

    @classmethod
    def fitted(cls, columns: Columns, values: Array, seed: int) -> "Mixture":
        """The mixture of those rows; held-out likelihood chooses how many components it has.

        Their number doubles from 1 for as long as a tenth of the rows, kept out, becomes more
        probable; then all rows are fitted with the best number.
        """
        continuous = values[:, ~columns.is_nominal]
        center, scale = _moments(continuous)
        cells = _cells(columns, values, center, scale)
        order = np.random.default_rng([seed, 0]).permutation(len(cells))
        held_out = order[: max(1, round(HELD_OUT * len(cells)))]
        rest = np.setdiff1d(order, held_out)
        best, highest = 1, -np.inf
        for components in _counts(len(rest)):
            mixture = _fit(columns, center, scale, cells.take(rest), components, seed)
            likelihood = float(logsumexp(mixture._joint(cells.take(held_out)), axis=1).mean())
            if likelihood <= highest:
                break
            best, highest = components, likelihood
        return _fit(columns, center, scale, cells, best, seed)

    def _joint(self, cells: _Cells) -> Array:
        """The logarithm of weight times density of each component, `(rows, components)`."""
        precision = self.deviations**-2.0
        squares = (cells.scores**2) @ precision.T - 2 * cells.scores @ (self.means * precision).T
        constant = self.means**2 * precision + 2 * np.log(self.deviations) + np.log(2 * np.pi)
        normal = -0.5 * (squares + cells.present @ constant.T)
        gaps = cells.present @ np.log(self.present).T
        gaps = gaps + (1 - cells.present) @ np.log1p(-self.present).T
        nominal = cells.one_hot @ np.log(self.shares).T
        return np.asarray(np.log(self.weights) + normal + gaps + nominal)

    def draw(self, size: int, seed: int) -> Array:
        """So many rows as numbers; more rows of one seed begin with the same ones."""
        components = np.searchsorted(
            np.cumsum(self.weights)[:-1], np.random.default_rng([seed, 1]).random(size)
        )
        values = np.empty((size, len(self.columns.names)))
        at, begins = 0, 0
        for number, categories in enumerate(self.columns.categories):
            generator = np.random.default_rng([seed, 2, number])
            if self.columns.is_nominal[number]:
                ends = begins + len(categories) + 1
                values[:, number] = _draw(self.shares[:, begins:ends], components, generator)
                begins = ends
            else:
                values[:, number] = self._normal(at, components, generator)
                at += 1
        return values

    def _normal(self, at: int, components: Array, generator: np.random.Generator) -> Array:
        gaps, noise = generator.spawn(2)
        score = self.means[components, at] + self.deviations[components, at] * noise.normal(
            size=len(components)
        )
        value = self.center[at] + self.scale[at] * score
        return np.where(gaps.random(len(components)) < self.present[components, at], value, np.nan)


def _counts(rows: int) -> Iterator[int]:
    components = 1
    while components <= min(MOST, max(1, rows // 10)):
        yield components
        components *= 2


def _moments(continuous: Array) -> tuple[Array, Array]:
    present = ~np.isnan(continuous)
    n = np.maximum(present.sum(axis=0), 1)
    center = np.where(present, continuous, 0.0).sum(axis=0) / n
    spread = np.sqrt((np.where(present, continuous - center, 0.0) ** 2).sum(axis=0) / n)
    return center, np.where(spread > 0, spread, 1.0)


def _cells(columns: Columns, values: Array, center: Array, scale: Array) -> _Cells:
    continuous = values[:, ~columns.is_nominal]
    present = ~np.isnan(continuous)
    scores = np.where(present, (continuous - center) / scale, 0.0)
    nominal = [np.zeros((len(values), 0))]
    for number in np.flatnonzero(columns.is_nominal):
        count = len(columns.categories[number])
        codes = np.nan_to_num(values[:, number], nan=count).astype(np.int64)
        nominal.append(np.eye(count + 1)[codes])
    return _Cells(scores, present.astype(np.float64), np.concatenate(nominal, axis=1))


def _fit(
    columns: Columns, center: Array, scale: Array, cells: _Cells, components: int, seed: int
) -> Mixture:
    belongs = _clustered(cells, components, seed)
    likelihood = -np.inf
    for _ in range(ROUNDS):
        mixture = Mixture(columns, center, scale, *_maximized(columns, cells, belongs))
        joint = mixture._joint(cells)
        total = logsumexp(joint, axis=1, keepdims=True)
        if float(total.mean()) - likelihood < ENOUGH:
            break
        likelihood, belongs = float(total.mean()), np.exp(joint - total)
    return mixture


def _clustered(cells: _Cells, components: int, seed: int) -> Array:
    if components == 1:
        return np.ones((len(cells), 1))
    points = np.concatenate([cells.scores, cells.one_hot], axis=1)
    # Fewer different points than components leave some of them empty.
    clusters = min(components, len(np.unique(points, axis=0)))
    assigned = KMeans(clusters, n_init=1, random_state=seed, max_iter=20).fit_predict(points)
    return np.asarray(np.eye(clusters)[assigned])


def _maximized(columns: Columns, cells: _Cells, belongs: Array) -> tuple[Array, ...]:
    """The M step: weights, means, deviations, present shares and category shares."""
    n = belongs.sum(axis=0)[:, None] + 1e-9
    there = belongs.T @ cells.present + 1e-9
    means = belongs.T @ cells.scores / there
    variances = belongs.T @ cells.scores**2 / there - means**2
    deviations = np.sqrt(np.maximum(variances, FLOOR**2))
    # One row's worth of the whole table in every component: no share is 0 or 1.
    present = (there + _clipped(cells.present.mean(axis=0))) / (n + 1)
    shares = _shares(columns, belongs.T @ cells.one_hot, n)
    return n[:, 0] / n.sum(), means, deviations, _clipped(present), shares


def _clipped(shares: Array) -> Array:
    return np.clip(shares, 1e-9, 1 - 1e-9)


def _shares(columns: Columns, counts: Array, n: Array) -> Array:
    parts, begins = [counts[:, :0]], 0
    for number in np.flatnonzero(columns.is_nominal):
        ends = begins + len(columns.categories[number]) + 1
        whole = counts[:, begins:ends].sum(axis=0)
        shares = (counts[:, begins:ends] + whole / whole.sum()) / (n + 1)
        parts.append(_clipped(shares))
        begins = ends
    return np.concatenate(parts, axis=1)


def _draw(shares: Array, components: Array, generator: np.random.Generator) -> Array:
    """A category for each row by its component's shares; the last category is missing."""
    ends = np.cumsum(shares / shares.sum(axis=1, keepdims=True), axis=1)[:, :-1]
    codes = (generator.random(len(components))[:, None] > ends[components]).sum(axis=1)
    return np.where(codes == shares.shape[1] - 1, np.nan, codes)
