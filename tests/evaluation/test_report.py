"""Facts about the report: what it says, how it is shown, and what is kept on disk."""

import copy
import json
import re
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from limbeck.errors import CorruptError, InputError, MissingError
from limbeck.evaluation import Report

# As report.json holds it; a metric's four numbers are spread out below.
DIGITS: dict[str, Any] = json.loads("""{
"format": 1, "name": "digits", "examples": {"name": "digits test", "n": 599},
"seeds": [0, 1, 2, 3, 4],
"rows": [
 {"name": "teacher", "parameters": 33898, "bytes": 135592, "operations": 1204000,
  "metrics": {"accuracy": [0.98664, 0.97496, 0.99499, 599], "errors": [8.0, 3.0, 15.0, 599],
              "ece": [0.00914, 0.0058, 0.0173, 599]},
  "latency_ms": {"batch": 1, "p50": 0.2812, "p95": 0.3544}, "throughput_per_second": 41800.0},
 {"name": "student", "parameters": 2260, "bytes": 9040, "operations": 2220,
  "metrics": {"accuracy": [0.97095, 0.95726, 0.98297, 599], "errors": [17.4, 10.2, 25.6, 599],
              "ece": [0.01412, 0.00911, 0.02308, 599], "kl_nats": [0.0611, 0.0453, 0.0792, 599],
              "agreement": [0.97529, 0.96327, 0.98598, 599],
              "agreement_kappa": [0.97254, 0.95917, 0.98442, 599]},
  "latency_ms": {"batch": 1, "p50": 0.0142, "p95": 0.0187}, "throughput_per_second": 1630000.0},
 {"name": "control", "parameters": 2260, "bytes": 9040, "operations": 2220,
  "metrics": {"accuracy": [0.96678, 0.95242, 0.97963, 599], "errors": [19.9, 12.2, 28.5, 599],
              "ece": [0.02116, 0.01377, 0.03268, 599], "kl_nats": [0.1335, 0.0906, 0.1852, 599],
              "agreement": [0.96694, 0.95259, 0.9798, 599],
              "agreement_kappa": [0.96327, 0.94732, 0.97756, 599]},
  "latency_ms": {"batch": 1, "p50": 0.0143, "p95": 0.0189}, "throughput_per_second": 1620000.0,
  "notes": ["stopped early on 100 held-out labels"]}],
"slices": [
 {"column": "writer", "value": "left-handed", "n": 88, "rows": [
  {"name": "teacher", "metrics": {"accuracy": [0.977, 0.943, 1.0, 88]}},
  {"name": "student", "metrics": {"accuracy": [0.952, 0.905, 0.989, 88]}}]},
 {"column": "writer", "value": "right-handed", "n": 511, "rows": [
  {"name": "teacher", "metrics": {"accuracy": [0.988, 0.978, 0.996, 511]}}]}],
"verdict": {"answer": "yes", "difference": 0.00417, "low": 0.00102, "high": 0.00738,
            "test": "paired bootstrap over examples and seeds"},
"within_margin": {"answer": "no", "margin": 0.01, "difference": -0.01569, "low": -0.0256,
                  "high": -0.0063},
"requirements": [
 {"text": "agreement>=0.95", "met": true, "measured": "at least 0.963 of 599 examples"},
 {"text": "accuracy>=teacher-0.01", "met": false, "measured": "as low as teacher - 0.0256"}],
"notes": ["The teacher never saw a test example."],
"provenance": {"limbeck": "0.1.0", "torch": "2.6.0", "machine": "a laptop, 2 cores, Linux",
               "commit": "0123456789ab", "seconds": 83.1, "score_set": "5f3a90c1d2e4b687",
               "command": "limbeck run recipes/digits.toml"}
}""")
for line in [*DIGITS["rows"], *(line for part in DIGITS["slices"] for line in part["rows"])]:
    for metric, numbers in line["metrics"].items():
        line["metrics"][metric] = dict(zip(("mean", "low", "high", "n"), numbers, strict=True))
YES = {**DIGITS["verdict"], "test": "paired bootstrap"}
WORSE = {"answer": "no", "difference": -0.0042, "low": -0.0074, "high": -0.001}
OPEN = {"answer": "undecided", "difference": 0.001, "low": -0.002, "high": 0.004}
INCLUDES_ZERO = "-0.20 to 0.40), and the interval includes zero"
BARE: dict[str, Any] = json.loads("""{
"format": 1, "name": "bare", "examples": {"name": "three", "n": 3}, "seeds": [0], "rows": [],
"verdict": {"answer": "undecided", "why": "there are no labels"}
}""")
# Markup, and none of our own names.
NAMES = st.text(st.characters(exclude_categories=("C", "Z")), max_size=12).map("<{}".format)


def digits(**changes: Any) -> Report:
    return Report({**copy.deepcopy(DIGITS), **changes})


def renamed(name: str) -> Report:
    """The sample with a name of the user's wherever a user can put one."""
    report = digits(name=name, notes=[name], requirements=[])
    report.document["examples"]["name"] = name
    report.document["provenance"]["command"] = name
    report.document["verdict"]["test"] = name
    report.document["slices"][0]["value"] = name
    report.row("control")["metrics"][name] = {"mean": 0.5, "low": 0.4, "high": 0.6, "n": 9}
    report.document["rows"][2]["name"] = name
    return report


class Page(HTMLParser):
    """The elements and the text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def figures(report: Report) -> dict[str, ElementTree.Element]:
    """The drawings of a page by their title; each has to be well-formed on its own."""
    texts = re.findall(r"<svg.*?</svg>", report.to_html(), re.DOTALL)
    found = [ElementTree.fromstring(text) for text in texts]
    return {element.findtext("title") or "": element for element in found}


def position(figure: ElementTree.Element, model: str, attribute: str) -> float:
    (drawn,) = figure.findall(f"g[@class='{model}']/*[@class='dot']")
    return float(drawn.get(attribute, "nan"))


def lines(figure: ElementTree.Element, kind: str) -> list[list[float]]:
    """Left and right of each line of a kind."""
    found = [line for line in figure.iter("line") if line.get("class") == kind]
    return [[float(line.get(end, "nan")) for end in ("x1", "x2")] for line in found]


def cells(report: Report, label: str) -> list[str]:
    """What the Markdown table says of one metric or size."""
    (found,) = re.findall(rf"^\| {re.escape(label)} *\|(.*)\|$", report.to_markdown(), re.MULTILINE)
    return [cell.strip() for cell in found.split("|")]


def luminance(colour: str) -> float:
    """Relative luminance, as WCAG 2 defines it."""
    wide = "".join(2 * digit for digit in colour) if len(colour) == 3 else colour
    parts = [int(wide[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted([luminance(one) + 0.05, luminance(other) + 0.05])
    return high / low


@pytest.mark.parametrize(
    ("verdict", "answer", "points", "evidence"),
    [
        (YES, "Yes", "0.42 percentage points more", "0.10 to 0.74; paired bootstrap)"),
        (WORSE, "No: it is worse", "0.42 percentage points fewer", "-0.74 to -0.10)"),
        (OPEN, "Undecided", "0.10 percentage points more", INCLUDES_ZERO),
    ],
)
def test_the_verdict_is_a_sentence_with_its_evidence(
    verdict: dict[str, Any], answer: str, points: str, evidence: str
) -> None:
    report = digits(verdict=verdict)
    reason = f"the student is right on {points} of 599 test examples than the same net trained"
    sentence = f"{answer}: {reason} on labels (95 % interval {evidence}."
    assert f"Did distillation help? {sentence}" in report.to_markdown().splitlines()
    assert f"Did distillation help? {sentence}" in str(report).splitlines()
    shown = sentence.partition(": ")[2].replace(" -", " \N{MINUS SIGN}")
    assert f"<p>{shown[0].upper()}{shown[1:]}</p>" in report.to_html()


def test_without_a_control_the_verdict_says_why_there_is_none() -> None:
    report = digits(verdict={"answer": "undecided", "why": "there are no labels."})
    assert "\n\nDid distillation help? Undecided: there are no labels.\n\n" in report.to_markdown()
    assert "<p>There are no labels.</p>" in report.to_html()


def test_the_verdict_counts_the_examples_that_have_a_label() -> None:
    assert "more of 420 test examples" in str(digits(verdict={**YES, "n": 420}))


def test_an_undecided_verdict_never_claims_a_zero_that_its_interval_lacks() -> None:
    assert "includes zero" not in digits(verdict={**YES, "answer": "undecided"}).to_markdown()


def test_the_second_verdict_names_margin_difference_and_interval() -> None:
    sentence = (
        "Is the student within 1.00 points of the teacher? No: its accuracy is 1.57 percentage "
        "points below the teacher's (95 % interval -2.56 to -0.63)."
    )
    assert sentence in digits().to_markdown()
    assert "points of the ensemble? No" in str(digits(reference="ensemble"))
    assert "within" not in digits(within_margin=None).to_markdown()


def test_a_metric_nobody_measured_is_said_not_to_be_measured() -> None:
    report = digits(slices=[])
    assert cells(report, "agreement, kappa")[:2] == ["not measured", "0.9725 (0.9592 to 0.9844)"]
    report.row("student")["metrics"]["agreement_kappa"]["mean"] = float("nan")
    report.row("control")["metrics"]["agreement_kappa"] = None
    assert cells(report, "agreement, kappa")[:3] == ["not measured"] * 3
    assert Page(report.to_html()).texts.count("not measured") == 3 + 2


def test_a_size_nobody_measured_is_said_not_to_be_measured() -> None:
    report = digits()
    del report.document["rows"][1]["operations"]
    assert cells(report, "operations")[:3] == ["1.20 million", "not measured", "2,220"]
    assert "times fewer multiply-adds" not in report.to_markdown()


def test_a_mean_over_seeds_is_called_one() -> None:
    assert "599 test examples of digits test, mean of 5 seeds" in str(digits())
    assert "mean of" not in str(digits(seeds=[0]))


def test_the_student_is_compared_with_the_teacher_in_words() -> None:
    sentence = (
        "- Against the teacher, the student has 15 times fewer parameters, 15 times fewer bytes, "
        "542 times fewer multiply-adds, 20 times lower latency and 39 times the throughput."
    )
    report = digits()
    assert sentence in report.to_markdown()
    report.document["rows"][1]["parameters"] = 33898
    assert "Against the teacher, the student has as many parameters.</p>" in report.to_html()


def test_a_student_that_is_slower_or_larger_is_called_so() -> None:
    report = digits()
    teacher, student = report.document["rows"][:2]
    student["throughput_per_second"] = teacher["throughput_per_second"] / 3.05
    student["latency_ms"] = {"p50": teacher["latency_ms"]["p50"] * 2, "p95": 1.0}
    student["bytes"] = teacher["bytes"] * 12.34
    page = report.to_markdown()
    assert "12 times more bytes" in page
    assert "2 times higher latency and 1/3.05 of the throughput." in page


def test_a_teacher_that_is_small_but_costly_is_called_so() -> None:
    report = digits()
    report.document["rows"][0]["parameters"] = 2000
    sentence = (
        "The teacher has fewer parameters than the student (2,000 against 2,260) but does more "
        "operations for each example (1.20 million against 2,220): it is small to store and costly"
    )
    assert f"- {sentence} to run." in report.to_markdown()
    assert f"<li>{sentence} to run.</li>" in report.to_html()
    report.document["rows"][0]["operations"] = 2000
    assert "costly to run" not in report.to_markdown()


def test_notes_requirements_slices_and_provenance_are_all_told() -> None:
    text = digits().to_markdown()
    assert "Requirement agreement>=0.95 is met: at least 0.963 of 599 examples." in text
    assert "Requirement accuracy>=teacher-0.01 is NOT MET: as low as teacher - 0.0256." in text
    assert "| writer: left-handed  | 97.70 (94.30 to 100.00) |" in text
    assert "- command: limbeck run recipes/digits.toml" in text
    page = " ".join(" ".join(Page(digits().to_html()).texts).split())
    assert "control: stopped early on 100 held-out labels" in page
    assert "✗ not met accuracy>=teacher-0.01" in page
    assert "writer: left-handed 97.70 94.30 to 100.00" in page
    assert "command limbeck run recipes/digits.toml" in page


def test_the_terminal_gets_the_summary_alone() -> None:
    assert digits().to_markdown().removeprefix(str(digits())).startswith("\n\n## Slices")


def test_a_metric_of_your_own_is_shown_as_it_is() -> None:
    report = digits()
    report.row("student")["metrics"]["cost"] = {"mean": 1234.5, "low": 900, "high": 1500, "n": 9}
    assert cells(report, "cost")[1:] == ["1,234.5 (900.0 to 1,500.0)", "not measured", "9"]


def test_slices_without_labels_show_agreement() -> None:
    report = digits()
    for row in (row for part in report.document["slices"] for row in part["rows"]):
        row["metrics"] = {"kl_nats": {"mean": 1}, "agreement": row["metrics"]["accuracy"]}
    assert "## Slices: agreement with reference, %" in report.to_markdown()
    assert cells(report, "writer: right-handed")[0] == "98.80 (97.80 to 99.60)"


@settings(max_examples=40)
@given(NAMES)
def test_every_line_of_a_markdown_table_has_the_same_cells(name: str) -> None:
    table = [x for x in renamed(name).to_markdown().splitlines() if x.startswith("| ")]
    assert {len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) for line in table} == {6}


@settings(max_examples=15)
@given(NAMES)
@pytest.mark.slow
def test_a_name_is_text_and_never_an_element(name: str) -> None:
    page, plain = Page(renamed(name).to_html()), Page(renamed("x").to_html())
    assert [(e, list(a)) for e, a in page.elements] == [(e, list(a)) for e, a in plain.elements]
    assert page.texts.count(name) >= 4


def test_markup_in_names_is_shown_as_it_was_written() -> None:
    assert "&lt;b&gt;*x*&lt;/b&gt;" in renamed("<b>*x*</b>").to_html()
    assert str(renamed("<b>*x*</b>")).startswith(r"# \<b>\*x\*\</b>" + "\n")


def test_the_page_needs_nothing_but_itself() -> None:
    page = Page(digits().to_html())
    assert not {"script", "link", "img", "iframe", "object"} & {tag for tag, _ in page.elements}
    assert not any({"src", "href", "onclick"} & set(a) for _, a in page.elements)
    assert not re.search(r"url\(|@import|http:|https:", digits().to_html())
    assert {"http-equiv": "Content-Security-Policy"}.items() <= page.all("meta")[2].items()


def test_the_page_is_made_for_phones_paper_and_the_dark() -> None:
    for mark in ("width=device-width", "@media print", "prefers-color-scheme: dark"):
        assert mark in digits().to_html()


def test_every_colour_of_text_can_be_read_in_both_lights() -> None:
    bright, dark, *_ = digits().to_html().split(":root {")[1:]
    for css in (bright, dark):
        shades = dict(re.findall(r"--(\w+): #([0-9a-f]{3,6});", css))
        for ink in ("ink", "soft", "yes", "no", "undecided"):
            for ground in ("paper", "card"):
                assert contrast(shades[ink], shades[ground]) >= 4.5, (ink, ground)
        for drawn in ("teacher", "student", "control", "other"):
            assert contrast(shades[drawn], shades["card"]) >= 3, drawn


def test_every_drawing_has_a_title_and_its_numbers_in_words() -> None:
    page, drawn = Page(digits().to_html()), figures(digits())
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids)) == 2 * len(drawn) == 18
    for figure in drawn.values():
        named = figure.get("aria-labelledby", "").split()
        assert named == [e.get("id") for e in figure.findall("title") + figure.findall("desc")]
    assert "student: 97.09 (95.73 to 98.30)." in str(drawn["accuracy, %"].findtext("desc"))


def test_every_heading_of_a_table_says_what_it_heads() -> None:
    assert {th.get("scope") for th in Page(digits().to_html()).all("th")} == {"col", "row"}


def test_dots_and_intervals_lie_where_their_numbers_are() -> None:
    figure = figures(digits())["accuracy, %"]
    centres = [position(figure, model, "cx") for model in ("teacher", "student", "control")]
    left, right = lines(figure, "reach")[1]
    scale = (right - left) / (98.297 - 95.726)
    assert centres[1] - left == pytest.approx((97.095 - 95.726) * scale, abs=0.2)
    assert centres[0] - centres[2] == pytest.approx((98.664 - 96.678) * scale, abs=0.2)


def test_the_difference_stands_against_zero_and_the_margin() -> None:
    figure = figures(digits())["paired difference in accuracy, points"]
    zero, margin = lines(figure, "zero")[0][0], lines(figure, "margin")[0][0]
    control, teacher = lines(figure, "reach")
    assert zero < control[0] < control[1]
    assert teacher[0] < margin < teacher[1] < zero


def test_twice_the_length_is_twice_the_number() -> None:
    figure = figures(digits())["parameters"]
    teacher, student = (position(figure, model, "width") for model in ("teacher", "student"))
    assert teacher / student == pytest.approx(33898 / 2260, rel=0.01)


def test_a_report_comes_back_from_disk_as_it_was(tmp_path: Path) -> None:
    digits().write(tmp_path / "report")
    assert Report.read(tmp_path / "report") == digits()
    assert Report.read(str(tmp_path / "report" / "report.json")) == digits()
    assert (tmp_path / "report" / "report.md").read_text() == digits().to_markdown()
    assert (tmp_path / "report" / "report.html").read_text() == digits().to_html()


def test_a_report_that_json_cannot_hold_leaves_no_report_json(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        digits(extra=float("nan")).write(tmp_path)
    assert not (tmp_path / "report.json").exists()


def test_a_report_of_almost_nothing_can_be_read_and_shown(tmp_path: Path) -> None:
    Report(BARE).write(tmp_path)
    assert "Undecided: there are no labels." in Report.read(tmp_path).to_markdown()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": 2}, "has format 2; this Limbeck reads 1"),
        ({"rows": None}, "is no report: it has no 'rows' that is a list"),
        ({"examples": {"name": "x"}}, "is no report: its 'examples' lack a name or the count 'n'"),
        ({"rows": [{"name": "x"}]}, "is no report: row 0 lacks a name or metrics"),
        (
            {"verdict": {"answer": "maybe"}},
            "the answer of 'verdict' is 'maybe', not one of yes, no",
        ),
    ],
)
def test_a_file_that_is_no_report_is_refused(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    (tmp_path / "report.json").write_text(json.dumps({**BARE, **changes}))
    with pytest.raises(CorruptError, match=re.escape(message)):
        Report.read(tmp_path)


def test_a_directory_without_a_report_is_said_to_have_none(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match=r"there is no .*report\.json"):
        Report.read(tmp_path)


def test_a_row_is_found_by_name_or_the_names_are_listed() -> None:
    assert digits().row("student")["parameters"] == 2260
    with pytest.raises(InputError, match="no row 'studnet'; it has teacher, student, control"):
        digits().row("studnet")


def test_a_notebook_gets_the_page_in_a_frame_of_its_own() -> None:
    (frame,) = Page(digits()._repr_html_()).all("iframe")
    assert (frame["srcdoc"], frame["sandbox"]) == (digits().to_html(), "")
