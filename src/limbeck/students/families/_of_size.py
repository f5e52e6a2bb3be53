"""Students of a family that have a given number of parameters."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from limbeck.errors import InputError
from limbeck.runtime import did_you_mean, text_of
from limbeck.students._student import Student, flat, parameters
from limbeck.students.families._conv_pool import ConvPool
from limbeck.students.families._mlp import Mlp, Shallow
from limbeck.students.families._shallow_conv import ShallowConv

WITHIN = 0.01  # of the budget


@dataclass(frozen=True)
class Family:
    """Nets of one kind and depth.

    Attributes:
        proportions: of the widths to each other, from first to last.
        describe: input shape and widths to the student.
    """

    proportions: tuple[int, ...]
    describe: Callable[[tuple[int, ...], tuple[int, ...]], Student]

    def of(self, shape: tuple[int, ...], outputs: int, scale: int, last: int) -> Student:
        """The student of that scale, whose last width is given."""
        widths = (*(scale * part for part in self.proportions[:-1]), last)
        return self.describe(shape, widths).sized(shape, outputs)

    def within(self, shape: tuple[int, ...], outputs: int, budget: int) -> tuple[Student, Student]:
        """The largest student of at most so many parameters, and the next larger one.

        Where even the smallest has more, both are the smallest.
        """

        def fits(scale: int, last: int) -> bool:
            return parameters(self.of(shape, outputs, scale, last)) <= budget

        scale = max(1, _largest(lambda scale: fits(scale, scale * self.proportions[-1])))
        last = _largest(lambda last: fits(scale, last))
        below = self.of(shape, outputs, scale, max(last, 1))
        return below, self.of(shape, outputs, scale, last + 1)


def _largest(fits: Callable[[int], bool]) -> int:
    """The largest number from 0 that fits, where all below it do."""
    too_many = 1
    while fits(too_many):
        too_many *= 2
    fitting = too_many // 2
    while too_many - fitting > 1:
        middle = (fitting + too_many) // 2
        fitting, too_many = (middle, too_many) if fits(middle) else (fitting, middle)
    return fitting


def _mlp(shape: tuple[int, ...], widths: tuple[int, ...]) -> Student:
    return Mlp(widths)


def _shallow(shape: tuple[int, ...], widths: tuple[int, ...]) -> Student:
    bottleneck, hidden = widths
    return Shallow(hidden, min(bottleneck, flat(shape)))


def _shallow_conv(shape: tuple[int, ...], widths: tuple[int, ...]) -> Student:
    channels, bottleneck, hidden = widths
    return ShallowConv(hidden, bottleneck, channels)


def _conv_pool(shape: tuple[int, ...], widths: tuple[int, ...]) -> Student:
    return ConvPool(widths[:-1], widths[-1])


FAMILIES: dict[str, Family] = {
    "mlp1": Family((1, 25), _shallow),
    "mlp2": Family((1, 1), _mlp),
    "mlp3": Family((1, 1, 1), _mlp),
    "mlp4": Family((1, 1, 1, 1), _mlp),
    "mlp5": Family((1, 1, 1, 1, 1), _mlp),
    "conv1": Family((1, 4, 200), _shallow_conv),
    "conv2": Family((1, 2, 8), _conv_pool),
    "conv3": Family((1, 2, 4, 8), _conv_pool),
    "conv4": Family((1, 2, 4, 8, 8), _conv_pool),
}


@dataclass(frozen=True)
class OfSize(Student):
    """A student of a family and a number of parameters: its widths follow when it is sized.

    It is never built itself: `sized` gives the student that is, an `Mlp` or a `ShallowConv`.
    """

    family: str = ""
    parameters: int = 0

    def __post_init__(self) -> None:
        if self.family not in FAMILIES:
            hint = did_you_mean(self.family, FAMILIES)
            raise InputError(f"there is no family of students {self.family!r}; {hint}")
        if self.parameters < 1:
            raise InputError(f"of_size takes 1 parameter or more, not {self.parameters}")

    @property
    def text(self) -> str:
        """The call that describes this student again."""
        return text_of("of_size", self)

    # What it gives is of its family's own class, not of this one.
    def sized(self, inputs: tuple[int, ...], outputs: int) -> Student:  # type: ignore[override]  # see above
        """The student of the family for inputs of this shape that has so many parameters.

        Raises:
            InputError: no width of the family comes within 1 % of the budget.
            ExamplesError: the family does not take inputs of this shape.
        """
        family = FAMILIES[self.family]
        below, above = family.within(tuple(inputs), outputs, self.parameters)
        size, next_larger = parameters(below), parameters(above)
        if size <= self.parameters and self.parameters - size <= WITHIN * self.parameters:
            return below
        what = f"no {self.family} from inputs of shape {tuple(inputs)} to {outputs} classes has"
        if size > self.parameters:
            raise InputError(
                f"{what} {self.parameters:,} parameters or fewer: the smallest has {size:,}"
            )
        raise InputError(
            f"{what} {self.parameters:,} parameters, or at most 1 % fewer: the nearest have "
            f"{size:,} and {next_larger:,}"
        )

    def _body(self) -> nn.Module:
        raise AssertionError("only what `sized` gives is built")


def of_size(
    family: str,
    parameters: int,
    *,
    inputs: list[int] | tuple[int, ...] = (),
    outputs: int = 0,
) -> Student:
    """The student of a family that has so many parameters, or up to 1 % fewer.

    The widths of a family keep their proportions, as large as the budget allows; then the last
    hidden layer takes what is left.

    - "mlp1" is `shallow` with bottleneck to hidden layer as 1 to 25 (the papers' 1200L-30k), the
      bottleneck no wider than the inputs; "mlp2" to "mlp5" are `mlp` with layers of equal width.
    - "conv1" is `shallow_conv`, channels to bottleneck to hidden layer as 1 to 4 to 200. The
      bottleneck stands on maps of 15x15 (of 32x32 images) and costs most: 225 parameters for
      each of its units and each channel, about half of the budget.
    - "conv2" to "conv4" are `conv_pool` whose channels double from layer to layer, with a hidden
      layer 8 times as wide as the first convolution.

    These are the families of Urban et al. 2017, table 1, arXiv:1603.05691, who searched for the
    widths of each. Without `inputs` and `outputs` the student waits for `sized`, as in a recipe.

    Raises:
        InputError: there is no such family, or no width of it comes within 1 % of the budget.
    """
    waiting = OfSize(family, parameters)
    return waiting.sized(tuple(inputs), outputs) if inputs and outputs else waiting
