"""Log mel filter banks of a recording and their differences in time: 123 numbers every 10 ms."""

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from limbeck.errors import ExamplesError, InputError
from limbeck.examples import Array
from limbeck.runtime import needs
from limbeck.speech._utterance import Utterance

WINDOW_MS, HOP_MS = 25, 10
REACH = 2  # frames on either side over which a difference is taken
STEPS = 2**15  # of a 16-bit sample from 0 to 1: Kaldi reckons in these


@dataclass(frozen=True)
class FilterBanks:
    """How sound becomes frames: every 10 ms what a Hamming window of 25 ms holds.

    A frame is the natural logarithms of `bands` mel filter banks, from low to high, and of the
    energy, of samples as 16-bit numbers; then their first differences in time, then their second
    ones. kaldi-native-fbank computes them as Kaldi does: the mean of each window is taken off,
    pre-emphasis is 0.97, the bands are triangles on the mel scale from 20 Hz to half the rate. A
    difference is the slope over two frames on either side, the first and the last frame repeated.

    Attributes:
        bands: filter banks.
        dither: the deviation of the noise added to the samples, in steps of 16 bits; the same
            noise whenever the samples are the same. Without it the frames of digital silence are
            all alike, and so no frames of two sets could be told apart; 0 for none.
    """

    bands: int = 40
    dither: float = 1.0

    def __post_init__(self) -> None:
        if self.bands < 1 or not 0 <= self.dither < float("inf"):
            raise InputError(
                f"filter banks have 1 band or more and a dither of 0 (none) or more; got "
                f"{self.bands} and {self.dither}"
            )

    @property
    def numbers(self) -> int:
        """How many a frame has: 123 for 40 bands."""
        return 3 * (self.bands + 1)

    def count(self, utterance: Utterance) -> int:
        """How many frames are within the recording.

        Raises:
            ExamplesError: not one is.
        """
        window, hop = _samples(utterance.rate)
        if len(utterance.samples) < window:
            raise ExamplesError(
                f"{utterance.key} has {len(utterance.samples)} samples, less than the {window} of "
                f"one window of {WINDOW_MS} ms"
            )
        return 1 + (len(utterance.samples) - window) // hop

    def centers(self, utterance: Utterance) -> Array:
        """The sample in the middle of each frame, int64 `(frames,)`; its phone is the frame's."""
        window, hop = _samples(utterance.rate)
        return np.arange(self.count(utterance)) * hop + window // 2

    def of(self, utterance: Utterance) -> Array:
        """The frames of a recording, float32 `(frames, numbers)`.

        Raises:
            ExamplesError: it is shorter than a window.
            InputError: there are too many bands for its rate.
            NeedsPackageError: kaldi-native-fbank is not installed.
        """
        count = self.count(utterance)
        computer = needs("kaldi_native_fbank").OnlineFbank(self._options(utterance.rate))
        computer.accept_waveform(utterance.rate, self._dithered(utterance.samples).tolist())
        frames = np.stack([computer.get_frame(number) for number in range(count)])
        first = differences(frames)
        return np.concatenate([frames, first, differences(first)], axis=1)

    def _options(self, rate: int) -> Any:
        library = needs("kaldi_native_fbank")
        options = library.FbankOptions()
        options.frame_opts.samp_freq = rate
        options.frame_opts.frame_length_ms, options.frame_opts.frame_shift_ms = WINDOW_MS, HOP_MS
        options.frame_opts.window_type = "hamming"
        options.frame_opts.dither = 0  # the library's noise is another in every process
        options.mel_opts.num_bins = self.bands
        options.use_energy, options.energy_floor = True, 0
        options.htk_compat = True  # the energy comes last
        try:
            library.OnlineFbank(options)
        except ValueError as error:
            raise InputError(
                f"{self.bands} bands are too many for {rate} samples a second: some would hold no "
                "frequency"
            ) from error
        return options

    def _dithered(self, samples: Array) -> Array:
        steps: Array = samples * np.float32(STEPS)
        if not self.dither:
            return steps
        content = hashlib.blake2b(np.ascontiguousarray(samples).tobytes(), digest_size=8).digest()
        noise = np.random.default_rng(int.from_bytes(content)).standard_normal(
            len(samples), np.float32
        )
        noisy: Array = steps + np.float32(self.dither) * noise
        return noisy


def differences(frames: Array) -> Array:
    """The slope of each number in time, by least squares over two frames on either side.

    `(frames, numbers)` gives the same shape; the first and the last frame are repeated.
    """
    padded = np.pad(frames, ((REACH, REACH), (0, 0)), mode="edge")
    moved = {k: padded[REACH + k : REACH + k + len(frames)] for k in range(-REACH, REACH + 1)}
    steps = range(1, REACH + 1)
    slope = sum(k * (moved[k] - moved[-k]) for k in steps) / (2 * sum(k * k for k in steps))
    return np.asarray(slope, frames.dtype)


def _samples(rate: int) -> tuple[int, int]:
    """A window and a hop in samples."""
    return rate * WINDOW_MS // 1000, rate * HOP_MS // 1000
