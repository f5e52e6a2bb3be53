"""Draws dark knowledge: inputs, soft targets by temperature, confused classes, differences."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from limbeck.artifacts import write_file
from limbeck.errors import InputError
from limbeck.evaluation._soft_targets import Confusion, Difference, Shown, top
from limbeck.examples import Array
from limbeck.runtime import needs, printable

ENDINGS = (".svg", ".png")
MOST_CLASSES = 10  # bars of an example
MOST_LETTERS = 18  # of a class name
MOST_NUMBERS = 8  # of a table's row
TEACHER, STUDENT = "#2f6690", "#e07a3f"
STYLE = {
    "font.family": "sans-serif",
    "font.size": 8.0,
    "axes.titlesize": 8.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "svg.hashsalt": "limbeck",  # equal figures are equal files
    "svg.fonttype": "none",
    "text.parse_math": False,  # a class may be named $5
}


def check_drawable(path: str | Path) -> Path:
    """The path, if a figure can be drawn and written to a file of that ending.

    Raises:
        InputError: another ending.
        NeedsPackageError: matplotlib is not installed.
    """
    needs("matplotlib")
    place = Path(path)
    if place.suffix not in ENDINGS:
        raise InputError(f"a figure is written to {' or '.join(ENDINGS)}, not to {place.name!r}")
    return place


def write(
    path: str | Path,
    classes: Sequence[str],
    temperatures: Sequence[float],
    shown: Sequence[Shown],
    confused: Sequence[Confusion],
    differences: Sequence[Difference],
) -> Path:
    """Draws all of it into an SVG or PNG file, which is replaced if it is there.

    Raises:
        InputError: another ending.
        NeedsPackageError: matplotlib is not installed.
    """
    place = check_drawable(path)
    figures = needs("matplotlib.figure")
    with needs("matplotlib").rc_context(STYLE):
        heights = [1.8] * len(shown) + [1.9] + ([2.5] if differences else [])
        width = max(7.0, 2.6 + 1.25 * len(temperatures))
        figure = figures.Figure(figsize=(width, sum(heights)), layout="constrained")
        parts = np.atleast_1d(figure.subfigures(len(heights), 1, height_ratios=heights))
        for part, one in zip(parts, shown, strict=False):
            _draw_example(part, one, classes, temperatures)
        _draw_confusions(parts[len(shown)], confused)
        if differences:
            _draw_differences(parts[-1], differences, classes)
        content = io.BytesIO()
        kind = place.suffix.removeprefix(".")
        dateless = {"Date": None} if kind == "svg" else {}
        figure.savefig(content, format=kind, dpi=150, metadata=dateless)
    write_file(place, content.getvalue())
    return place


def _draw_example(
    part: Any, one: Shown, classes: Sequence[str], temperatures: Sequence[float]
) -> None:
    """A row: the input, and its most probable classes at each temperature."""
    panels = part.subplots(1, 1 + len(temperatures), width_ratios=[1.3] + [1.0] * len(temperatures))
    _draw_input(panels[0], one.inputs)
    panels[0].set_title(_titled(one.key, one.label), loc="left")
    order = np.argsort(-one.soft[0], kind="stable")[:MOST_CLASSES]  # the same at each temperature
    names = [_short(classes[i]) for i in order]
    for panel, temperature, shares in zip(panels[1:], temperatures, one.soft, strict=True):
        panel.barh(range(len(order)), shares[order], color=TEACHER)
        panel.set_title(f"T = {temperature:g}")
        _as_shares(panel)
        panel.set_yticks(range(len(order)) if panel is panels[1] else [])
        panel.invert_yaxis()
    panels[1].set_yticklabels(names, fontsize=6.5)


def _draw_confusions(part: Any, confused: Sequence[Confusion]) -> None:
    """Bars of the pairs of classes that the teacher confuses."""
    panel = part.subplots()
    panel.set_title(
        "Classes the teacher confuses: its answer / another, by the mean probability of that",
        loc="left",
    )
    names = [f"{_short(pair.answer)} / {_short(pair.other)}" for pair in confused]
    panel.barh(range(len(confused)), [pair.probability for pair in confused], color=TEACHER)
    panel.set_yticks(range(len(confused)), names)
    panel.invert_yaxis()
    panel.set_xlim(left=0)
    panel.xaxis.set_major_formatter(needs("matplotlib.ticker").PercentFormatter(1.0, symbol=" %"))


def _draw_differences(part: Any, differences: Sequence[Difference], classes: Sequence[str]) -> None:
    """A column each: the input, and the classes that either model holds probable."""
    part.suptitle("Where student and teacher differ most", x=0.01, ha="left", fontsize=8.0)
    panels = part.subplots(2, len(differences), squeeze=False, height_ratios=[1.0, 1.0])
    for one, (above, below) in zip(differences, panels.T, strict=True):
        _draw_input(above, one.inputs)
        above.set_title(f"{_titled(one.key, one.label)}\nKL {one.nats:.2g} nats")
        either = np.maximum(one.teacher, one.student)
        names = [name for name, _ in top(either, classes, 3)]
        at = [list(classes).index(name) for name in names]
        rows = np.arange(len(at))
        below.barh(rows - 0.2, one.teacher[at], 0.4, color=TEACHER, label="teacher")
        below.barh(rows + 0.2, one.student[at], 0.4, color=STUDENT, label="student")
        below.set_yticks(rows, [_short(name, 12) for name in names])
        below.invert_yaxis()
        _as_shares(below)
    handles = panels[1, 0].get_legend_handles_labels()
    part.legend(*handles, loc="upper right", ncols=2, frameon=False, borderpad=0, borderaxespad=0.2)


def _as_shares(panel: Any) -> None:
    panel.set_xlim(0, 1)
    panel.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
    panel.tick_params(length=2)


def _draw_input(panel: Any, inputs: Array) -> None:
    """An image as an image, anything else as a few of its numbers."""
    panel.set_axis_off()
    if inputs.ndim == 3:
        panel.imshow(_picture(inputs), cmap="gray", interpolation="none")
        return
    numbers = inputs.reshape(-1)
    lines = [f"{number:.4g}" for number in numbers[:MOST_NUMBERS]]
    if len(numbers) > MOST_NUMBERS:
        lines.append(f"... {len(numbers)} in all")
    panel.text(0.0, 1.0, "\n".join(lines), va="top", transform=panel.transAxes)


def _picture(image: Array) -> Array:
    """`(channels, height, width)` of any number type as what is drawn, from 0 to 1."""
    wide = image.astype(np.float64)
    low, high = (0.0, 255.0) if image.dtype == np.uint8 and wide.max() > 64 else _ends(wide)
    scaled = (wide - low) / (high - low)
    return scaled.transpose(1, 2, 0) if len(image) == 3 else scaled.mean(axis=0)


def _ends(values: Array) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    return low, high if high > low else low + 1.0


def _titled(key: str, label: str) -> str:
    return f"{_short(key)}\n{_short(label)}" if label else _short(key)


def _short(name: str, letters: int = MOST_LETTERS) -> str:
    shown = printable(name)
    cut = shown if len(shown) <= letters else f"{shown[: letters - 2]}.."
    return cut.replace("$", r"\$")  # between two of them matplotlib would read mathematics
