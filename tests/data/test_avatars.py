"""The embedded avatars: pinned drawings, honest labels, the correlations that were meant."""

import hashlib
import json
import re
from dataclasses import replace
from importlib.resources import files

import numpy as np
import pytest
from dicebear import Avatar as Drawing
from hypothesis import given, settings
from hypothesis import strategies as st

from stylegenes.data import open_dataset
from stylegenes.data.avatars.domain import NOTHING
from stylegenes.data.avatars.domains import DOMAINS
from stylegenes.data.avatars.render import _style as parsed_style
from stylegenes.data.avatars.render import render, to_svg
from stylegenes.data.avatars.source import AvatarOptions
from stylegenes.errors import UserError

AVATAAARS = DOMAINS["avataaars"]
PINNED = {
    "avataaars": ("7babbcc6b1a827ad", "11955b231629cb6a"),
    "open-peeps": ("014ffce5a123388c", "a8f628255a8168d1"),
    "pixel-art": ("998ae6b2a3fd9bca", "e317140a67c036a3"),
    "voxel-art": ("fb79ea46138885f3", "efb9970ca0d2b8e6"),
}
"""By style: hash of three SVGs, hash of their pixels at 32 px."""


def definition(style):
    return json.loads(files("dicebear_styles").joinpath(f"{style}.json").read_text("utf-8"))


def without_ids(svg):
    """DiceBear marks the ids in a drawing with a hash of its seed."""
    return re.sub(r"-[0-9a-f]{8}\b", "", svg)


def labels(n, **options):
    return np.stack([AVATAAARS.label(AVATAAARS.sample(0, i, **options)) for i in range(n)])


@pytest.mark.parametrize("style", DOMAINS)
def test_drawings_are_pinned(style):
    domain = DOMAINS[style]
    drawn = [domain.sample(1, i) for i in range(3)]
    svg = hashlib.sha256("".join(to_svg(domain, avatar, 64) for avatar in drawn).encode()).hexdigest()[:16]
    pixels = hashlib.sha256(b"".join(render(domain, avatar, 32).tobytes() for avatar in drawn)).hexdigest()[:16]
    assert (svg, pixels) == PINNED[style]


@pytest.mark.parametrize("style", DOMAINS)
def test_nothing_is_left_to_the_library_and_its_checks_pass(style):
    """DiceBear's own entry point accepts our options, and its seed changes nothing."""
    domain, parts = DOMAINS[style], definition(style)
    assert set(domain.components) == set(parts["components"])
    assert set(domain.colors) == {f"{name}Color" for name in parts["colors"]} | {"backgroundColor"}
    parsed = parsed_style(style)
    for i in range(15):
        avatar = domain.sample(2, i)
        options = domain.options(avatar, 64)
        for seed in ("one", "two"):
            theirs = Drawing(parsed, {**options, "seed": seed}).to_string()
            assert without_ids(theirs) == without_ids(to_svg(domain, avatar, 64))


@pytest.mark.parametrize("style", DOMAINS)
def test_labels_agree_with_what_dicebear_drew(style):
    """The variants that DiceBear reports as drawn are those that the labels were made from."""
    domain, parsed = DOMAINS[style], parsed_style(style)
    for i in range(15):
        avatar = domain.sample(3, i)
        resolved = Drawing(parsed, domain.options(avatar, 64)).to_json()["options"]
        seen = {name: resolved.get(f"{name}Variant") or NOTHING for name in domain.components}
        assert seen == {name: avatar.drawn[name] for name in domain.components}


@pytest.mark.parametrize("style", DOMAINS)
def test_every_option_that_changes_a_label_can_be_seen_at_32_pixels(style):
    domain = DOMAINS[style]
    base = domain.sample(0, 0)
    plain = {name: base.drawn[name] for name in domain.components} | dict(base.drawn)
    plain |= {
        name: NOTHING for name in ("accessories", "facialHair", "mask", "hat", "glasses", "beard") if name in plain
    }
    options = {name: {v for i in range(150) for v in [domain.sample(5, i).drawn[name]]} for name in domain.components}
    # A blond beard on pale skin is hard to see at any size; what is asked is whether the shapes survive.
    base = replace(base, colors={name: "28150a" if "air" in name else value for name, value in base.colors.items()})
    reference = replace(base, drawn=plain)
    before, label = np.asarray(render(domain, reference, 32)).astype(int), domain.label(reference)
    for name, values in options.items():
        for value in values:
            changed = replace(base, drawn={**plain, name: value})
            if not np.array_equal(domain.label(changed), label):
                assert np.abs(np.asarray(render(domain, changed, 32)) - before).max() > 12, (name, value)


def test_hair_and_skin_colors_reach_the_pixels():
    means = {"Black_Hair": [], "Gray_Hair": [], "Pale_Skin": [], "Dark_Skin": []}
    for i in range(150):
        avatar = AVATAAARS.sample(0, i)
        shown = dict(zip(AVATAAARS.attribute_names, AVATAAARS.label(avatar), strict=True))
        pixels = np.asarray(render(AVATAAARS, avatar, 32)).astype(float)
        for name, region in (("Hair", pixels[1:5, 13:19]), ("Skin", pixels[20:22, 14:18])):
            for key in means:
                if key.endswith(name) and shown[key] and not shown["Bald"] and not shown["Receding_Hairline"]:
                    means[key].append(region.mean())
    assert np.mean(means["Black_Hair"]) + 50 < np.mean(means["Gray_Hair"])
    assert np.mean(means["Dark_Skin"]) + 50 < np.mean(means["Pale_Skin"])


def test_forty_attributes_correlate_as_intended():
    names, table = AVATAAARS.attribute_names, labels(4000)
    assert len(names) == len(set(names)) == table.shape[1] == 40
    share = dict(zip(names, table.mean(0), strict=True))
    assert all(0.01 < value < 0.9 for value in share.values()), share
    corr = {(a, b): value for a, row in zip(names, np.corrcoef(table.T)) for b, value in zip(names, row)}
    assert corr["Male", "No_Beard"] < -0.5
    assert corr["Male", "Long_Hair"] < -0.6
    assert corr["Young", "Gray_Hair"] < -0.55
    assert corr["Young", "Eyeglasses"] < -0.1
    assert corr["Smiling", "Sad_Mouth"] < -0.3
    assert corr["Smiling", "Sad_Eyebrows"] < -0.1
    assert corr["Dark_Skin", "Black_Hair"] > 0.2


def test_independent_factors_keep_frequencies_and_lose_correlations():
    names, table, free = AVATAAARS.attribute_names, labels(4000), labels(4000, independent=True)
    # Five standard errors of a difference of two shares of 4000.
    assert np.abs(table.mean(0) - free.mean(0)).max() < 5 * np.sqrt(0.5 / 4000)
    corr = {(a, b): value for a, row in zip(names, np.corrcoef(free.T)) for b, value in zip(names, row)}
    for a, b in [
        ("Smiling", "Sad_Eyebrows"),
        ("Dark_Skin", "Black_Hair"),
        ("No_Beard", "Long_Hair"),
        ("Male", "No_Beard"),
    ]:
        assert abs(corr[a, b]) < 0.08, (a, b)


def test_rare_skins_are_rare():
    skins = [AVATAAARS.sample(0, i).drawn["skinColor"] for i in range(3000)]
    assert 0 < np.mean([skin in ("fd9841", "f8d25c") for skin in skins]) < 0.04


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**63 - 1), index=st.integers(0, 10**9), independent=st.booleans())
def test_an_avatar_is_a_function_of_seed_and_index(seed, index, independent):
    first = AVATAAARS.sample(seed, index, independent=independent)
    AVATAAARS.sample(seed, index + 1)
    assert AVATAAARS.sample(seed, index, independent=independent) == first
    for name, color in first.colors.items():
        moved = [int(color[i : i + 2], 16) - int(first.drawn[name][i : i + 2], 16) for i in (0, 2, 4)]
        assert max(map(abs, moved)) <= 7


def test_a_smaller_set_is_a_prefix(tmp_path):
    small = open_dataset("avatars:n=10,seed=4", resolution=16, cache_dir=tmp_path, workers=1)
    large = open_dataset("avatars:seed=4,n=40", resolution=16, cache_dir=tmp_path, workers=2)
    assert np.array_equal(small.images(range(10)), large.images(range(10)))
    assert np.array_equal(small.labels(range(10)), large.labels(range(10)))
    assert small.label_names == AVATAAARS.attribute_names and small.content_hash != large.content_hash
    assert len(np.unique(large.images(range(40)).numpy().reshape(40, -1), axis=0)) == 40
    assert "Pablo Stanley" in large.description.license


def test_options_are_read_and_checked():
    assert AvatarOptions.parse("avatars") == AvatarOptions()
    text = "avatars:n=5,seed=7,style=pixel-art,independent=true"
    assert AvatarOptions.parse(text) == AvatarOptions(5, 7, "pixel-art", True)
    for wrong in ("n=0", "n=x", "seed=-1", "style=mona-lisa", "independent=1", "size=3", "n"):
        with pytest.raises(UserError, match="avatars"):
            AvatarOptions.parse(f"avatars:{wrong}")
