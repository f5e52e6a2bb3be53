"""Recordings as corpora hold them: NIST SPHERE and RIFF files, `.PHN` files, a copy of TIMIT."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from limbeck.speech import Segment, Utterance

PHONES = ("h#", "sh", "iy", "q", "bcl", "b", "h#")  # what each recording of the copy says


def tone(samples: int, seed: int = 0) -> np.ndarray:
    """16-bit samples of a tone with noise, another for each seed."""
    drawn = np.random.default_rng(seed)
    wave = 6000 * np.sin(np.arange(samples) * (0.05 + 0.001 * (seed % 97)))
    return (wave + drawn.normal(0, 300, samples)).astype(np.int16)


def spoken(
    samples: int = 4000, seed: int = 0, *, rate: int = 16_000, speaker: str = "s"
) -> Utterance:
    """An utterance of that length, without phones."""
    return Utterance(
        f"{speaker}/{seed}", speaker, tone(samples, seed) / np.float32(32768), rate, ()
    )


def sphere(path: Path, samples: np.ndarray, *more: str, order: str = "01") -> None:
    """A NIST SPHERE file with TIMIT's header, further lines of which may be given."""
    lines = [
        "NIST_1A",
        "   1024",
        "database_id -s5 TIMIT",
        "database_version -s3 1.0",
        f"utterance_id -s8 {path.parent.name.lower()[1:]}_{path.stem.lower()}",
        "channel_count -i 1",
        f"sample_count -i {len(samples)}",
        "sample_rate -i 16000",
        f"sample_min -i {samples.min()}",
        f"sample_max -i {samples.max()}",
        "sample_n_bytes -i 2",
        f"sample_byte_format -s2 {order}",
        "sample_sig_bits -i 16",
        *more,
        "end_head\n",
    ]
    head = "\n".join(lines).encode().ljust(1024)
    path.write_bytes(head + samples.astype("<i2" if order == "01" else ">i2").tobytes())


def riff(path: Path, samples: np.ndarray, *, rate: int = 16_000, channels: int = 1) -> None:
    """A RIFF wav file of 16 bits, with a chunk before its samples as editors write them."""
    content = samples.astype("<i2").tobytes()
    width = 2 * channels
    form = np.array([1 | channels << 16, rate, rate * width, width | 16 << 16], "<u4").tobytes()
    chunks = [(b"fmt ", form), (b"LIST", b"INFOISFT\x04\0\0\0abc\0"), (b"data", content)]
    body = b"".join(name + len(c).to_bytes(4, "little") + c for name, c in chunks)
    path.write_bytes(b"RIFF" + (len(body) + 4).to_bytes(4, "little") + b"WAVE" + body)


def evenly(samples: int, phones: Sequence[str] = PHONES) -> list[Segment]:
    """The phones one after the other, all about as long."""
    ends = np.linspace(0, samples, len(phones) + 1).astype(int).tolist()
    return [Segment(*times, phone) for *times, phone in zip(ends, ends[1:], phones, strict=False)]


def phn(path: Path, segments: Iterable[Segment]) -> None:
    """A file of TIMIT's `.PHN`."""
    path.write_text("".join(f"{one.first} {one.end} {one.phone}\n" for one in segments))


def sentence(
    folder: Path, name: str, *, samples: int = 1600, seed: int = 0, words: str = ""
) -> Path:
    """One sentence as TIMIT's discs have it: `.WAV` (SPHERE), `.PHN` and `.TXT`."""
    folder.mkdir(parents=True, exist_ok=True)
    audio = folder / f"{name}.WAV"
    sphere(audio, tone(samples, seed))
    phn(folder / f"{name}.PHN", evenly(samples))
    (folder / f"{name}.TXT").write_text(f"0 {samples} {words or 'She had your suit.'}\n")
    return audio


def timit_copy(root: Path, train: Sequence[str], test: Sequence[str], sentences: int = 8) -> Path:
    """A folder laid out as TIMIT, each speaker with so many sentences and SA1 and SA2."""
    names = [
        "SA1",
        "SA2",
        *[f"SX{9 * n}" for n in range(1, 6)],
        *[f"SI{700 + n}" for n in range(3)],
    ]
    seed = 0
    for part, speakers in (("TRAIN", train), ("TEST", test)):
        for number, speaker in enumerate(speakers):
            for name in names[: 2 + sentences]:
                seed += 1
                sentence(root / part / f"DR{number % 8 + 1}" / speaker, name, seed=seed)
    return root
