"""`ngrams`: texts to scores in one net, the same by every door."""

import re

import numpy as np
import pytest
import torch

import limbeck
from limbeck import objectives, students, teachers
from limbeck.errors import InputError
from limbeck.examples import Ragged, numbers, tensor
from limbeck.students.families._ngrams import BASE, LINK, PRIME, Hashed

TEXTS = ["Hello, world! hello", "a b", "!!!", "don't stop at 007", "über alles \u2603", "x"]
KIND, UNKIND = ["great", "lovely", "fine", "superb"], ["bad", "awful", "poor", "dull"]
FILLING = ["the", "a", "movie", "plot", "and", "is", "was"]
PLAN = limbeck.Plan(epochs=20, batch=32, learning_rate=0.02)


def polynomial(stretch: bytes) -> int:
    """Horner's rule, byte by byte."""
    found = 0
    for byte in stretch:
        found = (found * BASE + byte) % PRIME
    return found


def slow(text: str, words: int, characters: tuple[int, ...], buckets: int) -> list[int]:
    """The buckets of a text, one n-gram after the other."""
    content = text.encode().lower()
    single = [polynomial(word) for word in re.findall(rb"[0-9a-z\x80-\xff]+", content)]
    found = []
    for order in range(1, words + 1):
        for first in range(len(single) - order + 1):
            gram = single[first]
            for place in range(1, order):
                gram = (gram * LINK + single[first + place] + place + 1) % PRIME
            found.append(gram)
    for n in characters:
        stretches = [content[first : first + n] for first in range(len(content) - n + 1)]
        found += [(polynomial(stretch) + n * BASE) % PRIME for stretch in stretches]
    return sorted(gram * LINK % PRIME % buckets for gram in found)


def texts(given: list[str]) -> np.ndarray:
    return np.array(given, dtype=np.dtypes.StringDType())


def reviews(n: int, seed: int = 0) -> limbeck.Examples:
    drawn = np.random.default_rng(seed)
    labels = drawn.integers(0, 2, n)
    told = [
        " ".join([*drawn.choice(FILLING, drawn.integers(3, 30)), *drawn.choice(words, 2)])
        for words in ([UNKIND, KIND][label] for label in labels)
    ]
    return limbeck.Examples.of(told, labels, classes=["negative", "positive"], name=f"reviews {n}")


def opinion(inputs: np.ndarray) -> np.ndarray:
    """A teacher who counts words."""
    words = [told.split() for told in inputs.tolist()]
    counts = [sum(w in KIND for w in told) - sum(w in UNKIND for w in told) for told in words]
    return np.stack([np.zeros(len(counts)), np.array(counts)], axis=1)


@pytest.mark.parametrize(("words", "characters"), [(1, ()), (2, ()), (3, (2, 5)), (0, (3,))])
def test_hashing_all_at_once_finds_what_one_after_the_other_does(words, characters) -> None:
    rows, buckets = Hashed(words, characters, 1009)(tensor(texts(TEXTS)))
    for row, told in enumerate(TEXTS):
        assert sorted(buckets[rows == row].tolist()) == slow(told, words, characters, 1009)


def test_a_text_has_the_same_ngrams_alone_and_among_longer_ones() -> None:
    net = students.ngrams(2, characters=[3], inputs=(-1,), outputs=3).build(0)
    together = net(tensor(texts(TEXTS)))
    alone = torch.cat([net(tensor(texts([told]))) for told in TEXTS])
    torch.testing.assert_close(together, alone)


def test_case_and_what_stands_between_words_make_no_difference() -> None:
    net = students.ngrams(2, inputs=(-1,), outputs=2).build(0)
    one, other = net(tensor(texts(["Two  WORDS", "(two) words!"])))
    torch.testing.assert_close(one, other)
    assert not torch.equal(one, net(tensor(texts(["words two"])))[0])


def test_buckets_that_were_found_before_give_the_same_scores() -> None:
    examples = limbeck.Examples.of(TEXTS)
    student = students.ngrams(2, characters=[4], inputs=(-1,), outputs=2)
    net, found = student.build(1), student.readings_in(examples)
    again = net(torch.from_numpy(found.block(np.arange(len(TEXTS)))))
    torch.testing.assert_close(net(tensor(examples.inputs)), again)


def test_texts_are_hashed_once_for_every_net_of_a_kind() -> None:
    examples = limbeck.Examples.of(TEXTS)
    one = students.ngrams(2).readings_in(examples)
    assert students.ngrams(2, dimensions=4, hidden=8).readings_in(examples) is one
    assert students.ngrams(3).readings_in(examples) is not one
    part = examples.take(np.array([4, 0]))
    kept = students.ngrams(2).readings_in(part)
    assert kept.block(np.array([1])).tolist() == one.block(np.array([0])).tolist()


def test_lists_of_unequal_lengths_keep_their_order() -> None:
    found = Ragged.of(np.array([5, 6, 7, 8]), np.array([2, 0, 2]))
    assert found.block(np.array([2, 1, 0])).tolist() == [[7, 8], [-1, -1], [5, 6]]
    assert found.take(np.array([2, 2])).block(np.array([1])).tolist() == [[7, 8]]
    assert len(Ragged.joined([found, found])) == 6


@pytest.mark.slow
def test_a_student_learns_from_a_teacher_of_texts_and_is_one_file(tmp_path) -> None:
    unlabelled, test = reviews(400).without_labels(), reviews(200, seed=1)
    scores = limbeck.score(opinion, unlabelled, to=tmp_path / "scores")
    student = students.ngrams(1, buckets=4096, dimensions=4)
    how = {"plan": PLAN, "control": False}
    run = limbeck.train(student, scores, objectives.MatchLogits(), to=tmp_path / "run", **how)
    said = teachers.run(run).answers(test, "the student").argmax(axis=1)
    assert (said == test.labels).mean() > 0.95
    made = limbeck.export(run, to=tmp_path / "student.onnx", check=test)
    assert made.largest_difference < 1e-5
    assert made.path.stat().st_size < 4096 * 4 * 4 + 800_000


@pytest.mark.slow
def test_an_exported_file_reads_bytes_of_any_length(tmp_path) -> None:
    onnxruntime = pytest.importorskip("onnxruntime", reason="needs limbeck[export]")
    train = reviews(60)
    run = limbeck.train(
        students.ngrams(2, characters=[3], buckets=512, dimensions=4, hidden=3),
        train,
        objectives.Labels(),
        to=tmp_path / "run",
        plan=limbeck.Plan(epochs=1),
    )
    limbeck.export(run, to=tmp_path / "student.onnx", check=train)
    session = onnxruntime.InferenceSession(tmp_path / "student.onnx")
    told = texts([*TEXTS, "long " * 400])
    (scores,) = session.run(["scores"], {"inputs": numbers(told)})
    with torch.inference_mode():
        expected = run.model()(tensor(told)).numpy()
    np.testing.assert_allclose(scores, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("how", "sentence"),
    [
        ({"words": 0}, "without words there are characters; got 0"),
        ({"words": 9}, "words is the longest run of words, 0 to 5"),
        ({"characters": [0]}, "lengths of characters and dimensions are 1 or more"),
        ({"buckets": 0}, "there are 1 to 1048576 buckets, not 0"),
    ],
)
def test_a_net_without_ngrams_is_refused(how, sentence) -> None:
    with pytest.raises(InputError, match=sentence):
        students.ngrams(**how)


@pytest.mark.slow
def test_an_exported_file_answers_alike_with_several_threads_and_for_texts_without_pairs(tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime", reason="needs limbeck[export]")
    drawn = np.random.default_rng(0)
    words = [" ".join(f"w{n}" for n in drawn.integers(0, 5000, 400)) for _ in range(64)]
    texts = limbeck.Examples.of(
        np.array(words, dtype=np.dtypes.StringDType()),
        drawn.integers(0, 2, len(words)),
        classes=["no", "yes"],
    )
    plan = limbeck.Plan(epochs=1, batch=16, learning_rate=0.5, held_out=0.0)
    run = limbeck.train(
        students.ngrams(2), texts, objectives.Labels(), to=tmp_path / "run", plan=plan
    )
    made = limbeck.export(run, to=tmp_path / "net.onnx", check=texts)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 4  # which lost some of the sums, now and then
    session = onnxruntime.InferenceSession(made.path, options, providers=["CPUExecutionProvider"])
    for some in (words, ["word", "other"], ["!!!", "two words"], ["!!!"]):
        shown = limbeck.Examples.of(np.array(some, dtype=np.dtypes.StringDType())).inputs
        given = numbers(shown)
        with torch.no_grad():
            expected = run.model()(torch.from_numpy(given)).numpy()
        for _ in range(5):
            answered = session.run(["scores"], {"inputs": given})[0]
            assert np.abs(answered - expected).max() < 1e-5
