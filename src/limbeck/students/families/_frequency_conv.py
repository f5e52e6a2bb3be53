"""A net for frames of speech: one convolution over the mel bands, a max-pool, dense layers."""

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from limbeck.errors import ExamplesError, InputError
from limbeck.runtime import text_of
from limbeck.students._student import Student, start

KINDS = 3  # the bands and the energy, their first differences, their second ones


class Bands(nn.Module):
    """Frames `(batch, numbers, time)` as maps over the bands, and what has no place among them.

    The numbers are, three times over, the bands from low to high and the energy, as
    `limbeck.speech.FilterBanks` makes them.
    """

    def __init__(self, convolution: nn.Module) -> None:
        super().__init__()
        self.convolution = convolution

    def forward(self, frames: Tensor) -> Tensor:
        """The convolution's maps, and beside them the energies; `(batch, features)`."""
        numbers, time = frames.shape[1:]
        kinds = frames.reshape(-1, KINDS, numbers // KINDS, time)
        bands = kinds[:, :, :-1].transpose(2, 3).flatten(1, 2)
        maps = self.convolution(bands)
        return torch.cat([maps.flatten(1), kinds[:, :, -1].flatten(1)], dim=1)


@dataclass(frozen=True)
class FrequencyConv(Student):
    """A convolution along frequency over all frames of a window, a max-pool, ReLU, dense layers.

    c-p-2000-2000-2000 of Ba & Caruana 2014, table 1, after Abdel-Hamid et al. 2014 (full weight
    sharing): a filter sees so many neighbouring bands, of all frames at once, and the pool makes
    the next layer insensitive to small shifts of a voice's formants. Energies go past it.

    Attributes:
        channels: the filters.
        hidden: the units of each dense layer.
        width: the bands that a filter sees.
        pool: the neighbouring places of which the largest is kept.
        dropout: after each dense layer.
    """

    channels: int = 0
    hidden: tuple[int, ...] = ()
    width: int = 8
    pool: int = 3
    dropout: float = 0.0

    def __post_init__(self) -> None:
        if min(self.channels, self.width, self.pool, *self.hidden) < 1:
            raise InputError(
                "frequency_conv has 1 channel, band, place and hidden unit or more; got "
                f"{self.channels}, {self.width}, {self.pool} and {list(self.hidden)}"
            )
        if not 0 <= self.dropout < 1:
            raise InputError(f"dropout lies between 0 and 1, not {self.dropout}")

    @property
    def text(self) -> str:
        """The call that describes this student again."""
        return text_of("frequency_conv", self)

    def _body(self) -> nn.Module:
        bands = self._bands()
        convolution = start(nn.Conv1d(KINDS * self.inputs[1], self.channels, self.width))
        pooled = (bands - self.width + 1) // self.pool
        features = pooled * self.channels + KINDS * self.inputs[1]
        maps = nn.Sequential(convolution, nn.MaxPool1d(self.pool), nn.ReLU())
        layers: list[nn.Module] = [Bands(maps)]
        for before, units in pairwise((features, *self.hidden)):
            layers += [start(nn.Linear(before, units)), nn.ReLU()]
            if self.dropout:
                layers.append(nn.Dropout(self.dropout))
        last = self.hidden[-1] if self.hidden else features
        return nn.Sequential(*layers, start(nn.Linear(last, self.outputs), gain=1.0))

    def _bands(self) -> int:
        bands = self.inputs[0] // KINDS - 1 if len(self.inputs) == 2 else 0
        is_frames = bands > 0 and self.inputs[0] == KINDS * (bands + 1)
        if not is_frames or bands < self.width + self.pool - 1:
            raise ExamplesError(
                f"frequency_conv takes frames (3 x (bands + 1), time) of at least "
                f"{self.width + self.pool - 1} bands; inputs have shape {self.inputs}"
            )
        return bands


def frequency_conv(
    channels: int,
    hidden: list[int] | tuple[int, ...] = (),
    *,
    width: int = 8,
    pool: int = 3,
    dropout: float = 0.0,
    inputs: list[int] | tuple[int, ...] = (),
    outputs: int = 0,
) -> FrequencyConv:
    """A convolution of so many channels over the bands of speech, a max-pool, dense layers."""
    return FrequencyConv(
        channels, tuple(hidden), width, pool, dropout, inputs=tuple(inputs), outputs=outputs
    )
