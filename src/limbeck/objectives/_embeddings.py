"""MatchEmbeddings: the direction of a teacher's embedding."""

from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

from torch import Tensor

from limbeck.errors import InputError
from limbeck.examples import Batch
from limbeck.objectives import losses
from limbeck.objectives._objective import Objective
from limbeck.objectives._reductions import listed, over_scored
from limbeck.scores import Kind

EmbeddingForm = Literal["cosine", "l2"]


@dataclass(frozen=True)
class MatchEmbeddings(Objective):
    """Embeddings alike: `1/batch sum (1 - cos(g, z))`, or "l2", `1/(2 batch) sum ||g - z||^2`.

    By "cosine" only directions count, and the student's vectors may have any length; by "l2" they
    are matched as they are. Normalise the teacher's first if lengths mean nothing.
    """

    form: EmbeddingForm | str = "cosine"
    kinds: ClassVar[tuple[Kind, ...]] = ("embeddings",)
    needs_scores = True
    needs_labels = False

    def __post_init__(self) -> None:
        if self.form not in get_args(EmbeddingForm):
            forms = listed(get_args(EmbeddingForm))
            raise InputError(f"MatchEmbeddings has no form {self.form!r}; known are {forms}")

    def __call__(self, output: Tensor, batch: Batch) -> dict[str, Tensor]:
        """`{"embeddings": ...}`.

        Raises:
            InputError: a vector of the teacher's is 0 and has no direction.
        """
        if self.form == "l2":
            return {"embeddings": over_scored(losses.logits(output, batch.scores), batch)}
        _check_directions(batch)
        return {"embeddings": over_scored(losses.cosine_distance(output, batch.scores), batch)}


def _check_directions(batch: Batch) -> None:
    has_none = (batch.scores == 0).all(dim=1) & batch.is_scored
    if has_none.any():
        key = str(batch.keys[has_none.cpu().numpy()][0])
        raise InputError(
            f"the teacher's embedding of example {key!r} is 0 in every column, and has no "
            "direction to match by cosine: leave the example out, or take MatchEmbeddings('l2')"
        )
