"""Audio files give the samples they hold; what is no whole recording of one channel is refused."""

import sys
from pathlib import Path

import numpy as np
import pytest
import recordings

from limbeck.errors import CorruptError, ExamplesError, MissingError, NeedsPackageError
from limbeck.speech.corpora import _audio
from limbeck.speech.corpora._audio import read_samples

soundfile = pytest.importorskip("soundfile", reason="needs limbeck[speech]")

TONE = recordings.tone(2000)


@pytest.mark.parametrize("order", ["01", "10"])
def test_a_sphere_file_gives_its_samples_in_either_byte_order(tmp_path: Path, order: str) -> None:
    recordings.sphere(tmp_path / "SX9.WAV", TONE, order=order)
    found = read_samples(tmp_path / "SX9.WAV", 16_000)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found * 32768, TONE)


def test_a_riff_file_gives_its_samples(tmp_path: Path) -> None:
    recordings.riff(tmp_path / "a.wav", TONE)
    np.testing.assert_array_equal(read_samples(tmp_path / "a.wav", 16_000) * 32768, TONE)


def test_a_flac_file_gives_its_samples(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.flac", TONE, 8000)
    np.testing.assert_array_equal(read_samples(tmp_path / "a.flac", 8000) * 32768, TONE)


def test_a_riff_file_that_did_not_know_its_length_is_read(tmp_path: Path) -> None:
    recordings.riff(tmp_path / "a.wav", TONE)
    content = (tmp_path / "a.wav").read_bytes()
    at = content.index(b"data") + 4
    (tmp_path / "a.wav").write_bytes(content[:at] + b"\xff\xff\xff\xff" + content[at + 4 :])
    assert len(read_samples(tmp_path / "a.wav", 16_000)) == 2000


def test_a_header_longer_than_what_is_looked_at_is_no_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_audio, "HEAD_BYTES", 40)
    recordings.riff(tmp_path / "a.wav", TONE)
    assert len(read_samples(tmp_path / "a.wav", 16_000)) == 2000


@pytest.mark.parametrize("write", [recordings.sphere, recordings.riff])
def test_a_file_that_is_cut_short_is_refused(tmp_path: Path, write: object) -> None:
    assert callable(write)
    write(tmp_path / "a.wav", TONE)
    content = (tmp_path / "a.wav").read_bytes()
    (tmp_path / "a.wav").write_bytes(content[:-600])
    with pytest.raises(
        CorruptError, match=r"a.wav is cut short: its header says 4000 bytes of samples, 3400 are"
    ):
        read_samples(tmp_path / "a.wav", 16_000)


def test_a_sphere_header_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    recordings.sphere(tmp_path / "a.wav", TONE)
    (tmp_path / "a.wav").write_bytes((tmp_path / "a.wav").read_bytes()[:80])
    with pytest.raises(CorruptError, match="begins as NIST SPHERE, but has no whole header"):
        read_samples(tmp_path / "a.wav", 16_000)


@pytest.mark.parametrize("content", [b"", b"these are words, not sound", b"RIFF\x04\0\0\0WAVE"])
def test_a_file_that_is_no_audio_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.wav").write_bytes(content)
    with pytest.raises(CorruptError, match=r"a\.wav is not readable audio: "):
        read_samples(tmp_path / "a.wav", 16_000)


def test_a_flac_file_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.flac", np.tile(TONE, 10), 16_000)
    content = (tmp_path / "a.flac").read_bytes()
    (tmp_path / "a.flac").write_bytes(content[: len(content) // 2])
    with pytest.raises(CorruptError, match=r"a\.flac is not readable audio: "):
        read_samples(tmp_path / "a.flac", 16_000)


def test_a_file_packed_with_shorten_says_how_to_unpack_it(tmp_path: Path) -> None:
    coding = "sample_coding -s26 pcm,embedded-shorten-v2.00"
    recordings.sphere(tmp_path / "a.wav", TONE, coding)
    with pytest.raises(
        ExamplesError, match="packed with shorten: unpack it with `sph2pipe -f wav`"
    ):
        read_samples(tmp_path / "a.wav", 16_000)


def test_a_recording_of_two_channels_is_refused(tmp_path: Path) -> None:
    recordings.riff(tmp_path / "a.wav", TONE, channels=2)
    with pytest.raises(ExamplesError, match=r"a\.wav has 2 channels, not one: mix them"):
        read_samples(tmp_path / "a.wav", 16_000)


def test_another_rate_is_refused(tmp_path: Path) -> None:
    recordings.riff(tmp_path / "a.wav", TONE, rate=8000)
    with pytest.raises(ExamplesError, match="has 8000 samples a second, not 16000: resample it"):
        read_samples(tmp_path / "a.wav", 16_000)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match=r"there is no file .*b\.wav"):
        read_samples(tmp_path / "b.wav", 16_000)


def test_without_soundfile_the_sentence_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recordings.riff(tmp_path / "a.wav", TONE)
    monkeypatch.setitem(sys.modules, "soundfile", None)
    with pytest.raises(NeedsPackageError, match=r"soundfile: pip install 'limbeck\[speech\]'"):
        read_samples(tmp_path / "a.wav", 16_000)
