"""The command that exports a model."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from limbeck.cli._options import ExamplesText, Json, Tolerance, Trust
from limbeck.cli._output import say


def export(
    *,
    run: Annotated[Path, Parameter(help="The directory of the student's run.")],
    to: Annotated[Path, Parameter(help="A file ending in .onnx or .safetensors.")],
    check: ExamplesText,
    tolerance: Tolerance = 1e-3,
    absorb: Annotated[bool, Parameter(help="Multiply out a bottleneck.", negative="")] = False,
    report: Annotated[Path | None, Parameter(help="A report, for the card.")] = None,
    trust: Trust = False,
    json: Json = False,
) -> int:
    """Write the student to a file, and verify that the file gives the same predictions."""
    import limbeck
    from limbeck.recipes import load_run

    exported = limbeck.export(
        load_run(run, trust=trust),
        to=to,
        check=limbeck.read(check),
        tolerance=tolerance,
        absorb=absorb,
        report=limbeck.Report.read(report) if report else None,
    )
    words = (
        f"{exported.path}: held against the student on {exported.n} examples, largest difference "
        f"of a score {exported.largest_difference:.2g}, same class on {exported.agreement:.2%}"
    )
    return say({**asdict(exported), "path": str(exported.path)}, words, json)
