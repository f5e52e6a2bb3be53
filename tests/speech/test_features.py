"""Filter banks are those of a slow obvious version and of librosa; differences are slopes."""

import sys
from dataclasses import replace

import numpy as np
import pytest
import recordings

from limbeck.errors import ExamplesError, InputError, NeedsPackageError
from limbeck.speech import FilterBanks, differences

pytest.importorskip("kaldi_native_fbank", reason="needs limbeck[speech]")

EXACT = FilterBanks(dither=0)


def mel(hertz: np.ndarray | float) -> np.ndarray:
    return 1127 * np.log(1 + np.asarray(hertz) / 700)


def slow_banks(samples: np.ndarray, rate: int, bands: int = 40) -> np.ndarray:
    """Filter banks and energy of each window, as written in the books."""
    window, hop = rate // 40, rate // 100
    size = 1 << (window - 1).bit_length()
    edges = np.linspace(mel(20), mel(rate / 2), bands + 2)
    place = mel(np.arange(size // 2) * rate / size)
    rise = (place - edges[:-2, None]) / np.diff(edges)[:-1, None]
    fall = (edges[2:, None] - place) / np.diff(edges)[1:, None]
    weights = np.maximum(0, np.minimum(rise, fall))
    rows = []
    for first in range(0, len(samples) - window + 1, hop):
        part = 2**15 * samples[first : first + window].astype(np.float64)
        part = part - part.mean()
        before = np.concatenate([part[:1], part[:-1]])
        power = np.abs(np.fft.rfft((part - 0.97 * before) * np.hamming(window), size)[:-1]) ** 2
        rows.append([*np.log(weights @ power), np.log((part**2).sum())])
    return np.array(rows)


def slow_differences(frames: np.ndarray) -> np.ndarray:
    made, last = np.empty_like(frames), len(frames) - 1
    for t in range(len(frames)):
        near = [frames[min(max(t + k, 0), last)] for k in range(-2, 3)]
        made[t] = ((near[3] - near[1]) + 2 * (near[4] - near[0])) / 10
    return made


@pytest.mark.parametrize("rate", [8000, 16_000])
def test_the_filter_banks_are_those_of_the_slow_version(rate: int) -> None:
    one = recordings.spoken(rate // 2, rate=rate)
    np.testing.assert_allclose(
        EXACT.of(one)[:, :41], slow_banks(one.samples, rate), rtol=0, atol=1e-3
    )


@pytest.mark.slow
def test_the_filter_banks_are_nearly_those_of_librosa() -> None:
    # librosa takes no mean off, filters the whole recording, and its triangles are straight in
    # hertz, not in mel: alike, not equal.
    library = pytest.importorskip("librosa", reason="needs limbeck[dev]")
    one = recordings.spoken(16_000)
    noise = np.random.default_rng(1).normal(0, 0.05, 16_000) * np.linspace(0.1, 1, 16_000)
    one = replace(one, samples=(one.samples + noise).astype(np.float32))
    sharp = one.samples - 0.97 * np.concatenate([one.samples[:1], one.samples[:-1]])
    centred = np.pad(sharp, 56)  # windows of 400 within 512
    theirs = library.feature.melspectrogram(
        y=centred,
        sr=16_000,
        n_fft=512,
        hop_length=160,
        win_length=400,
        window="hamming",
        center=False,
        n_mels=40,
        fmin=20,
        htk=True,
        norm=None,
    )
    ours = EXACT.of(one)[:, :40]
    logs = np.log(theirs.T[: len(ours)]) + 2 * np.log(2**15)
    assert np.median(np.abs(logs - ours)) < 0.05
    assert np.corrcoef(logs.ravel(), ours.ravel())[0, 1] > 0.99


def test_a_frame_is_banks_and_energy_then_first_and_second_differences() -> None:
    frames = EXACT.of(recordings.spoken())
    assert frames.shape == (23, 123)
    assert frames.dtype == np.float32
    assert EXACT.numbers == 123
    np.testing.assert_allclose(frames[:, 41:82], slow_differences(frames[:, :41]), atol=1e-5)
    np.testing.assert_allclose(frames[:, 82:], slow_differences(frames[:, 41:82]), atol=1e-5)


def test_the_difference_of_a_straight_line_is_its_slope() -> None:
    line = np.arange(10.0)[:, None] * [[3.0, -1.0]]
    np.testing.assert_allclose(differences(line)[2:-2], [[3.0, -1.0]] * 6)
    np.testing.assert_array_equal(differences(np.ones((4, 3))), np.zeros((4, 3)))


def test_a_single_frame_has_no_differences() -> None:
    frames = EXACT.of(recordings.spoken(400))
    assert frames.shape == (1, 123)
    assert not frames[:, 41:].any()


@pytest.mark.parametrize(("samples", "frames"), [(400, 1), (559, 1), (560, 2), (16_000, 98)])
def test_frames_are_as_many_as_whole_windows(samples: int, frames: int) -> None:
    one = recordings.spoken(samples)
    assert EXACT.count(one) == len(EXACT.of(one)) == frames
    np.testing.assert_array_equal(EXACT.centers(one), 200 + 160 * np.arange(frames))


def test_a_louder_recording_differs_in_level_alone() -> None:
    one = recordings.spoken()
    louder = replace(one, samples=one.samples * 2)
    moved = EXACT.of(louder) - EXACT.of(one)
    np.testing.assert_allclose(moved[:, :41], np.log(4), atol=1e-3)
    np.testing.assert_allclose(moved[:, 41:], 0, atol=1e-3)


def test_dither_is_the_same_for_the_same_samples_and_too_faint_to_hear() -> None:
    one = recordings.spoken(seed=3)
    np.testing.assert_array_equal(
        FilterBanks().of(one), FilterBanks().of(replace(one, key="other"))
    )
    assert 0 < np.abs(FilterBanks().of(one) - EXACT.of(one))[:, :41].max() < 0.5


def test_with_dither_no_two_frames_of_digital_silence_are_alike() -> None:
    one = recordings.spoken()
    samples = one.samples.copy()
    samples[:2000] = 0
    quiet = replace(one, samples=samples)
    assert (EXACT.of(quiet)[0, :41] == EXACT.of(quiet)[5, :41]).all()
    assert (FilterBanks().of(quiet)[0, :41] != FilterBanks().of(quiet)[5, :41]).all()


def test_a_recording_shorter_than_a_window_is_refused() -> None:
    with pytest.raises(ExamplesError, match="s/0 has 399 samples, less than the 400 of one window"):
        FilterBanks().of(recordings.spoken(399))


def test_too_many_bands_are_refused() -> None:
    with pytest.raises(InputError, match="120 bands are too many for 8000 samples a second"):
        FilterBanks(bands=120).of(recordings.spoken(rate=8000))


@pytest.mark.parametrize("wrong", [{"bands": 0}, {"dither": -1.0}, {"dither": float("nan")}])
def test_settings_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InputError, match="filter banks have 1 band or more and a dither of 0"):
        FilterBanks(**wrong)


def test_without_the_library_the_sentence_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "kaldi_native_fbank", None)
    with pytest.raises(
        NeedsPackageError, match=r"kaldi_native_fbank: pip install 'limbeck\[speech\]'"
    ):
        FilterBanks().of(recordings.spoken())
