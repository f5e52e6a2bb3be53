"""Code of a user's own, named by a text: one grammar, one trust, fingerprints, clear refusals."""

import pytest
import torch
from worlds import blobs, double

from limbeck import objectives, students, teachers, views
from limbeck.errors import InputError, MismatchError, MissingError, RecipeError, TrustError
from tests.objectives.test_objectives import batch

MINE = """
from dataclasses import dataclass

from torch import nn, zeros


@dataclass(frozen=True)
class Absolute:
    weight: float = 1.0
    needs_scores = True
    needs_labels = False

    def __call__(self, output, batch):
        return {"absolute": self.weight * (output - batch.scores).abs().sum() / len(batch)}


class Shifted(nn.Module):
    needs_scores = True
    needs_labels = False

    def __init__(self):
        super().__init__()
        self.shift = nn.Parameter(zeros(3))

    def forward(self, output, batch):
        return {"shifted": (output + self.shift - batch.scores).square().sum() / len(batch)}


def doubled(weight):
    return Absolute(2 * weight)


def closed(weight):
    def objective(output, batch):
        return Absolute(weight)(output, batch)

    objective.needs_scores, objective.needs_labels = True, False
    return objective


class Deaf:
    def __call__(self, output, batch):
        return {}


def five():
    return 5
"""


@pytest.fixture
def mine(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(MINE)
    return tmp_path / "mine.py"


def cost(objective):
    return sum(objective(double(4, 3), batch(double(4, 3, seed=1), [0] * 4)).values()).item()


@pytest.mark.usefixtures("mine")
def test_an_objective_in_a_file_is_made_with_its_arguments():
    one = objectives.from_text("mine.py:Absolute", trust=True)
    three = objectives.from_text("mine.py:Absolute(weight=3)", trust=True)
    by_hand = (double(4, 3) - double(4, 3, seed=1)).abs().sum().item() / 4
    assert cost(one) == pytest.approx(by_hand)
    assert cost(three) == pytest.approx(3 * by_hand)
    assert cost(objectives.from_text("mine.py:doubled(1.5)", trust=True)) == pytest.approx(
        3 * by_hand
    )
    assert cost(objectives.from_text("mine.py:closed(3)", trust=True)) == pytest.approx(3 * by_hand)


@pytest.mark.usefixtures("mine")
@pytest.mark.parametrize("call", ["Absolute(weight=3)", "doubled(1)", "closed(2)", "Shifted()"])
def test_its_text_names_the_call_and_reads_back(call):
    made = objectives.from_text(f"mine.py:{call}", trust=True)
    assert made.text.startswith(f"mine.py:{call}  # ")
    assert objectives.from_text(made.text, trust=True).text == made.text
    assert isinstance(made, objectives.Objective)


@pytest.mark.usefixtures("mine")
def test_one_that_is_a_module_keeps_its_parameters():
    made = objectives.from_text("mine.py:Shifted()", trust=True)
    assert isinstance(made.wrapped, torch.nn.Module)
    assert made.trainable is made.wrapped
    assert [name for name, _ in made.named_parameters()] == ["shift"]


def test_a_changed_file_is_another_text_and_the_old_text_refuses_it(mine):
    before = objectives.from_text("mine.py:Absolute()", trust=True)
    mine.write_text(MINE.replace("self.weight *", "7 * self.weight *"))
    after = objectives.from_text("mine.py:Absolute()", trust=True)
    assert after.text != before.text
    assert cost(after) == pytest.approx(7 * cost(before))
    with pytest.raises(MismatchError, match=r"mine.py has changed: Absolute was read from content"):
        objectives.from_text(before.text, trust=True)


@pytest.mark.usefixtures("mine")
def test_the_same_file_gives_the_same_class():
    one, other = (objectives.from_text("mine.py:Absolute(2)", trust=True) for _ in range(2))
    assert type(one.wrapped) is type(other.wrapped)
    assert one == other


def test_nothing_of_a_file_is_run_without_trust(mine):
    mine.write_text("raise SystemExit('it was run')")
    with pytest.raises(
        TrustError, match=r"the objective mine.py:Absolute runs code that this text names: pass"
    ):
        objectives.from_text("mine.py:Absolute()")
    objectives.check_text("mine.py:Absolute()")


@pytest.mark.parametrize(
    ("text", "error", "sentence"),
    [
        ("your.py:Absolute()", MissingError, "there is no file your.py"),
        ("mine.py:Absolut()", InputError, "has no class or function 'Absolut'; did you mean 'Abs"),
        ("mine.py:Absolute(wait=3)", RecipeError, "no keyword 'wait'; did you mean 'weight'"),
        ("mine.py:Absolute(len('ab'))", RecipeError, "there is no objective 'len'"),
        ("mine.py:Absolute(weight=x)", RecipeError, "'x' is neither a number, a text"),
        ("mine.py:doubled()", RecipeError, "missing a required argument: 'weight'"),
        ("mine.py:Deaf()", InputError, "makes no objective: it lacks needs_scores and needs_lab"),
        ("mine.py:five()", RecipeError, "makes a int, which is no objective"),
    ],
)
@pytest.mark.usefixtures("mine")
def test_what_is_wrong_with_it_is_said_in_a_sentence(text, error, sentence):
    with pytest.raises(error, match=sentence):
        objectives.from_text(text, trust=True)


def test_a_file_that_fails_says_how(mine):
    mine.write_text("import nowhere_to_be_found")
    with pytest.raises(InputError, match=r"mine.py cannot be run: ModuleNotFoundError: No module"):
        objectives.from_text("mine.py:Absolute()", trust=True)


def test_a_file_is_found_by_its_path(mine, tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert cost(objectives.from_text("../mine.py:Absolute()", trust=True)) > 0
    assert cost(objectives.from_text(f"{mine}:Absolute()", trust=True)) > 0


# One grammar for students, objectives, teachers and views.

ALL = """
from dataclasses import replace

from torch import nn

from limbeck import teachers, views


def net(inputs, outputs, units=2):
    return nn.Sequential(nn.Linear(inputs[0], units), nn.Linear(units, outputs))


class Loss:
    needs_scores, needs_labels = True, False

    def __init__(self, weight=1.0):
        self.weight = weight

    def __call__(self, output, batch):
        return {"loss": self.weight * output.sum()}


def teacher(*, scale=1.0):
    return teachers.function(lambda x: x[:, :2] * scale, ["a", "b"], name="ours", version="1")


class Blur:
    def __init__(self, by=2, of=views.plain()):
        self.by, self.of = by, of

    def show(self, examples, rows, numbers, seed):
        shown = self.of.show(examples, rows, numbers, seed)
        return replace(shown, inputs=shown.inputs / self.by)
"""


def read_student(text, *, trust=False):
    made = students.from_text(text, trust=trust).sized((4,), 3)
    made.build(0)
    return made


def read_teacher(text, *, trust=False):
    return teachers.from_text(text, trust=trust)


KINDS = {
    "student": (read_student, "net", "units=3", "ned"),
    "objective": (objectives.from_text, "Loss", "weight=2", "Los"),
    "teacher": (read_teacher, "teacher", "scale=2", "teachr"),
    "view": (views.from_text, "Blur", "by=4", "Blurr"),
}


def text_of(kind, made):
    return made.source if kind == "teacher" else made.text


@pytest.fixture
def whole(tmp_path, monkeypatch):
    """A file with one of each kind, and the name that it has as a module."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    file = tmp_path / f"all_{tmp_path.name}.py"
    file.write_text(ALL)
    return file


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_named_in_a_file_or_a_module_with_or_without_a_call(kind, whole):
    read, name, argument, _ = KINDS[kind]
    for place in (whole.name, whole.stem):
        for call in (name, f"{name}({argument})"):
            made = read(f"{place}:{call}", trust=True)
            again = read(text_of(kind, made), trust=True)
            assert text_of(kind, again) == text_of(kind, made)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_refused_by_the_same_sentence_and_nothing_is_run(kind, whole):
    read, name, argument, _ = KINDS[kind]
    whole.write_text("raise SystemExit('it was run')")
    for place in (whole.name, whole.stem):
        for call in (name, f"{name}({argument})"):
            with pytest.raises(TrustError) as refusal:
                read(f"{place}:{call}")
            assert str(refusal.value) == (
                f"the {kind} {place}:{name} runs code that this text names: pass --trust "
                "(trust=True) if you know where it comes from"
            )


@pytest.mark.parametrize("kind", KINDS)
def test_a_changed_file_is_refused_for_every_kind(kind, whole):
    read, name, argument, _ = KINDS[kind]
    before = text_of(kind, read(f"{whole.name}:{name}({argument})", trust=True))
    whole.write_text(ALL + "# changed")
    with pytest.raises(MismatchError, match=rf"has changed: {name} was read from content"):
        read(before, trust=True)
    assert text_of(kind, read(f"{whole.name}:{name}({argument})", trust=True)) != before


@pytest.mark.parametrize("kind", KINDS)
def test_an_unknown_name_is_met_with_the_nearest_for_every_kind(kind, whole):
    read, name, argument, slip = KINDS[kind]
    for place in (whole.name, whole.stem):
        for call in (slip, f"{slip}({argument})"):
            with pytest.raises(InputError, match=rf"has no .*'{slip}'; did you mean '{name}'"):
                read(f"{place}:{call}", trust=True)


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_is_not_there_is_missing_for_every_kind(kind, whole):
    read, name, _, _ = KINDS[kind]
    with pytest.raises(MissingError, match=r"there is no file gone\.py"):
        read(f"gone.py:{name}()", trust=True)


def test_a_view_of_your_own_shows_and_takes_ours(whole):
    points = blobs(5)
    view = views.from_text(f"{whole.name}:Blur(4, of=plain())", trust=True)
    shown = view(points, points.keys, 0, 0)
    assert (shown.inputs == points.inputs / 4).all()
    views.check_text(f"{whole.name}:Blur(4)")
    whole.write_text("def five():\n    return 5")
    with pytest.raises(InputError, match="five makes no view: a int shows nothing"):
        views.from_text(f"{whole.name}:five()", trust=True)


def test_a_student_keeps_its_settings_its_size_and_its_file(whole):
    made = read_student(f"{whole.name}:net(units=3)", trust=True)
    assert made.text.startswith(f"{whole.name}:net(units=3, inputs=[4], outputs=3)  # ")
    assert students.parameters(students.from_text(made.text, trust=True)) == 4 * 3 + 3 + 3 * 3 + 3
    named = students.from_text(f"{whole.stem}:net(units=3)")
    assert named == students.factory(f"{whole.stem}:net", units=3)
    with pytest.raises(RecipeError, match="too many positional arguments"):
        students.from_text(f"{whole.name}:net(3)")
