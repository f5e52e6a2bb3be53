"""`static_embeddings`: averaged tokens that start as a language model's, from bytes or strings."""

import shutil
from pathlib import Path

import folders
import numpy as np
import pytest
import torch
from folders import OPINIONS, TEXTS, rewrite, save, texts
from safetensors.torch import load_file, save_file

import limbeck
from limbeck import objectives, students, teachers
from limbeck.errors import ExamplesError, InputError, MismatchError, MissingError
from limbeck.examples import tensor
from limbeck.students.families._static import Tokens

no_network = pytest.fixture(autouse=True)(folders.no_network)

PLAN = limbeck.Plan(epochs=30, batch=16, learning_rate=0.02, held_out=0)
WORDS = ["good", "fine", "bad", "dull"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return save(tmp_path_factory.mktemp("folders") / "model", "BertModel")


@pytest.fixture
def folder(whole, tmp_path):
    """A copy to break."""
    return Path(shutil.copytree(whole, tmp_path / "copy"))


def described(folder, **options):
    return students.static_embeddings(folder, **{"dimensions": 8, **options})


def built(folder, seed=0, **options):
    return described(folder, inputs=(-1,), outputs=2, **options).build(seed)


def reviews(n=80, seed=0):
    drawn = np.random.default_rng(seed)
    last = drawn.integers(0, 4, n)
    told = [" ".join([*drawn.choice(folders.WORDS[5:10], 4), WORDS[one]]) for one in last]
    return limbeck.Examples.of(told, (last < 2).astype(int), classes=OPINIONS, name="reviews")


def trained(folder, to, **options):
    return limbeck.train(
        described(folder, **options), reviews(), objectives.Labels(), to=to, plan=PLAN
    )


def test_a_text_is_the_mean_of_its_tokens_however_it_is_given(whole) -> None:
    net = built(whole, hidden=3)
    bag = net[0]
    vocabulary = {word: row for row, word in enumerate(folders.WORDS)}
    expected = torch.stack(
        [
            bag.embeddings.weight[[vocabulary.get(w, 1) for w in told.split()]].mean(dim=0)
            for told in TEXTS
        ]
    )
    torch.testing.assert_close(bag(tensor(texts(TEXTS))), expected)
    examples = limbeck.Examples.of(TEXTS)
    found = described(whole).readings_in(examples)
    torch.testing.assert_close(bag(torch.from_numpy(found.block(np.arange(5)))), expected)
    assert described(whole, dimensions=4).readings_in(examples) is found


def test_a_text_of_unknown_words_alone_and_one_of_no_token_are_read(whole) -> None:
    bag = built(whole)[0]
    unknown, nothing = bag(tensor(texts(["zebra", "\u200b"])))
    torch.testing.assert_close(unknown, bag.embeddings.weight[1])
    assert not nothing.any()
    assert not bag(tensor(texts(["\u200b"]))).any()


def test_training_starts_from_the_models_own_embeddings(whole) -> None:
    """The slow way: singular vectors of the centred table, and each token's weight."""
    table = load_file(whole / "model.safetensors")["embeddings.word_embeddings.weight"].double()
    centred = table - table.mean(dim=0)
    projected = centred @ torch.linalg.svd(centred).Vh[:8].T
    share = 1 / torch.arange(2.0, 17.0).double()
    weighted = projected * (1e-4 / (1e-4 + share / share.sum()))[:, None]
    started = built(whole)[0].embeddings.weight.detach().double()
    # Up to the size and the sign of each axis.
    ratio = started / weighted
    torch.testing.assert_close(ratio.abs(), ratio.abs()[0, 0].expand_as(ratio), rtol=1e-3, atol=0)
    torch.testing.assert_close(ratio, ratio[:1].expand_as(ratio), rtol=1e-3, atol=0)
    assert started.square().mean().item() == pytest.approx(1 / 8, rel=1e-4)


def test_seeds_share_the_embeddings_and_not_the_layers(whole) -> None:
    one, same, other = built(whole), built(whole), built(whole, seed=1)
    for name, value in one.state_dict().items():
        assert torch.equal(value, same.state_dict()[name])
    assert torch.equal(one[0].embeddings.weight, other[0].embeddings.weight)
    assert not torch.equal(one[1].weight, other[1].weight)


def test_a_student_learns_and_is_loaded_without_its_folder(folder, tmp_path) -> None:
    run = trained(folder, tmp_path / "run")
    test = reviews(60, seed=1)
    said = teachers.run(run).answers(test, "it")
    assert (said.argmax(axis=1) == test.labels).mean() > 0.95
    made = limbeck.export(run, to=tmp_path / "student.safetensors", check=test)
    assert made.largest_difference < 1e-6
    shutil.rmtree(folder)
    model = limbeck.load(made.path)
    torch.testing.assert_close(model.of_texts(test.inputs.tolist()), torch.from_numpy(said))
    again = limbeck.load(tmp_path / "run")
    np.testing.assert_allclose(teachers.run(again).answers(test, "it"), said, atol=1e-6)
    assert again.student.text == run.student.text
    assert "15" in str(again.student)


def test_a_loaded_model_takes_strings_and_refuses_empty_ones(whole, tmp_path) -> None:
    run = trained(whole, tmp_path / "run")
    scores = run.model().of_texts(["a good movie", "dull"])
    assert scores.shape == (2, 2)
    assert not scores.requires_grad
    assert scores.argmax(dim=1).tolist() == [1, 0]
    with pytest.raises(ExamplesError, match="1 texts are empty, the first in row 1"):
        run.model().of_texts(["good", ""])


def test_it_is_counted_without_its_folder(folder) -> None:
    student = described(folder, hidden=3, inputs=(-1,), outputs=2)
    shutil.rmtree(folder)
    assert students.parameters(student) == 15 * 8 + 8 * 3 + 3 + 3 * 2 + 2
    assert isinstance(student.outline()[0], Tokens)


def test_its_text_describes_it_again(whole, monkeypatch) -> None:
    monkeypatch.chdir(whole.parent)
    student = students.from_text("static_embeddings('model', dimensions=4)")
    monkeypatch.chdir("/")
    assert students.from_text(student.text) == student
    assert f"folder={str(whole)!r}" in student.text
    assert student == described(whole, dimensions=4)


# What is refused.


def test_a_folder_that_has_changed_is_refused(folder, tmp_path) -> None:
    student = described(folder, inputs=(-1,), outputs=2)
    rewrite(folder / "tokenizer_config.json", model_max_length=5)
    with pytest.raises(
        MismatchError, match=r"copy has changed: .* put the old files back, or desc"
    ):
        student.build(0)
    with pytest.raises(MismatchError, match="has changed"):
        student.readings_in(limbeck.Examples.of(TEXTS))


def test_no_onnx_file_can_hold_a_tokenizer(whole, tmp_path) -> None:
    run = trained(whole, tmp_path / "run")
    with pytest.raises(
        InputError,
        match=r"which an ONNX file cannot hold: export it to it\.safetensors, which hold",
    ):
        limbeck.export(run, to=tmp_path / "it.onnx", check=reviews())
    assert not (tmp_path / "it.onnx").exists()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"dimensions": 0}, "takes 1 dimension or more and 0 hidden units or more, not 0 and 0"),
        ({"hidden": -1}, "not 8 and -1"),
        ({"dimensions": 17}, r"the embeddings of .*model have 16 dimensions, not 17"),
    ],
)
def test_sizes_that_cannot_be_are_refused(whole, options, sentence) -> None:
    with pytest.raises(InputError, match=sentence):
        described(whole, **options)


def test_what_the_folder_lacks_is_named(folder) -> None:
    with pytest.raises(MissingError, match="there is no folder bert"):
        students.static_embeddings("bert")
    (folder / "tokenizer.json").rename(folder / "vocab.json")
    with pytest.raises(
        MissingError, match=r"has no tokenizer\.json: write it with tokenizer\.save"
    ):
        described(folder)
    save_file({"other": torch.zeros(2, 2)}, folder / "model.safetensors")
    with pytest.raises(MissingError, match="holds no table of token embeddings"):
        described(folder)


def test_a_tokenizer_of_another_model_is_refused(whole, folder) -> None:
    weights = load_file(whole / "model.safetensors")
    name = "embeddings.word_embeddings.weight"
    save_file({name: weights[name][:7].contiguous()}, folder / "model.safetensors")
    with pytest.raises(MismatchError, match="knows 15 tokens, and its model embeds 7"):
        described(folder)
