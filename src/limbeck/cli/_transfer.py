"""The options that say what a student learns from: stored scores, a live teacher, or labels."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

if TYPE_CHECKING:
    from limbeck import Examples, ScoreSet, TransferSet

from limbeck.cli._options import AcceptTeacher, ExamplesText, MeanText, ViewsText
from limbeck.errors import InputError


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Transfer:
    """What a student learns from."""

    scores: Annotated[Path | None, Parameter(help="A score set's directory.")] = None
    examples: ExamplesText = ""
    teacher: Annotated[
        list[str] | None,
        Parameter(
            help="With --examples: asked about every batch, nothing stored; named as in `score`.",
            negative="",
        ),
    ] = None
    mean: MeanText = ""
    labelled: ExamplesText = ""
    views: ViewsText = ""
    count: Annotated[int, Parameter(help="Views of each example; 0: a new one an epoch.")] = 0
    accept_teacher: AcceptTeacher = False

    @property
    def is_taught(self) -> bool:
        """Whether there is a teacher, in a store or in person."""
        return self.scores is not None or bool(self.teacher)

    def opened(self, *, trust: bool) -> "TransferSet | ScoreSet":
        """The transfer set, or the score set, that the options describe."""
        import limbeck
        from limbeck.training import FRESH

        if self.scores is not None:
            return self._stored(self.scores, trust=trust)
        if not self.examples:
            raise InputError("training needs --scores, or --examples with labels or a --teacher")
        view, count = (
            limbeck.views.from_text(self.views or "plain", trust=trust),
            self.count or FRESH,
        )
        examples = limbeck.read(self.examples)
        if self.teacher:
            return self._live(examples, trust=trust)
        return limbeck.TransferSet(examples, view, count)

    def _stored(self, directory: Path, *, trust: bool) -> "ScoreSet":
        import limbeck
        from limbeck.recipes import load_scores

        if self.views or self.count:
            raise InputError("--views and --count go with --examples; a score set knows its own")
        if self.teacher:
            raise InputError("--teacher goes with --examples; a score set has had its teacher")
        examples = limbeck.read(self.examples) if self.examples else None
        return load_scores(directory, examples, trust=trust)

    def _live(self, examples: "Examples", *, trust: bool) -> "TransferSet":
        import limbeck
        from limbeck.teachers import open_teachers
        from limbeck.training import FRESH

        return limbeck.live(
            open_teachers(self.teacher or [], examples, mean=self.mean, trust=trust),
            examples,
            views=limbeck.views.from_text(self.views or "plain", trust=trust),
            count=self.count or FRESH,
            labelled=limbeck.read(self.labelled) if self.labelled else None,
            accept_teacher=self.accept_teacher,
        )

    @property
    def apart(self) -> "Examples | None":
        """Labelled examples beside a score set; a live transfer set has them in it."""
        import limbeck

        return limbeck.read(self.labelled) if self.labelled and not self.teacher else None
