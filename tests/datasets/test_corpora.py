"""Frames of a corpus of speech are opened by a call as text, and again to the same examples."""

import json
import warnings
from pathlib import Path

import numpy as np
import pytest
import recordings

from limbeck import cli, speech
from limbeck.datasets import read
from limbeck.errors import CorruptError, InputError, RecipeError, SpeechWarning
from limbeck.examples import Examples

pytest.importorskip("soundfile", reason="needs limbeck[speech]")
pytest.importorskip("kaldi_native_fbank", reason="needs limbeck[speech]")

PHONES = ("sil", "low", "high", "sil")
SPEAKERS = {"train": ("anna", "ben", "eve"), "development": ("carla",), "test": ("dan",)}


@pytest.fixture
def tones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A corpus whose phones are tones; the directory above it is the current one."""
    monkeypatch.chdir(tmp_path)
    places = [(part, one, name) for part in SPEAKERS for one in SPEAKERS[part] for name in "ab"]
    for seed, (part, speaker, name) in enumerate(places):
        folder = Path("tones", part, speaker)
        folder.mkdir(parents=True, exist_ok=True)
        recordings.riff(folder / f"{name}.wav", recordings.tone(4000, seed))
        recordings.phn(folder / f"{name}.phn", recordings.evenly(4000, PHONES))
    return tmp_path / "tones"


def text_of(part: str, more: str = "") -> str:
    return f"speech('tones', '{part}', silence='sil'{more})"


def same(one: Examples, other: Examples) -> bool:
    return (
        one.fingerprint == other.fingerprint
        and np.array_equal(one.labels, other.labels)
        and np.array_equal(one.groups, other.groups)
        and (one.classes, one.name, one.source) == (other.classes, other.name, other.source)
        and one.columns.keys() == other.columns.keys()
    )


def test_a_part_is_its_frames_with_the_states_of_the_uniform_split(tones: Path) -> None:
    corpus, banks = speech.folder(tones, silence="sil"), speech.FilterBanks()
    for part in SPEAKERS:
        opened, utterances = read(text_of(part)), getattr(corpus, part)
        labels = [speech.states(one, corpus.phones, banks.count(one)) for one in utterances]
        assert opened.classes == speech.state_names(corpus.phones)
        assert opened.labels.tolist() == np.concatenate(labels).tolist()
        assert opened.shape == (123, 15)
        assert opened.name == f"tones:{part}"
        assert set(opened.columns["speaker"]) == set(SPEAKERS[part])


def test_it_opens_again_from_another_directory(
    tones: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = read(text_of("train", ", phones=['sil', 'low', 'high']"))
    assert opened.source == (
        f"speech('{tones}', 'train', silence='sil', phones=['sil', 'low', 'high'], rate=16000)"
    )
    assert opened.classes[:2] == ("sil.0", "sil.1")
    monkeypatch.chdir("/")
    assert same(opened, read(opened.source))


def test_without_bad_recordings_it_opens_again_without_them(tones: Path) -> None:
    (tones / "train/anna/a.wav").write_bytes(b"nothing")
    with pytest.raises(CorruptError, match="skip_bad=True leaves such a recording out"):
        read(text_of("train"))
    with pytest.warns(SpeechWarning, match="1 of 6 recordings are left out"):
        opened = read(text_of("train", ", skip_bad=True"))
    assert opened.source.endswith(", rate=16000, skip_bad=True)")
    assert len(set(opened.groups)) == 5
    with pytest.warns(SpeechWarning, match=r"a\.wav is not readable audio"):
        assert same(opened, read(opened.source))


def test_timit_is_opened_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recordings.timit_copy(tmp_path / "TIMIT", ["FCJF0"], ["FAKS0", "MDAB0"], 2)
    monkeypatch.chdir(tmp_path)
    opened = read("timit('TIMIT', 'test', partial_copy=True)")
    assert opened.source == f"timit('{tmp_path}/TIMIT', 'test', partial_copy=True)"
    assert (len(opened.classes), set(opened.columns["speaker"])) == (183, {"MDAB0"})
    monkeypatch.chdir("/")
    assert same(opened, read(opened.source))


def test_synthetic_speech_is_opened_by_its_hours_and_seed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("espeakng_loader", reason="needs limbeck[speech]")
    monkeypatch.chdir(tmp_path)
    opened = read("spoken('test', hours=0.001, seed=1, voices=3, folder='kept')")
    folder = f"folder='{tmp_path}/kept'"
    assert opened.source == f"spoken('test', hours=0.001, seed=1, voices=3, {folder})"
    assert (opened.name, len(opened.classes)) == ("spoken:test", 3 * 47)
    assert same(opened, read(opened.source))
    assert not same(opened, read(opened.source.replace("test", "development")))


def test_recorded_digits_are_opened_by_the_speaker_held_out(data: Path, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="needs limbeck[parquet]")
    arrow = pytest.importorskip("pyarrow", reason="needs limbeck[parquet]")
    pytest.importorskip("pocketsphinx", reason="needs limbeck[speech]")
    whole = data / "spoken-digits" / "recordings.parquet"
    if not whole.is_file():
        pytest.skip("LIMBECK_DATA has no spoken-digits/recordings.parquet")
    rows = [one for one in parquet.read_table(whole).to_pylist() if one["index"] == 1]
    rows = [one for one in rows if one["label"] in (1, 2)]
    bad = rows[0] | {"audio": {"bytes": b"RIFF", "path": "bad.wav"}, "index": 99}
    parquet.write_table(arrow.Table.from_pylist([*rows, bad]), tmp_path / "some.parquet")
    more = f"held_out='george', folder='{tmp_path}/kept'"
    text = f"spoken_digits('{tmp_path}/some.parquet', 'test', {more}"
    with pytest.raises(InputError, match=r"_99 cannot be read as wav: .*; skip_bad=True leaves"):
        read(f"{text})")
    with pytest.warns(SpeechWarning, match="1 of 11 recordings are left out: .*_99 cannot be read"):
        opened = read(f"{text}, skip_bad=True)")
    assert opened.source == f"{text}, skip_bad=True)"
    assert set(opened.columns["speaker"]) == {"george"}
    assert opened.name == "some:test"


@pytest.mark.parametrize(
    ("text", "error", "sentence"),
    [
        ("spech('tones', 'train')", InputError, "no source 'spech'; did you mean 'speech'?"),
        (text_of("trian"), InputError, r"speech\(\) has no part 'trian'; did you mean 'train'"),
        ("speech('tones', 'train')", RecipeError, "missing a required argument: 'silence'"),
        (text_of("train", ", skip=1"), RecipeError, "no keyword 'skip'; did you mean 'skip_bad'"),
        (
            text_of("train", ", skip_bad=1"),
            InputError,
            r"speech\(\) takes True or False for skip_bad, not 1",
        ),
        (text_of("train", ", rate=True"), InputError, "takes a whole number for rate, not True"),
        (text_of("train", ", rate=16e3"), InputError, "takes a whole number for rate, not 16000.0"),
        (text_of("train", ", phones='sil'"), InputError, "takes a list of texts for phones, not"),
        (
            text_of("train", ", phones=[1]"),
            InputError,
            r"takes a list of texts for phones, not \[1",
        ),
        ("speech(3, 'train', silence='sil')", InputError, "takes a text for path, not 3"),
        ("spoken(train)", InputError, r"there is no source 'train'|neither a number"),
        ("spoken('train', hours='1')", InputError, r"spoken\(\) takes a number for hours, not '1'"),
        ("spoken('train', hours=0)", InputError, "hours must be positive, not 0"),
    ],
)
def test_a_call_that_cannot_be_is_refused(
    text: str, error: type[Exception], sentence: str, tones: Path
) -> None:
    with pytest.raises(error, match=sentence):
        read(text)


@pytest.mark.slow
def test_a_recipe_trains_and_evaluates_on_speech(
    tones: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("tones.toml").write_text(f'''
[examples]
train = "{text_of("train")}"
test = "{text_of("test")}"

[[train]]
to = "teacher"
student = "mlp([16])"
on = "train"
epochs = 2

[score]
teacher = "teacher"
examples = "train"

[[train]]
to = "student"
student = "mlp([4])"
on = "scores"
epochs = 2

[evaluate]
models = {{ teacher = "teacher", student = "student" }}
examples = "test"
reference = "teacher"
slices = ["speaker"]
''')
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        with pytest.raises(SystemExit) as left:
            cli.main(["run", "tones.toml", "--to", "made", "--json"])
    out, err = capsys.readouterr()
    assert not left.value.code, err
    assert json.loads(out)["examples"]["name"] == "tones:test"
    scored = json.loads(Path("made/scores/manifest.json").read_text())
    assert f"speech('{tones}', 'train', silence='sil', rate=16000)" in json.dumps(scored)
