"""Students of the papers' sizes: counted without being built, absorbed exactly, found by budget."""

import dataclasses

import numpy as np
import pytest
import torch
from worlds import CLASSES, blobs, rule, tilted

from limbeck import (
    Examples,
    Plan,
    combine,
    evaluate,
    live,
    objectives,
    score,
    students,
    teachers,
    train,
)
from limbeck.errors import ExamplesError, InputError, RecipeError
from limbeck.evaluation import cost
from limbeck.students import parameters

TIMIT, CIFAR = ((1845,), 183), ((3, 32, 32), 10)


def sized(text, shape=(1, 8, 8), outputs=3):
    return students.from_text(text).sized(shape, outputs)


@pytest.mark.parametrize("units", [8_000, 50_000, 400_000])
def test_a_shallow_net_of_the_papers_width_is_counted_without_being_built(units):
    inputs, outputs = 1845, 183
    after = units + units * outputs + outputs  # the hidden biases and the last layer
    direct = sized(f"shallow({units})", *TIMIT)
    narrow = sized(f"shallow({units}, bottleneck=250)", *TIMIT)
    assert parameters(direct) == inputs * units + after
    assert parameters(narrow) == 250 * (inputs + units) + after


def test_the_papers_shallow_nets_have_the_papers_sizes():
    counts = {
        "shallow(50_000)": 101.4e6,
        "shallow(400_000, bottleneck=250)": 173.7e6,
        "mlp([2000, 2000, 2000])": 12.06e6,
    }
    for text, count in counts.items():
        assert parameters(sized(text, *TIMIT)) == pytest.approx(count, rel=3e-3)


@pytest.mark.parametrize(("channels", "count"), [(64, 53.6e6), (128, 70.9e6)])
def test_the_papers_convolutional_mimics_have_the_papers_sizes(channels, count):
    text = f"shallow_conv({channels}, bottleneck=1200, hidden=30_000)"
    assert parameters(sized(text, *CIFAR)) == pytest.approx(count, rel=1e-3)


def test_a_count_of_what_is_described_is_the_count_of_what_is_built():
    for text in ("mlp([7, 5])", "shallow_conv(4, bottleneck=3, hidden=9)", "convnet('tiny')"):
        assert parameters(sized(text)) == parameters(sized(text).build(0))
    own = students.factory(tilted).sized((1, 8, 8), 3)
    assert parameters(own) == parameters(own.build(0))


def test_a_student_prints_how_many_parameters_it_has():
    net = students.shallow(1000, bottleneck=50)
    assert str(net) == net.text
    assert str(net.sized((784,), 10)).endswith("bottleneck=50): 100,210 parameters")
    named = students.from_text(students.factory(tilted).sized((2,), 3).text)
    assert str(named) == named.text  # to count them would run code that nobody trusted


def test_a_run_says_how_many_parameters_its_net_has(tmp_path):
    examples = Examples.of(np.eye(9, 4, dtype=np.float32), labels=np.arange(9) % 3)
    net = students.of_size("mlp2", 1963)
    run = train(net, examples, objectives.Labels(), to=tmp_path, plan=Plan(epochs=1))
    assert run.parameters == run.manifest["parameters"] == parameters(run.model().body)
    assert isinstance(run.student, students.Mlp)
    old = {k: v for k, v in run.manifest.items() if k != "parameters"}
    assert type(run)(run.directory, old).parameters == run.parameters
    assert cost(run, examples).parameters == run.parameters


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize(
    "text", ["shallow(40, bottleneck=6)", "shallow_conv(5, bottleneck=6, hidden=40)"]
)
def test_absorbing_a_bottleneck_changes_no_answer_at_either_width(text, dtype):
    student = sized(text, (2, 9, 9))
    body = student.build(3).to(dtype)
    with torch.no_grad():
        for value in body.parameters():
            value.normal_()
    direct, absorbed = student.absorbed(body)
    inputs = torch.randn(50, 2, 9, 9, dtype=dtype)
    answers = body(inputs)
    limit = 1e-10 if dtype == torch.float64 else 1e-5 * answers.abs().max()
    assert direct.bottleneck == 0
    assert (absorbed(inputs) - answers).abs().max() <= limit
    assert answers.abs().max() > 1
    assert absorbed.state_dict().keys() == direct.build(0).state_dict().keys()
    assert parameters(absorbed) == parameters(direct)


def test_absorbing_leaves_the_net_with_a_bottleneck_as_it_was():
    student = sized("shallow_conv(2, bottleneck=3, hidden=4)").sized((1, 8, 8), 3)
    body = student.build(0).eval()
    before = {k: v.clone() for k, v in body.state_dict().items()}
    _, absorbed = student.absorbed(body)
    with torch.no_grad():
        for value in absorbed.parameters():
            value.zero_()
    assert all(torch.equal(value, before[k]) for k, value in body.state_dict().items())
    assert not absorbed.training


def test_a_bottleneck_on_maps_starts_with_the_variance_of_a_direct_layer():
    shape = (3, 16, 16)
    images = torch.randn(50, *shape, generator=torch.Generator().manual_seed(0))

    def before_relu(bottleneck, seed):
        net = students.shallow_conv(8, bottleneck=bottleneck, hidden=200).sized(shape, 3)
        with torch.no_grad():  # all but ReLU and the last layer
            return net.build(seed)[:-2](images).square().mean().item()

    direct = np.mean([before_relu(0, seed) for seed in range(20)])
    narrow = np.mean([before_relu(100, seed) for seed in range(20)])
    assert narrow == pytest.approx(direct, rel=0.1)


def test_pooling_before_relu_is_pooling_after_it():
    net = sized("shallow_conv(4, hidden=6)").build(1)
    convolution, pool, relu, *rest = net
    images = torch.randn(5, 1, 8, 8)
    after = torch.nn.Sequential(convolution, relu, pool, *rest)
    assert torch.equal(net(images), after(images))


@pytest.mark.parametrize(
    ("text", "operations"),
    [
        # 5x5 filters at 32x32 places, 15x15 maps to the bottleneck, to the hidden layer, and out.
        (
            "shallow_conv(8, bottleneck=20, hidden=50)",
            75 * 8 * 1024 + 1800 * 20 + 20 * 50 + 50 * 10,
        ),
        ("shallow(50, bottleneck=20)", 3072 * 20 + 20 * 50 + 50 * 10),
        # 3x3 filters at 32x32 and at 15x15 places; 7x7 maps to the hidden layer.
        (
            "conv_pool([4, 6], hidden=30)",
            27 * 4 * 1024 + 36 * 6 * 225 + 294 * 30 + 30 * 10,
        ),
    ],
)
def test_the_multiply_adds_of_a_student_are_counted(text, operations, tmp_path):
    shape, classes = (3, 32, 32), 10
    images = np.arange(20 * 3072, dtype=np.float32).reshape(20, *shape) % 7
    examples = Examples.of(images, labels=np.arange(20) % classes)
    net = sized(text, shape, classes)
    run = train(net, examples, objectives.Labels(), to=tmp_path, plan=Plan(epochs=1))
    assert cost(run, examples).operations == operations


@pytest.mark.parametrize("family", students.FAMILIES)
@pytest.mark.parametrize("budget", [100_000, 1_000_000, 3_000_000, 10_000_000, 30_000_000])
def test_a_student_of_a_size_has_that_size_or_up_to_a_hundredth_less(family, budget):
    found = students.of_size(family, budget, inputs=CIFAR[0], outputs=CIFAR[1])
    assert 0.99 * budget <= parameters(found) <= budget
    assert students.of_size(family, budget).sized(*CIFAR) == found
    assert students.from_text(found.text) == found


@pytest.mark.parametrize("family", students.FAMILIES)
def test_one_hidden_unit_more_would_be_too_many(family):
    found = students.of_size(family, 200_000, inputs=(1, 28, 28), outputs=10)
    if isinstance(found.hidden, tuple):
        wider = dataclasses.replace(found, hidden=(*found.hidden[:-1], found.hidden[-1] + 1))
    else:
        wider = dataclasses.replace(found, hidden=found.hidden + 1)
    assert parameters(found) <= 200_000 < parameters(wider)


def test_the_widths_of_a_family_keep_their_proportions():
    conv1 = students.of_size("conv1", 10_000_000, inputs=CIFAR[0], outputs=10)
    assert conv1.bottleneck == 4 * conv1.channels
    assert conv1.hidden == pytest.approx(200 * conv1.channels, rel=0.02)
    conv4 = students.of_size("conv4", 10_000_000, inputs=CIFAR[0], outputs=10)
    first = conv4.channels[0]
    assert conv4.channels == (first, 2 * first, 4 * first, 8 * first)
    assert conv4.hidden == pytest.approx(8 * first, rel=0.02)
    mlp1 = students.of_size("mlp1", 10_000_000, inputs=CIFAR[0], outputs=10)
    assert mlp1.hidden == pytest.approx(25 * mlp1.bottleneck, rel=0.02)
    assert students.of_size("mlp1", 100_000, inputs=(8,), outputs=3).bottleneck == 8


def test_of_the_parameters_of_conv1_about_half_are_the_bottlenecks_on_the_maps():
    found = students.of_size("conv1", 10_000_000, inputs=CIFAR[0], outputs=10)
    share = 225 * found.channels * found.bottleneck / parameters(found)
    assert 0.45 < share < 0.55


def test_a_budget_that_no_width_meets_is_refused_with_the_nearest():
    with pytest.raises(
        InputError,
        match=r"no conv1 from inputs of shape \(3, 32, 32\) to 10 classes has 500 parameters or "
        r"fewer: the smallest has 1,001",
    ):
        students.of_size("conv1", 500).sized(*CIFAR)
    with pytest.raises(
        InputError,
        match=r"no conv2 .* has 10,000 parameters, or at most 1 % fewer: the nearest have "
        r"9,\d\d\d and 10,\d\d\d$",
    ):
        students.of_size("conv2", 10_000).sized(*CIFAR)


def test_what_a_student_of_a_size_cannot_be_is_said_in_words():
    with pytest.raises(InputError, match="no family of students 'conv7'; did you mean 'conv"):
        students.of_size("conv7", 1000)
    with pytest.raises(InputError, match="of_size takes 1 parameter or more, not 0"):
        students.from_text("of_size('mlp1', 0)")
    with pytest.raises(InputError, match=r"of_size\(.*\) has no size yet"):
        students.of_size("mlp1", 1000).build(0)
    with pytest.raises(ExamplesError, match=r"shallow_conv takes images .* \(4,\)"):
        students.of_size("conv1", 1000, inputs=(4,), outputs=3)
    with pytest.raises(ExamplesError, match=r"conv_pool takes images .* \(4,\)"):
        students.of_size("conv3", 1000, inputs=(4,), outputs=3)
    with pytest.raises(ExamplesError, match="at least 3 pixels a side"):
        sized("shallow_conv(2, hidden=3)", (1, 2, 2)).build(0)
    with pytest.raises(InputError, match="shallow_conv has 1 channel or more, not 0"):
        students.shallow_conv(0, hidden=3)
    with pytest.raises(InputError, match="shallow_conv has 1 hidden unit or more"):
        students.shallow_conv(2, hidden=0)
    with pytest.raises(InputError, match="conv_pool has one convolution or more"):
        students.conv_pool([], hidden=3)
    with pytest.raises(RecipeError, match=r"of_size\(\) has no keyword 'parameter'"):
        students.from_text("of_size('mlp1', parameter=3)")


@pytest.mark.parametrize("how", ["stored", "combined", "live"])
def test_a_student_larger_than_its_teacher_is_allowed_and_said(how, tmp_path):
    examples, plan = blobs(60), Plan(epochs=1)
    net, labels = students.mlp([3]), objectives.Labels()
    taught = train(net, examples, labels, to=tmp_path / "t", plan=plan, seeds=2, control=False)
    ensemble = teachers.ensemble([taught])
    assert ensemble.parameters == 2 * taught.parameters == 2 * (9 + 12)
    scored = {
        "live": lambda: live(ensemble, examples, accept_teacher=True),
        "stored": lambda: score(ensemble, examples, to=tmp_path / "s", accept_teacher=True),
        "combined": lambda: combine(
            [
                score(
                    teachers.run(taught, seed),
                    examples,
                    to=tmp_path / f"s{seed}",
                    accept_teacher=True,  # one epoch taught it nothing
                )
                for seed in taught.seeds
            ],
            to=tmp_path / "s",
        ),
    }[how]()
    soft = objectives.SoftTargets()
    wide = train(students.mlp([20]), scored, soft, to=tmp_path / "wide", plan=plan)
    said = "the student is larger than its teacher, 123 parameters against 42: "
    assert [note for note in wide.notes if said in note]
    assert not any(said in note for note in wide.control.notes)
    small = train(net, scored, soft, to=tmp_path / "small", plan=plan)
    assert not any("larger than its teacher" in note for note in small.notes)
    report = evaluate({"teacher": ensemble, "student": wide}, blobs(30, seed=5))
    assert said in report.to_markdown()


def test_nothing_is_said_where_the_teachers_size_is_unknown(tmp_path):
    scores = score(teachers.function(rule, CLASSES), blobs(60), to=tmp_path / "s")
    run = train(
        students.mlp([20]), scores, objectives.SoftTargets(), to=tmp_path / "r", plan=Plan(epochs=1)
    )
    assert not any("larger" in note for note in run.notes)
