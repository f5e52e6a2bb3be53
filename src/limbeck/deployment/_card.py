"""The card of an exported file: what it is, what it takes, and how it was checked."""

from limbeck.deployment._exported import Exported
from limbeck.evaluation import Report, escape
from limbeck.examples import Examples
from limbeck.runtime import printable
from limbeck.students import Run, Student


def card(run: Run, exported: Exported, check: Examples, report: Report | None) -> str:
    origin = run.record
    lines = [
        f"# {escape(exported.path.name)}",
        "",
        f"A student made by Limbeck: {_code(origin.student)}, seed {run.shipped}.",
        "",
        _takes(run.student),
        f"- Answers with {run.kind} `(batch, {len(run.classes)})`{_of_what(run)}.",
        f"- Trained with {_code(origin.objective)} on {escape(origin.examples['name'])} "
        f"({origin.examples['n']} examples), view {_code(origin.view)}.",
        f"- Held against the student on {exported.n} examples of {escape(check.name)}: largest "
        f"difference of a score {exported.largest_difference:.2g}"
        + _same(run.kind).format(exported.agreement),
        f"- Made by Limbeck {origin.provenance['limbeck']}, commit "
        f"{origin.provenance['commit'] or 'unknown'}, on {origin.provenance['machine']}.",
    ]
    lines += [f"- Note: {escape(note)}." for note in run.notes]
    if report is not None:
        lines += ["", report.to_markdown()]
    return "\n".join(lines) + "\n"


def _code(text: str) -> str:
    """Text between backticks, on one line and without any of its own."""
    plain = printable(" ".join(text.replace("`", "'").split()))
    return f"`{plain}`"


def _of_what(run: Run) -> str:
    return f" of {', '.join(map(escape, run.classes))}" if run.kind != "embeddings" else ""


def _same(kind: str) -> str:
    if kind == "independent-logits":
        return ", yes in the same columns on {:.2%}."
    return ", same class on {:.2%}." if kind == "logits" else "."


def _takes(student: Student) -> str:
    if student.reads_text:
        return (
            "- Takes texts as their UTF-8 bytes, uint8 `(batch, longest)` with 0 after the end; "
            "words are found inside."
        )
    inputs = ", ".join(str(side) for side in student.inputs)
    return f"- Takes raw inputs, float32 `(batch, {inputs})`; the encoding is inside."
