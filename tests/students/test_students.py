"""Students are descriptions that rebuild the same bits; a bottleneck is absorbed exactly."""

import numpy as np
import pytest
import torch
import worlds
from worlds import Tilted, tilted

import limbeck
from limbeck import objectives, students
from limbeck.errors import ExamplesError, InputError, RecipeError, TrustError
from limbeck.students import encodings, parameters

KINDS = [
    "mlp([7, 5])",
    "mlp([])",
    "mlp([4], dropout=0.5, input_dropout=0.2)",
    "shallow(9)",
    "shallow(9, bottleneck=3)",
    "shallow(9, bottleneck=3, dropout=0.5)",
    "shallow_conv(4, hidden=9)",
    "shallow_conv(4, bottleneck=3, hidden=9)",
    "conv_pool([4], hidden=6)",
    "conv_pool([3, 4, 5, 6], hidden=7)",
    "of_size('mlp1', 3000)",
    "of_size('mlp3', 3000)",
    "of_size('conv1', 3000)",
    "of_size('conv4', 3000)",
    "convnet('tiny')",
    "convnet(widths=[3, 4], dropout=0.1)",
    "fastnet([3, 4])",
    "fastnet([3, 4], mirrored=True)",
]


def sized(text: str) -> students.Student:
    return students.from_text(text).sized((1, 8, 8), 3)


@pytest.mark.parametrize("text", KINDS)
def test_the_same_seed_gives_the_same_bits_and_another_seed_others(text):
    one, again, other = sized(text).build(1), sized(text).build(1), sized(text).build(2)
    for name, value in one.state_dict().items():
        assert torch.equal(value, again.state_dict()[name])
    assert any(
        not torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True)
    )


@pytest.mark.parametrize("text", KINDS)
def test_building_leaves_the_callers_random_numbers_alone(text):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    sized(text).build(1)
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize("text", KINDS)
def test_a_description_reads_its_own_text_and_answers_with_classes(text):
    student = sized(text)
    assert students.from_text(student.text) == student
    assert student.build(0)(torch.zeros(4, 1, 8, 8)).shape == (4, 3)


def test_the_papers_nets_have_the_papers_sizes():
    def count(text):
        return parameters(students.from_text(text).sized((1, 28, 28), 10).build(0))

    assert count("mlp([800, 800])") == 784 * 800 + 800 + 800 * 800 + 800 + 8000 + 10
    assert count("mlp([1200, 1200])") == 2_395_210
    # Ba & Caruana's count of W is k (H + D) with a bottleneck, H D without.
    assert count("shallow(1000, bottleneck=50)") == 50 * (784 + 1000) + 1000 + 10_010


def test_a_fastnet_pools_after_the_first_convolution_of_a_block():
    net = students.fastnet().sized((3, 32, 32), 10).build(0)
    filters = 24 * 64 + 64 * 64 + 64 * 256 + 3 * 256 * 256
    shifts = 24 + 2 * (64 + 256 + 256)  # the first filters are fixed
    assert parameters(net) == 9 * filters + shifts + 10 * 256
    maps = [m for m in net if isinstance(m, torch.nn.Conv2d)]
    sides, inputs = [], torch.zeros(2, 3, 32, 32)
    for layer in net[:-4]:
        inputs = layer(inputs)
        if layer in maps:
            sides.append(inputs.shape[-1])
    assert sides == [31, 15, 15, 7, 7, 3]


def test_a_fastnets_convolutions_hand_their_channels_on_at_the_start():
    net = students.fastnet([30, 8]).sized((3, 16, 16), 4).build(0)
    layers = [m for m in net if isinstance(m, torch.nn.Conv2d)]
    maps = torch.randn(2, 24, 9, 9)
    torch.testing.assert_close(layers[0](maps)[:, :24], maps)
    torch.testing.assert_close(layers[2](torch.randn(1, 30, 4, 4)).shape, torch.Size([1, 8, 4, 4]))


def test_whitened_patches_are_uncorrelated_and_of_variance_one():
    drawn = np.random.default_rng(0)
    smooth = drawn.normal(size=(200, 3, 12, 12)).cumsum(axis=2).cumsum(axis=3)
    images = limbeck.Examples.of(smooth.astype(np.float32), name="smooth")
    first = students.whitening(images)["body.0.filters"]
    encoded = encodings.standard(images).build()(torch.from_numpy(images.inputs))
    said = torch.nn.functional.conv2d(encoded, first).transpose(0, 1).flatten(1)
    assert torch.equal(said[12:], -said[:12])
    moments = said[:12] @ said[:12].T / said.shape[1]
    variances = moments.diagonal()
    torch.testing.assert_close(moments, torch.diag(variances), atol=1e-3, rtol=0)
    assert variances[-6:].sub(1).abs().max() < 0.05  # the weakest are not stretched to the full


def test_a_mirrored_fastnet_answers_for_both_sides_once_it_is_trained():
    images = torch.rand(5, 3, 16, 16)
    plain, mirrored = (
        students.fastnet([4, 8], mirrored=both).sized((3, 16, 16), 4).build(0)
        for both in (False, True)
    )
    assert torch.equal(plain.train()(images), mirrored.train()(images))
    plain.load_state_dict(mirrored.state_dict())
    with torch.no_grad():
        both = (plain.eval()(images) + plain(images.flip(-1))) / 2
        assert torch.allclose(mirrored.eval()(images), both)
        assert torch.allclose(mirrored(images.flip(-1)), both)


def test_a_fastnet_starts_from_whitened_filters_and_does_not_train_them(tmp_path):
    train = worlds.pictures(40, side=12)
    start = students.whitening(train)
    plan = limbeck.Plan(epochs=2, optimizer="nesterov", momentum=0.85, learning_rate=0.1)
    run = limbeck.train(
        students.fastnet([8, 8]), train, objectives.Labels(), to=tmp_path, plan=plan, start=start
    )
    kept = run.model().state_dict()["body.0.filters"]
    assert torch.equal(kept.cpu(), start["body.0.filters"])


def test_patches_are_of_images():
    rows = limbeck.Examples.of(np.zeros((4, 5), np.float32))
    with pytest.raises(
        ExamplesError, match=r"patches are of images, not of inputs of shape \(5,\)"
    ):
        students.whitening(rows)


def test_absorbing_a_bottleneck_changes_no_answer():
    student = students.shallow(64, bottleneck=8).sized((20,), 5)
    body = student.build(3).double()
    with torch.no_grad():
        for value in body.parameters():
            value.normal_()
    direct, absorbed = student.absorbed(body)
    inputs = torch.randn(100, 20, dtype=torch.float64)
    assert direct.bottleneck == 0
    assert (absorbed(inputs) - body(inputs)).abs().max() <= 1e-10
    assert absorbed(inputs).abs().max() > 1


def test_absorbing_pays_where_the_product_is_smaller():
    assert students.shallow(10, bottleneck=8).sized((10,), 3).shrinks_when_absorbed
    assert not students.shallow(1000, bottleneck=8).sized((784,), 3).shrinks_when_absorbed
    assert not students.shallow(10).sized((10,), 3).shrinks_when_absorbed


def test_a_bottleneck_starts_with_the_variance_of_a_direct_layer():
    inputs = torch.randn(2000, 400, generator=torch.Generator().manual_seed(0))
    direct = students.shallow(500).sized((400,), 3).build(0)
    narrow = students.shallow(500, bottleneck=100).sized((400,), 3).build(0)
    of_direct = direct[1](inputs).var().item()
    of_narrow = narrow[2](narrow[1](inputs)).var().item()
    assert of_direct == pytest.approx(2.0, rel=0.1)
    assert of_narrow == pytest.approx(of_direct, rel=0.1)


def test_a_factory_of_your_own_is_seeded_and_given_the_sizes():
    student = students.factory(tilted).sized((1, 8, 8), 3)
    assert isinstance(student.build(0), Tilted)
    assert torch.equal(student.build(4).last.weight, student.build(4).last.weight)
    assert student.build(0)(torch.zeros(4, 1, 8, 8)).shape == (4, 3)


def test_naming_code_runs_it_only_when_trusted():
    named = students.from_text(students.factory(tilted).sized((2,), 3).text)
    with pytest.raises(
        TrustError, match="worlds:tilted runs code that this text names: pass --trust"
    ):
        named.build(0)
    trusted = students.from_text(named.text, trust=True)
    assert isinstance(trusted.build(0), Tilted)


def test_a_function_that_cannot_be_found_again_is_refused():
    with pytest.raises(InputError, match="cannot be found again by its name"):
        students.factory(lambda: Tilted())


def test_what_a_student_cannot_be_is_said_in_words():
    with pytest.raises(InputError, match=r"mlp\(hidden=\[3\]\) has no size yet"):
        students.mlp([3]).build(0)
    with pytest.raises(InputError, match=r"takes inputs of shape \(2,\) to 3 classes; these"):
        students.mlp([3]).sized((2,), 3).sized((4,), 3)
    with pytest.raises(InputError, match="a hidden layer has 1 unit or more"):
        students.mlp([0])
    with pytest.raises(InputError, match="no convnet 'smal'; did you mean 'small'"):
        students.convnet("smal")
    with pytest.raises(ExamplesError, match=r"takes images .* of at least 8 pixels a side"):
        students.convnet("small").sized((1, 4, 4), 3).build(0)
    with pytest.raises(InputError, match=r"fastnet needs the width of each block, not \[\]"):
        students.fastnet([])
    with pytest.raises(ExamplesError, match=r"a fastnet of 3 blocks .* at least 9 pixels a side"):
        students.fastnet().sized((1, 8, 8), 3).build(0)
    with pytest.raises(RecipeError, match="no student 'mpl'; did you mean 'mlp'"):
        students.from_text("mpl([3])")
    with pytest.raises(RecipeError, match=r"'__import__\\('os'\\)' is neither|there is no student"):
        students.from_text("mlp(__import__('os'))")
    with pytest.raises(InputError, match="cannot import 'nowhere'"):
        students.from_text("factory('nowhere:net')", trust=True).sized((2,), 3).build(0)


FRAMES = (3 * (40 + 1), 15)  # 40 bands and the energy, their differences; 15 frames


def frequency_net(**how):
    return students.frequency_conv(6, [10, 9], **how).sized(FRAMES, 4)


def test_a_filter_over_frequency_sees_neighbouring_bands_of_all_frames_and_the_energy_goes_past():
    net = frequency_net().build(0).eval()
    frames = torch.randn(2, *FRAMES, generator=torch.Generator().manual_seed(0))
    bands = net[0]
    weight, bias = bands.convolution[0].weight, bands.convolution[0].bias
    found = bands(frames)
    kinds = frames.reshape(2, 3, 41, 15)
    # The slow way: place by place, the bands that a filter sees, of all kinds and frames.
    places = [
        torch.einsum(
            "nktw,cktw->nc", kinds[:, :, at : at + 8].transpose(2, 3), weight.reshape(6, 3, 15, 8)
        )
        + bias
        for at in range(33)
    ]
    pooled = torch.stack([torch.stack(places[3 * i : 3 * i + 3]).amax(0) for i in range(11)], dim=2)
    torch.testing.assert_close(found[:, :66], pooled.relu().flatten(1))
    torch.testing.assert_close(found[:, 66:], kinds[:, :, 40].flatten(1))


def test_a_net_over_frequency_rebuilds_itself_and_counts_its_parameters():
    student = frequency_net(dropout=0.5)
    assert students.from_text(student.text) == student
    filters, dense = 6 * (45 * 8 + 1), (66 + 45 + 1) * 10 + 11 * 9 + 10 * 4
    assert parameters(student) == filters + dense
    assert sum(isinstance(layer, torch.nn.Dropout) for layer in student.build(0)) == 2


def test_a_net_over_frequency_takes_frames_alone():
    with pytest.raises(
        ExamplesError, match=r"takes frames \(3 x \(bands \+ 1\), time\) of at least 10"
    ):
        students.frequency_conv(6, [10]).sized((1, 28, 28), 4).build(0)
    with pytest.raises(ExamplesError, match=r"inputs have shape \(122, 15\)"):
        students.frequency_conv(6, [10]).sized((122, 15), 4).build(0)
    with pytest.raises(
        InputError, match="1 channel, band, place and hidden unit or more; got 0, 8"
    ):
        students.frequency_conv(0, [10])
    with pytest.raises(InputError, match="dropout lies between 0 and 1, not 1"):
        students.frequency_conv(3, [10], dropout=1.0)


def test_dropout_of_a_shallow_net_is_behind_its_hidden_layer():
    layers = list(students.shallow(9, bottleneck=3, dropout=0.5).sized((8,), 3).build(0))
    assert [type(layer).__name__ for layer in layers[-3:]] == ["ReLU", "Dropout", "Linear"]
    with pytest.raises(InputError, match="dropout lies between 0 and 1, not 1"):
        students.shallow(9, dropout=1.0)
