"""TIMIT as its licence holders have it: 462 speakers to learn from, 50 to tune on, 24 to test."""

from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

from limbeck.errors import ExamplesError, MissingError
from limbeck.speech._phones import TIMIT_PHONES
from limbeck.speech._utterance import Corpus, Utterance
from limbeck.speech.corpora._reading import gathered, utterance

RATE = 16_000
SLACK = 400  # samples, one window of 25 ms: by so much a segment may run over
SENTENCES = 8  # of each speaker, without the two that all speakers read
TRAINING_SPEAKERS = 462

_CORE_TEST = """
MDAB0 MWBT0 FELC0 MTAS1 MWEW0 FPAS0 MJMP0 MLNT0 FPKT0 MLLL0 MTLS0 FJLM0
MBPM0 MKLT0 FNLP0 MCMJ0 MJDH0 FMGD0 MGRT0 MNJM0 FDHC0 MJLN0 MPAM0 FMLD0
"""
# The speakers of the full test part on whom the field tunes; the corpus itself names none.
_DEVELOPMENT = """
FAKS0 FDAC1 FJEM0 MGWT0 MJAR0 MMDB1 MMDM2 MPDF0 FCMH0 FKMS0 MBDG0 MBWM0 MCSH0 FADG0 FDMS0
FEDW0 MGJF0 MGLB0 MRTK0 MTAA0 MTDT0 MTHC0 MWJG0 FNMR0 FREW0 FSEM0 MBNS0 MMJR0 MDLS0 MDLF0
MDVC0 MERS0 FMAH0 FDRW0 MRCS0 MRJM4 FCAL1 MMWH0 FJSJ0 MAJC0 MJSW0 MREB0 FGJD0 FJMG0 MROA0
MTEB0 MJFC0 MRJR0 FMML0 MRWS1
"""
CORE_TEST, DEVELOPMENT = tuple(_CORE_TEST.split()), tuple(_DEVELOPMENT.split())
SILENCE = "h#"

Speakers = dict[str, list[Path]]  # the recordings of each speaker


def timit(path: str | Path, *, partial_copy: bool = False, skip_bad: bool = False) -> Corpus:
    """TIMIT with its 61 phones: 3,696, 400 and 192 sentences of 462, 50 and 24 speakers.

    The two sentences that everybody reads (`SA`) are left out. Names may be in capitals or small
    letters, recordings NIST SPHERE or RIFF. A segment that runs into the next one, or over the
    end of its recording, by 400 samples at most is cut there; gaps stay gaps.

    Args:
        path: the folder that holds `TRAIN` and `TEST`, or one of the two folders above it.
        partial_copy: a copy without all speakers and sentences is read too.
        skip_bad: a recording that cannot be used is named in a warning and left out.

    Raises:
        MissingError: there is no such folder, or no TIMIT in it.
        CorruptError: a file cannot be read.
        ExamplesError: speakers or sentences are missing, a phone is none of the 61, or a recording
            is one that no frames could be made of.
        NeedsPackageError: soundfile is not installed.
    """
    train, test = _parts(Path(path))
    learners, others = _speakers(train), _speakers(test)
    if not partial_copy:
        _check_whole(learners, others)
    read = partial(_read, skip_bad=skip_bad)
    corpus = Corpus(
        "TIMIT",
        read(learners, sorted(learners), "train"),
        read(others, sorted(DEVELOPMENT), "development"),
        read(others, sorted(CORE_TEST), "test"),
        TIMIT_PHONES,
        SILENCE,
    )
    corpus.check()
    return corpus


def _parts(root: Path) -> tuple[Path, Path]:
    if not root.is_dir():
        raise MissingError(f"there is no folder {root}")
    for pattern in ("", "*", "*/*"):
        for place in sorted(root.glob(pattern)) if pattern else [root]:
            folders = {one.name.lower(): one for one in place.glob("*") if one.is_dir()}
            if folders.keys() >= {"train", "test"}:
                return folders["train"], folders["test"]
    raise MissingError(f"{root} holds no TIMIT: there is no folder with TRAIN and TEST in it")


def _speakers(part: Path) -> Speakers:
    """The recordings of each speaker below `DR1` to `DR8`, without the `SA` sentences."""
    folders = sorted(one for one in part.glob("*/*") if one.is_dir())
    return {one.name.upper(): list(_recordings(one)) for one in folders}


def _recordings(speaker: Path) -> Iterator[Path]:
    audio = [one for one in sorted(speaker.glob("*")) if one.suffix.lower() == ".wav"]
    # Of SX37.WAV and a converted SX37.WAV.wav one is enough: the shorter name, as delivered.
    by_sentence = {_sentence(one): one for one in sorted(audio, key=_name_length, reverse=True)}
    return (by_sentence[name] for name in sorted(by_sentence) if not name.startswith("SA"))


def _name_length(path: Path) -> int:
    return len(path.name)


def _sentence(audio: Path) -> str:
    return audio.name.partition(".")[0].upper()


def _check_whole(learners: Speakers, others: Speakers) -> None:
    hint = "partial_copy=True reads what is there"
    if len(learners) != TRAINING_SPEAKERS:
        raise ExamplesError(
            f"TIMIT has {TRAINING_SPEAKERS} training speakers, here are {len(learners)}; {hint}"
        )
    missing = sorted({*CORE_TEST, *DEVELOPMENT} - others.keys())
    if missing:
        raise ExamplesError(
            f"TEST has no recordings of {len(missing)} of the 74 speakers: {', '.join(missing)}; "
            f"{hint}"
        )
    used = learners | {name: others[name] for name in (*CORE_TEST, *DEVELOPMENT)}
    for name, files in used.items():
        if len(files) != SENTENCES:
            raise ExamplesError(
                f"{name} has {len(files)} sentences, not {SENTENCES} (SA1 and SA2 do not count); "
                f"{hint}"
            )


def _read(
    speakers: Speakers, names: Iterable[str], part: str, *, skip_bad: bool
) -> tuple[Utterance, ...]:
    files = [file for name in names for file in speakers.get(name, [])]
    if not files:
        raise ExamplesError(f"this copy of TIMIT has no recording of a speaker of its {part} set")
    return gathered(files, _utterance, skip_bad=skip_bad)


def _utterance(audio: Path) -> Utterance:
    speaker = audio.parent.name.upper()
    key = f"{speaker}/{_sentence(audio)}"
    return utterance(audio, key, speaker, RATE, slack=SLACK, with_times=True)
