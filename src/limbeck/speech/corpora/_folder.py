"""Recordings in folders of speakers, each with its phones in a file beside it."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from limbeck.errors import ExamplesError, MissingError
from limbeck.speech._utterance import SETS, Corpus, Utterance
from limbeck.speech.corpora._audio import ENDINGS
from limbeck.speech.corpora._reading import gathered, utterance


def utterances(
    path: str | Path, *, rate: int = 16_000, skip_bad: bool = False
) -> tuple[Utterance, ...]:
    """The recordings below a folder: `SPEAKER/.../name.wav`, with `name.phn` beside each.

    The first folder is the speaker, the path below `path` without its ending the key. Each line
    of a `.phn` file is `first end phone`: samples from 0, the end not included. A `name.txt`
    holds the words. Recordings are `.wav` (RIFF or NIST SPHERE), `.sph` or `.flac`; other files
    and hidden ones are not looked at.

    Args:
        path: the folder.
        rate: samples a second that every recording must have.
        skip_bad: a recording that cannot be used is named in a warning and left out.

    Raises:
        MissingError: there is no such folder, or no `.phn` beside a recording.
        CorruptError: a file cannot be read.
        ExamplesError: no recordings, or one that no frames could be made of.
        NeedsPackageError: soundfile is not installed.
    """
    root = Path(path)
    if not root.is_dir():
        raise MissingError(f"there is no folder {root}")
    files = [one for one in sorted(root.rglob("*")) if _is_recording(one, root)]
    if not files:
        raise ExamplesError(f"there are no recordings in {root} ({', '.join(sorted(ENDINGS))})")
    return gathered(files, partial(_read, root=root, rate=rate), skip_bad=skip_bad)


def folder(
    path: str | Path,
    *,
    silence: str,
    phones: Sequence[str] = (),
    rate: int = 16_000,
    skip_bad: bool = False,
) -> Corpus:
    """The corpus of a folder that holds `train`, `development` and `test`, each as `utterances`.

    Args:
        path: the folder.
        silence: the phone of silence.
        phones: the inventory in the order of the states; () for the phones of `train`, sorted.
        rate: samples a second that every recording must have.
        skip_bad: a recording that cannot be used is named in a warning and left out.

    Raises:
        MissingError: one of the three is not there.
        ExamplesError: a speaker is in two sets, or there are phones outside the inventory.
    """
    root = Path(path)
    absent = [name for name in SETS if not (root / name).is_dir()]
    if absent:
        raise MissingError(f"{root} has no folder {absent[0]!r}: a corpus has {', '.join(SETS)}")
    train, development, test = (
        utterances(root / name, rate=rate, skip_bad=skip_bad) for name in SETS
    )
    phone_names = tuple(phones) or tuple(sorted({s.phone for one in train for s in one.segments}))
    if silence not in phone_names:
        raise ExamplesError(f"{root} has no phone {silence!r}, said to be silence, in train")
    corpus = Corpus(root.name, train, development, test, phone_names, silence)
    corpus.check()
    return corpus


def _is_recording(path: Path, root: Path) -> bool:
    is_hidden = any(part.startswith(".") for part in path.relative_to(root).parts)
    return path.suffix.lower() in ENDINGS and not is_hidden and path.is_file()


def _read(audio: Path, root: Path, rate: int) -> Utterance:
    below = audio.relative_to(root)
    if len(below.parts) == 1:
        raise ExamplesError(f"{audio} lies in no folder of its speaker: SPEAKER/{audio.name}")
    return utterance(audio, below.with_suffix("").as_posix(), below.parts[0], rate)
