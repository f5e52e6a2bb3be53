"""Views: pure functions of key, view number and seed."""

import copy
import pickle
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from worlds import blobs, pictures

from limbeck import Examples, views
from limbeck.errors import ExamplesError, InputError, RecipeError
from limbeck.examples import as_view

PICTURES = pictures(24)
VIEWS = [
    "plain",
    "jitter(2)",
    "crop(3)",
    "flip",
    "affine(30.0, zoom=0.2, shear=0.2)",
    "elastic(1.5)",
    "mixup",
    "mixup(of=flip(of=jitter(1)))",
    "mixup(of=elastic(of=affine(20, of=jitter(1))))",
]


@pytest.mark.parametrize("text", VIEWS)
@given(number=st.integers(0, 2**31 - 1), seed=st.integers(0, 2**40), chosen=st.data())
def test_the_same_key_looks_alike_in_any_company(text, number, seed, chosen):
    view = views.from_text(text)
    keys = np.array(
        chosen.draw(st.lists(st.sampled_from(list(PICTURES.keys)), min_size=1, max_size=9))
    )
    together = view(PICTURES, keys, number, seed)
    for at, key in enumerate(keys):
        alone = view(PICTURES, np.array([key]), number, seed)
        assert alone.inputs[0].tobytes() == together.inputs[at].tobytes()
        assert np.array_equal(alone.labels[0], together.labels[at])


@pytest.mark.parametrize("text", VIEWS)
def test_another_order_of_the_examples_changes_nothing(text):
    view = views.from_text(text)
    turned = PICTURES.take(np.arange(len(PICTURES))[::-1])
    here = view(PICTURES, PICTURES.keys, 3, 7)
    there = view(turned, PICTURES.keys, 3, 7)
    assert here.inputs.tobytes() == there.inputs.tobytes()


@pytest.mark.parametrize("text", VIEWS)
def test_many_view_numbers_at_once_are_each_of_them_alone(text):
    view = views.from_text(text)
    numbers = np.arange(len(PICTURES)) % 5
    mixed = view(PICTURES, PICTURES.keys, numbers, 0)
    for row, (key, number) in enumerate(zip(PICTURES.keys, numbers, strict=True)):
        alone = view(PICTURES, np.array([key]), int(number), 0)
        assert alone.inputs[0].tobytes() == mixed.inputs[row].tobytes()


@pytest.mark.parametrize("text", VIEWS[1:])
def test_another_number_and_another_seed_look_different(text):
    view = views.from_text(text)
    shown = [
        view(PICTURES, PICTURES.keys, n, s).inputs.tobytes() for n, s in ((0, 0), (1, 0), (0, 1))
    ]
    assert len(set(shown)) == 3


@pytest.mark.parametrize("text", VIEWS)
def test_a_view_reads_its_own_text(text):
    view = views.from_text(text)
    assert views.from_text(view.text) == view


def slow_jitter(image, down, across):
    """One pixel at a time; what comes in from outside is 0."""
    moved = np.zeros_like(image)
    height, width = image.shape[1:]
    for y in range(height):
        for x in range(width):
            if 0 <= y + down < height and 0 <= x + across < width:
                moved[:, y, x] = image[:, y + down, x + across]
    return moved


def test_jitter_moves_by_up_to_so_many_pixels_in_any_direction():
    found = set()
    for number in range(200):
        shown = views.jitter(2)(PICTURES, PICTURES.keys[:1], number, 0).inputs[0]
        moves = [
            (down, across)
            for down in range(-2, 3)
            for across in range(-2, 3)
            if np.array_equal(slow_jitter(PICTURES.inputs[0], down, across), shown)
        ]
        assert len(moves) == 1
        found |= set(moves)
    assert len(found) == 25  # every move occurs


def test_a_crop_is_a_window_of_the_reflected_picture():
    wide = np.pad(PICTURES.inputs[0], ((0, 0), (3, 3), (3, 3)), mode="reflect")
    shown = views.crop(3)(PICTURES, PICTURES.keys[:1], 5, 0).inputs[0]
    windows = [wide[:, y : y + 8, x : x + 8] for y in range(7) for x in range(7)]
    assert any(np.array_equal(window, shown) for window in windows)


def test_flips_are_exact_and_about_half():
    batches = [views.flip()(PICTURES, PICTURES.keys, number, 0).inputs for number in range(40)]
    flipped = np.concatenate([(b != PICTURES.inputs).any(axis=(1, 2, 3)) for b in batches])
    assert 0.45 < flipped.mean() < 0.55
    always = views.flip(1.0)(PICTURES, PICTURES.keys, 0, 0).inputs
    assert np.array_equal(always, PICTURES.inputs[..., ::-1])


def disc(side=41):
    """A smooth hill off the centre, float32, as a set of one example shown under many keys."""
    down, across = np.mgrid[:side, :side] - side // 2
    hill = 200 * np.exp(-((down - 4) ** 2 + (across + 3) ** 2) / 18)
    inputs = np.repeat(hill[None, None].astype(np.float32), 400, axis=0)
    return Examples.of(inputs, keys=[f"hill-{row}" for row in range(len(inputs))])


def centres(images):
    """The centre of mass of each picture, from the middle, down and across."""
    side = images.shape[-1]
    at = np.arange(side) - side // 2
    mass = images[:, 0].astype(np.float64)
    whole = mass.sum(axis=(1, 2))
    return np.stack([(mass.sum(2) @ at) / whole, (mass.sum(1) @ at) / whole], axis=1)


def test_an_affine_view_turns_about_the_centre_by_up_to_so_many_degrees():
    hill = disc()
    before = centres(hill.inputs)[0]
    shown = centres(views.affine(40)(hill, hill.keys, 0, 0).inputs)
    np.testing.assert_allclose(np.hypot(*shown.T), np.hypot(*before), rtol=0.01)
    angles = np.rad2deg(np.arctan2(*shown.T) - np.arctan2(*before))
    angles = (angles + 180) % 360 - 180
    assert 36 < np.abs(angles).max() < 40.5
    assert abs(angles.mean()) < 4  # as often to one side as to the other


def test_zoom_enlarges_and_shrinks_by_up_to_that_factor():
    hill = disc()
    mass = views.affine(0, zoom=0.25)(hill, hill.keys, 0, 0).inputs.sum(axis=(1, 2, 3))
    factors = np.sqrt(mass / hill.inputs[0].sum())
    assert 1.2 < factors.max() < 1.26
    assert 0.79 < factors.min() < 0.84


def test_a_shear_moves_rows_across_and_never_up_or_down():
    hill = disc()
    shown = views.affine(0, shear=0.5)(hill, hill.keys, 0, 0).inputs
    np.testing.assert_allclose(shown.sum(axis=3), hill.inputs.sum(axis=3), atol=1)
    assert np.abs(centres(shown) - centres(hill.inputs))[:, 1].max() > 1.5


def test_views_that_move_nothing_show_the_picture_itself():
    for view in (views.affine(0), views.elastic(0), views.affine(0, of=views.elastic(0))):
        assert np.array_equal(view(PICTURES, PICTURES.keys, 0, 0).inputs, PICTURES.inputs)


def slow_bilinear(image, down, across):
    """One pixel at a time, from places counted from the top left; outside is 0."""
    height, width = image.shape
    found = np.zeros((height, width))
    for y in range(height):
        for x in range(width):
            top, left = int(np.floor(down[y, x])), int(np.floor(across[y, x]))
            for row in (top, top + 1):
                for column in (left, left + 1):
                    share = (1 - abs(down[y, x] - row)) * (1 - abs(across[y, x] - column))
                    if 0 <= row < height and 0 <= column < width:
                        found[y, x] += share * image[row, column]
    return found


def ramps(side=20):
    """Pictures that say where each of their pixels is: down in one channel, across in the other."""
    down, across = np.mgrid[:side, :side].astype(np.float32)
    inputs = np.repeat(np.stack([down, across])[None], 300, axis=0)
    return Examples.of(inputs, keys=[f"ramp-{row}" for row in range(len(inputs))])


def test_elastic_reads_each_pixel_off_a_place_near_its_own():
    where = ramps()
    view = views.elastic(1.5, smoothness=3)
    places = view(where, where.keys, 0, 0).inputs[:, :, 5:15, 5:15]  # away from the border
    moves = places - where.inputs[:, :, 5:15, 5:15]
    assert 1.4 < moves.std() < 1.6
    assert abs(moves.mean()) < 0.05
    neighbours = np.corrcoef(moves[..., :-1].ravel(), moves[..., 1:].ravel())[0, 1]
    strangers = np.corrcoef(moves[..., 0].ravel(), moves[..., 9].ravel())[0, 1]
    assert neighbours > 0.95
    assert abs(strangers) < 0.2
    assert abs(np.corrcoef(moves[:, 0].ravel(), moves[:, 1].ravel())[0, 1]) < 0.1


def test_pixels_between_pixels_are_bilinear():
    where = ramps(12)
    picture = np.random.default_rng(0).normal(size=(1, 12, 12)).astype(np.float32)
    both = np.concatenate([where.inputs[0], picture])[None]
    shown = views.affine(35)(Examples.of(both, keys=["one"]), np.array(["one"]), 3, 1).inputs[0]
    # Inside, the two ramps say where each pixel came from.
    found = slow_bilinear(picture[0], shown[0], shown[1])
    np.testing.assert_allclose(found[4:8, 4:8], shown[2, 4:8, 4:8], atol=1e-4)


def test_mixup_mixes_inputs_and_labels_by_the_same_share():
    points = blobs(50)
    shown = views.mixup()(points, points.keys, 2, 0)
    assert shown.labels.shape == (50, 3)
    np.testing.assert_allclose(shown.labels.sum(axis=1), 1, atol=1e-6)
    explained = 0
    for row in range(50):
        for partner in range(50):
            share = shown.labels[row, points.labels[row]]
            if points.labels[partner] == points.labels[row]:
                continue
            mixed = share * points.inputs[row] + (1 - share) * points.inputs[partner]
            explained += np.allclose(mixed, shown.inputs[row], atol=1e-5)
    different = (shown.labels.max(axis=1) < 1).sum()
    assert explained >= different > 20


def test_shares_of_a_small_alpha_lie_near_0_and_1():
    points = blobs(400)
    near = {}
    for alpha in (0.1, 1.0):
        labels = views.mixup(alpha)(points, points.keys, 0, 0).labels
        near[alpha] = (labels.max(axis=1) > 0.95).mean()
    assert near[0.1] > near[1.0] + 0.2


def test_a_pair_with_one_unlabelled_example_has_no_label():
    points = blobs(50, labelled=False)
    assert views.mixup()(points, points.keys, 0, 0).labels.sum() == 0


def test_unknown_keys_and_wrong_shapes_are_refused_in_words():
    with pytest.raises(ExamplesError, match="there is no example 'nobody' in pictures"):
        views.plain()(PICTURES, np.array(["nobody"]), 0, 0)
    with pytest.raises(ExamplesError, match=r"this view moves images .*, not shape \(2,\)"):
        views.jitter(1)(blobs(5), blobs(5).keys, 0, 0)
    with pytest.raises(InputError, match="jitter moves by 0 pixels or more, not -1"):
        views.jitter(-1)
    with pytest.raises(InputError, match=r"affine turns by 0 to 180 degrees.*got 200, 0.0 and 0.0"):
        views.affine(200)
    with pytest.raises(InputError, match=r"elastic moves by 0 pixels or more.*got -1 and 4.0"):
        views.elastic(-1)
    with pytest.raises(InputError, match="alpha is above 0, not 0"):
        views.mixup(0)
    with pytest.raises(RecipeError, match="there is no view 'jiter'; did you mean 'jitter'"):
        views.from_text("jiter(2)")


def test_keys_alone_decide_so_renamed_examples_look_different():
    renamed = Examples.of(PICTURES.inputs, keys=[f"other-{k}" for k in PICTURES.keys])
    here = views.jitter(2)(PICTURES, PICTURES.keys, 0, 0).inputs
    there = views.jitter(2)(renamed, renamed.keys, 0, 0).inputs
    assert not np.array_equal(here, there)


class Halved:
    """A view as a user might write it, who knows nothing of ours."""

    text = "halved()"
    by = 2

    def show(self, examples, rows, numbers, seed):
        shown = views.plain().show(examples, rows, numbers, seed)
        return replace(shown, inputs=shown.inputs / self.by)


def halved(examples, rows, numbers, seed):
    return Halved().show(examples, rows, numbers, seed)


halved.text, halved.needs_all_examples = "halved", True


@pytest.mark.parametrize("own", [Halved(), halved])
def test_a_view_of_your_own_need_not_descend_from_ours(own):
    view = as_view(own)
    assert isinstance(view, views.View)
    assert view.text == own.text
    assert view.needs_all_examples == (own is halved)
    shown = view(PICTURES, PICTURES.keys[:3], 0, 1)
    np.testing.assert_array_equal(shown.inputs, PICTURES.inputs[:3] / 2)
    assert as_view(view) is view
    assert views.flip(of=view).text == f"flip(chance=0.5, of={own.text})"


def test_what_it_has_beside_is_there_and_it_survives_copies_and_pickles():
    for made in (as_view(Halved()), pickle.loads(pickle.dumps(as_view(Halved())))):  # noqa: S301  our own
        assert made.by == 2
        assert type(made.wrapped) is Halved
        assert copy.deepcopy(made).text == "halved()"


def test_what_shows_nothing_is_refused():
    for own in (lambda: 0, Examples):
        with pytest.raises(InputError, match="a view says its text and shows examples; this"):
            as_view(own)
