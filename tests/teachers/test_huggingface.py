"""Teachers in folders of Hugging Face's libraries: the same scores, and no network or pickle."""

import json
import os
import shutil
from pathlib import Path

import folders
import numpy as np
import pytest
import torch
from folders import OPINIONS, TEXTS, WORDS, rewrite, save, texts

from limbeck import Examples, score, teachers
from limbeck.errors import (
    CorruptError,
    InputError,
    MismatchError,
    MissingError,
    TeacherError,
    TextsWarning,
)
from limbeck.runtime import _calls

transformers = pytest.importorskip("transformers", reason="needs limbeck[text]")

no_network = pytest.fixture(autouse=True)(folders.no_network)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    labels = dict(enumerate(OPINIONS))
    place = tmp_path_factory.mktemp("folders") / "opinions"
    return save(place, id2label=labels, label2id={v: k for k, v in labels.items()})


@pytest.fixture
def folder(whole, tmp_path):
    """A copy to break."""
    return Path(shutil.copytree(whole, tmp_path / "copy"))


def one_by_one(folder, given, most=12):
    """The slow obvious way: every text alone."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    net = transformers.AutoModelForSequenceClassification.from_pretrained(folder)
    with torch.inference_mode():
        rows = [
            net(**tokenizer(text, return_tensors="pt", truncation=True, max_length=most)).logits
            for text in given
        ]
    return torch.cat(rows).numpy()


@pytest.mark.parametrize("batch", [1, 2, 32])
def test_batches_say_what_one_text_after_the_other_does(whole, batch):
    teacher = teachers.huggingface(whole, batch=batch)
    said = teacher.predict(texts(TEXTS))
    np.testing.assert_allclose(said, one_by_one(whole, TEXTS), atol=1e-5)
    assert np.abs(said[0] - said[1]).max() > 0.01
    assert (teacher.classes, teacher.kind, teacher.name) == (OPINIONS, "logits", "opinions")


def test_it_is_scored_like_any_teacher(whole, tmp_path):
    examples = Examples.of(TEXTS, classes=OPINIONS)
    scores = score(teachers.huggingface(whole), examples, to=tmp_path / "scores")
    read = scores.read(np.arange(5), np.zeros(5, int))
    np.testing.assert_allclose(read, one_by_one(whole, TEXTS), atol=1e-2)


def test_lists_of_numpys_other_texts_are_texts_too(whole):
    teacher = teachers.huggingface(whole)
    for kind in (str, object):
        said = teacher.predict(np.array(TEXTS, dtype=kind))
        np.testing.assert_array_equal(said, teacher.predict(texts(TEXTS)))


def test_texts_are_cut_at_the_models_own_limit_and_that_is_said_once(whole):
    teacher = teachers.huggingface(whole)
    long = texts(["good " * 30, "bad " * 20, "fine"])
    with pytest.warns(
        TextsWarning, match="opinions reads 12 tokens, and 2 of 3 texts are longer: of those only"
    ) as caught:
        said = teacher.predict(long)
    assert len(caught) == 1
    np.testing.assert_array_equal(teacher.predict(long), said)  # a second warning would be an error
    np.testing.assert_allclose(said, one_by_one(whole, long.tolist()), atol=1e-5)


def test_tokens_that_were_asked_for_are_no_surprise(whole):
    teacher = teachers.huggingface(whole, tokens=4)
    said = teacher.predict(texts(TEXTS))
    np.testing.assert_allclose(said, one_by_one(whole, TEXTS, most=4), atol=1e-5)
    assert teacher.fingerprint != teachers.huggingface(whole).fingerprint


@pytest.mark.parametrize("tokens", [-1, 1, 2, 13])
def test_tokens_that_it_cannot_read_are_refused(whole, tokens):
    with pytest.raises(InputError, match=rf"opinions reads 3 to 12 tokens of a text, not {tokens}"):
        teachers.huggingface(whole, tokens=tokens)


def test_positions_of_roberta_begin_after_the_filling(tmp_path):
    config = transformers.RobertaConfig(
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=8,
        max_position_embeddings=10,
        vocab_size=len(WORDS),
    )
    save(tmp_path)
    transformers.RobertaForSequenceClassification(config).save_pretrained(tmp_path)
    teacher = teachers.huggingface(tmp_path, OPINIONS, tokens=8)
    assert teacher.predict(texts(["good " * 30])).shape == (1, 2)
    with pytest.raises(InputError, match="reads 3 to 8 tokens"):
        teachers.huggingface(tmp_path, OPINIONS, tokens=9)


def test_a_model_that_cannot_fill_up_texts_reads_them_alone(tmp_path):
    save(tmp_path)
    config = transformers.GPT2Config(
        n_embd=8, n_layer=1, n_head=2, n_positions=12, vocab_size=len(WORDS), pad_token_id=None
    )
    transformers.GPT2ForSequenceClassification(config).save_pretrained(tmp_path)
    said = teachers.huggingface(tmp_path, OPINIONS).predict(texts(TEXTS))
    assert said.shape == (5, 2)
    assert np.isfinite(said).all()


def test_bfloat16_is_another_teacher_that_says_nearly_the_same(whole):
    wide, narrow = (teachers.huggingface(whole, precision=p) for p in ("float32", "bfloat16"))
    said = narrow.predict(texts(TEXTS))
    assert said.dtype == np.float32
    assert (said != wide.predict(texts(TEXTS))).any()
    np.testing.assert_allclose(said, wide.predict(texts(TEXTS)), atol=0.1)
    assert narrow.fingerprint == wide.fingerprint + ":bfloat16"
    with pytest.raises(InputError, match="float32 or bfloat16, not 'float16'"):
        teachers.huggingface(whole, precision="float16")


def test_weights_kept_in_float16_are_computed_in_float32(whole, folder):
    net = transformers.AutoModelForSequenceClassification.from_pretrained(whole)
    net.half().save_pretrained(folder)
    said = teachers.huggingface(folder).predict(texts(TEXTS))
    np.testing.assert_allclose(said, one_by_one(whole, TEXTS), atol=0.02)


@pytest.mark.parametrize(
    ("config", "kind"),
    [
        ({"problem_type": "multi_label_classification"}, "independent-logits"),
        ({"problem_type": "regression"}, "values"),
        ({"problem_type": "single_label_classification"}, "logits"),
        ({}, "logits"),
    ],
)
def test_the_kind_is_what_the_model_was_trained_for(folder, config, kind):
    rewrite(folder / "config.json", **config)
    assert teachers.huggingface(folder).kind == kind
    assert teachers.huggingface(folder, kind="values").kind == "values"


def test_one_output_is_a_value(tmp_path):
    assert teachers.huggingface(save(tmp_path, num_labels=1), ["stars"]).kind == "values"


def test_classes_are_named_by_the_folder_or_by_whoever_opens_it(whole, tmp_path):
    assert teachers.huggingface(whole, OPINIONS[::-1]).classes == OPINIONS
    with pytest.raises(
        MismatchError, match="opinions says that its classes are negative, positive, not cat, dog"
    ):
        teachers.huggingface(whole, ["cat", "dog"])
    plain = save(tmp_path / "plain")
    assert teachers.huggingface(plain, ["cat", "dog"]).classes == ("cat", "dog")
    with pytest.raises(TeacherError, match=r"plain needs the names of its classes, each once"):
        teachers.huggingface(plain)
    with pytest.raises(TeacherError, match="answers with 2 scores for each example, and 3 classes"):
        teachers.huggingface(plain, ["a", "b", "c"])


def test_the_fingerprint_follows_the_content_and_not_the_place(whole, folder):
    first = teachers.huggingface(whole).fingerprint
    assert teachers.huggingface(folder, name="other", batch=2).fingerprint == first
    (folder / "README.md").write_text("what it is")
    assert teachers.huggingface(folder).fingerprint == first
    rewrite(folder / "tokenizer_config.json", model_max_length=11)
    assert teachers.huggingface(folder).fingerprint != first


@pytest.mark.parametrize(
    "options",
    [{}, {"tokens": 5, "batch": 2, "precision": "bfloat16", "name": "it's", "kind": "values"}],
)
def test_the_source_opens_the_teacher_again(whole, options, monkeypatch):
    monkeypatch.chdir(whole.parent)
    made = teachers.huggingface("opinions", **options)
    monkeypatch.chdir("/")
    again = _calls.make(made.source, {"huggingface": teachers.huggingface}, "teacher")
    assert (again.fingerprint, again.source, again.name) == (
        made.fingerprint,
        made.source,
        made.name,
    )
    if not options:
        assert made.source == f"huggingface({str(whole)!r})"


@pytest.mark.parametrize("prefix", ["hf:", ""])
def test_a_text_names_it(whole, prefix):
    read = teachers.from_text(f"{prefix}{whole}", OPINIONS[::-1])
    assert read.fingerprint == teachers.huggingface(whole).fingerprint


def test_opening_and_asking_says_nothing_on_any_channel(whole, capfd, caplog):
    teachers.huggingface(whole).predict(texts(TEXTS))
    assert capfd.readouterr() == ("", "")
    assert not caplog.records


# What is wrong with a folder, or with what it is asked.


def test_numbers_are_no_texts(whole):
    teacher = teachers.huggingface(whole)
    wanted = r"opinions reads texts, .* these inputs are float32 of shape \(batch, 2\)"
    with pytest.raises(TeacherError, match=wanted):
        teacher.ask(np.zeros((3, 2), np.float32), np.array(["a", "b", "c"]), "it")
    with pytest.raises(TeacherError, match=r"these inputs are <U1 of shape \(batch, 1\)"):
        teacher.predict(np.array([["a"]]))
    with pytest.raises(TeacherError, match=r"these inputs are object of shape \(batch\)"):
        teacher.predict(np.array(["a", 1], dtype=object))


def test_a_folder_that_is_absent_is_not_looked_for_elsewhere(tmp_path):
    with pytest.raises(MissingError, match="there is no folder bert-base-uncased: a model is open"):
        teachers.huggingface("bert-base-uncased")
    (tmp_path / "file").write_text("")
    with pytest.raises(MissingError, match="there is no folder"):
        teachers.huggingface(tmp_path / "file")


@pytest.mark.parametrize(
    ("gone", "sentence"),
    [
        (["config.json"], r"has no config\.json: it is no folder of a model of transformers"),
        (
            ["tokenizer.json"],
            r"has no tokenizer \(tokenizer\.json, vocab\.txt, \.\.\.\): write it there with "
            r"tokenizer\.save_pretrained\(folder\)",
        ),
        (["model.safetensors"], r"has no model\.safetensors: write it with model\.save_pretrained"),
    ],
)
def test_what_a_folder_lacks_is_named(folder, gone, sentence):
    for name in gone:
        (folder / name).unlink()
    with pytest.raises(MissingError, match=sentence):
        teachers.huggingface(folder)


def test_weights_that_are_a_pickle_are_never_opened(folder):
    class Trap:
        def __reduce__(self):
            return os.mkdir, (str(folder / "opened"),)

    (folder / "model.safetensors").unlink()
    torch.save(Trap(), folder / "pytorch_model.bin")
    with pytest.raises(
        TeacherError, match=r"keeps its weights in pytorch_model\.bin, which is a pickle and is nev"
    ):
        teachers.huggingface(folder)
    assert not (folder / "opened").exists()


def test_a_pickle_beside_the_weights_is_left_alone(whole, folder):
    (folder / "pytorch_model.bin").write_bytes(b"no pickle at all")
    (folder / "training_args.bin").write_bytes(b"nor this")
    said = teachers.huggingface(folder).predict(texts(TEXTS))
    np.testing.assert_array_equal(said, teachers.huggingface(whole).predict(texts(TEXTS)))


def index(folder, file):
    whole = {"metadata": {}, "weight_map": {"classifier.bias": file}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(whole))


@pytest.mark.parametrize("file", ["../other.safetensors", "/tmp/x.safetensors", "part.bin", "."])
def test_weights_outside_the_folder_or_of_another_form_are_refused(folder, file):
    index(folder, file)
    with pytest.raises(
        TeacherError, match=r"index\.json keeps weights in '.*', which is not a saf"
    ):
        teachers.huggingface(folder)


def test_an_index_that_names_nothing_or_what_is_not_there_is_refused(folder):
    index(folder, "part.safetensors")
    with pytest.raises(
        MissingError, match=r"keeps weights in 'part\.safetensors', which is not in"
    ):
        teachers.huggingface(folder)
    (folder / "model.safetensors.index.json").write_text('{"weight_map": {}}')
    with pytest.raises(CorruptError, match=r"index\.json is damaged: it has no weight_map"):
        teachers.huggingface(folder)


def test_weights_in_several_files_are_one_model(whole, folder):
    (folder / "model.safetensors").unlink()
    net = transformers.AutoModelForSequenceClassification.from_pretrained(whole)
    net.save_pretrained(folder, max_shard_size="4KB")
    assert len(list(folder.glob("*.safetensors"))) > 1
    said = teachers.huggingface(folder).predict(texts(TEXTS))
    np.testing.assert_allclose(said, one_by_one(whole, TEXTS), atol=1e-5)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("attn_implementation", "somebody/kernels"),
        ("transformers_weights", "adapter_model.bin"),
    ],
)
def test_a_configuration_that_names_files_or_code_elsewhere_is_refused(folder, key, value):
    rewrite(folder / "config.json", **{key: value})
    with pytest.raises(TeacherError, match=f"says {key} = '{value}', which can name files or code"):
        teachers.huggingface(folder)


def test_an_adapter_is_refused_with_what_to_do(folder):
    (folder / "adapter_config.json").write_text('{"base_model_name_or_path": "bert-base-uncased"}')
    with pytest.raises(TeacherError, match=r"holds an adapter, .* model\.merge_and_unload\(\)"):
        teachers.huggingface(folder)


def test_code_of_the_makers_is_not_run(folder):
    (folder / "trap.py").write_text(f"open({str(folder / 'ran')!r}, 'w').close()")
    named = {"AutoConfig": "trap.Config", "AutoModelForSequenceClassification": "trap.Net"}
    rewrite(folder / "config.json", auto_map=named, model_type="mine")
    with pytest.raises(TeacherError, match=r"copy cannot be opened by transformers: \S"):
        teachers.huggingface(folder)
    rewrite(folder / "config.json", model_type="bert")
    assert teachers.huggingface(folder).predict(texts(TEXTS)).shape == (5, 2)
    assert not (folder / "ran").exists()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"", "the weights in .* are damaged: "), (b"x" * 99, "the weights in .* are damaged: ")],
)
def test_damaged_weights_are_said_to_be(folder, content, sentence):
    (folder / "model.safetensors").write_bytes(content)
    with pytest.raises(CorruptError, match=sentence):
        teachers.huggingface(folder)


def test_damaged_settings_are_said_to_be(folder):
    (folder / "tokenizer.json").write_text("{")
    with pytest.raises(TeacherError, match=r"copy cannot be opened by transformers: \S"):
        teachers.huggingface(folder)
    (folder / "config.json").write_text("{")
    with pytest.raises(CorruptError, match=r"config\.json is not readable JSON"):
        teachers.huggingface(folder)


def test_what_is_no_sequence_classifier_is_refused_with_what_to_use(tmp_path):
    encoder = save(tmp_path / "encoder", "BertModel")
    with pytest.raises(
        TeacherError,
        match=r"encoder is no sequence classifier, its architecture is BertModel: of a sentence "
        r"encoder make a teacher with teachers\.encoder\('.*encoder'\)\.with_head\(\.\.\.\), and t",
    ):
        teachers.huggingface(encoder)
    rewrite(encoder / "config.json", architectures=...)
    with pytest.raises(TeacherError, match="its architecture is not named"):
        teachers.huggingface(encoder)
    rewrite(encoder / "config.json", architectures=["BertForSequenceClassification"])
    with pytest.raises(
        TeacherError,
        match=r"encoder is no trained classifier: its weights lack classifier\.bias and 1 more",
    ):
        teachers.huggingface(encoder, OPINIONS)


def test_a_batch_of_nothing_is_refused(whole):
    with pytest.raises(InputError, match="a batch holds 1 text or more, not 0"):
        teachers.huggingface(whole, batch=0)
