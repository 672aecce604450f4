"""Directions and components on disk, tables, figures, paths between codes, and the sparsity study."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from latent_toys import GAUSSIAN, GENOME, MAPPING, coordinate_classifier, toy_generator
from PIL import Image

from stylegenes.analysis.directions import FitSettings, fit_directions
from stylegenes.analysis.interpolation import path
from stylegenes.analysis.latent_files import load_steps, paper_table, save_components, save_directions
from stylegenes.analysis.latent_plots import plot_components, plot_fits, plot_noise, plot_sparsity, write_figure
from stylegenes.analysis.noise_study import noise_study
from stylegenes.analysis.pca import principal_components
from stylegenes.analysis.samples import label_samples, latent_spaces
from stylegenes.analysis.sparsity import SparsityRow, sparsity_study
from stylegenes.csv_tables import write_table
from stylegenes.errors import UserError
from stylegenes.latents.gaussian import slerp


@pytest.fixture(scope="module")
def study():
    generator = toy_generator(MAPPING)
    classifier = coordinate_classifier(generator, [[3], [3, 5]])
    samples = label_samples(generator, classifier, 600, random=torch.Generator().manual_seed(1))
    spaces = latent_spaces(generator, samples.codes)
    results = {
        name: fit_directions(name, space, samples.probabilities, samples.attributes) for name, space in spaces.items()
    }
    return generator, classifier, samples, spaces, results


def test_directions_survive_the_disk(tmp_path, study):
    _, _, _, _, results = study
    save_directions(tmp_path / "d", results["w"].directions, results["w"].fits, "abc")
    steps = load_steps(tmp_path / "d.safetensors")
    assert (steps.space, steps.model, steps.names) == ("w", "abc", ["sign_0", "sign_1"])
    expected = results["w"].directions.vector("sign_1", ["sign_0"])
    assert torch.equal(steps.vector("sign_1", hold=["sign_0"]), expected)
    with pytest.raises(UserError, match="there are: sign_0, sign_1"):
        steps.vector("smile")


def test_components_survive_the_disk(tmp_path, study):
    _, _, _, spaces, _ = study
    components = principal_components("w", spaces["w"])
    save_components(tmp_path / "c.safetensors", components, "abc")
    steps = load_steps(tmp_path / "c")
    assert steps.names[0] == "pc1" and torch.equal(steps.vector("pc2"), components.vector(2))
    with pytest.raises(UserError, match="know no attributes"):
        steps.vector("pc1", hold=["sign_0"])


def test_missing_and_damaged_files_are_refused(tmp_path, study):
    with pytest.raises(UserError, match=r"there is no .*none\.safetensors"):
        load_steps(tmp_path / "none")
    components = principal_components("w", study[3]["w"])
    save_components(tmp_path / "c", components, "abc").write_bytes(b"no")
    with pytest.raises(UserError, match="damaged"):
        load_steps(tmp_path / "c")


@pytest.mark.parametrize(
    "change",
    [
        {"model": None},
        {"space": "q"},
        {"space": ["w"]},
        {"kind": "else"},
        {"attributes": "sign_0"},
        {"attributes": ["sign_0"]},
        {"attributes": [1, 2]},
    ],
)
def test_a_description_of_another_shape_is_refused(tmp_path, study, change):
    save_directions(tmp_path / "d", study[4]["w"].directions, study[4]["w"].fits, "abc")
    about = json.loads((tmp_path / "d.json").read_text())
    (tmp_path / "d.json").write_text(json.dumps(about | change))
    with pytest.raises(UserError, match=r"d\.safetensors is damaged"):
        load_steps(tmp_path / "d")
    del about[next(iter(change))]
    (tmp_path / "d.json").write_text(json.dumps(about))
    with pytest.raises(UserError, match=r"d\.safetensors is damaged"):
        load_steps(tmp_path / "d")


@pytest.mark.parametrize("name", ["weights", "center", "scale", "spread"])
def test_directions_of_another_size_or_without_numbers_are_refused(tmp_path, study, name):
    directions = study[4]["w"].directions
    for wrong in (getattr(directions, name)[..., :1, None], getattr(directions, name) * torch.nan):
        save_directions(tmp_path / "d", replace(directions, **{name: wrong}), [], "abc")
        with pytest.raises(UserError, match="damaged"):
            load_steps(tmp_path / "d")


def test_the_table_has_a_row_an_attribute_and_columns_by_space(tmp_path, study):
    fits = [fit for result in study[4].values() for fit in result.fits]
    write_table(tmp_path / "t.csv", paper_table(fits))
    rows = list(csv.DictReader((tmp_path / "t.csv").open()))
    assert [row["attribute"] for row in rows] == ["sign_0", "sign_1"]
    assert list(rows[0])[1:5] == ["auc z", "auc w", "balanced accuracy z", "balanced accuracy w"]
    assert float(rows[0]["auc w"]) > 0.98
    assert float(rows[0]["auc w"]) > float(rows[0]["auc z"])


def test_a_sparse_direction_flips_and_its_coordinates_keep(study):
    generator, classifier, samples, _, _ = study
    rows = sparsity_study(
        generator,
        classifier,
        samples,
        ["sign_0"],
        random=torch.Generator().manual_seed(0),
        cs=(0.02, 0.3),
        steps=4.0,
        pictures=64,
    )
    few, more = rows
    assert few.nonzero <= more.nonzero <= 16
    assert more.flipped > 0.9 and more.kept > 0.95 and more.baseline < 0.75
    assert few.kept > few.baseline


def test_attributes_that_no_weight_survives_have_no_row(study):
    generator, classifier, samples, _, _ = study
    random = torch.Generator().manual_seed(0)
    assert sparsity_study(generator, classifier, samples, ["sign_0"], random=random, cs=(1e-6,), pictures=8) == []


@pytest.mark.parametrize("latent", [GAUSSIAN, GENOME, MAPPING])
def test_paths_meet_both_codes(latent, rng):
    generator = toy_generator(latent)
    start, end = generator.sample(2, rng).split(1)
    for space in ("w", "code"):
        ws = path(generator, start, end, [0.0, 0.5, 1.0], space)
        assert ws.shape == (3, 2, 16)
        assert torch.allclose(ws[:1], generator.express(start), atol=1e-5)
        assert torch.allclose(ws[2:], generator.express(end), atol=1e-5)
    middle = path(generator, start, end, [0.5], "w")
    assert torch.allclose(middle, (generator.express(start) + generator.express(end)) / 2, atol=1e-6)


def test_the_way_through_z_is_not_the_line_in_w_behind_a_mapping_network(rng):
    generator = toy_generator(MAPPING)
    start, end = generator.sample(2, rng).split(1)
    through_z = path(generator, start, end, [0.5], "code")
    assert torch.allclose(through_z, generator.express(slerp(start, end, 0.5)), atol=1e-6)
    assert not torch.allclose(through_z, path(generator, start, end, [0.5], "w"), atol=1e-2)


def test_the_great_arc_keeps_the_length_and_the_line_does_not(rng):
    generator = toy_generator(GAUSSIAN)
    start, end = torch.nn.functional.normalize(generator.sample(2, rng), dim=1).split(1)
    length = {space: path(generator, start, end, [0.5], space)[0, 0].norm() for space in ("code", "w")}
    assert length["code"] == pytest.approx(1.0, abs=1e-4) and length["w"] < 0.95
    with pytest.raises(UserError, match="code, w"):
        path(generator, start, end, [0.5], "z")


def test_figures_are_drawn(tmp_path, study, rng):
    generator, classifier, samples, spaces, results = study
    noisy = toy_generator(GAUSSIAN, noise_strength=0.1)
    rows = sparsity_study(generator, classifier, samples, ["sign_0"], random=rng, cs=(0.01, 0.1), pictures=8)
    rare = fit_directions("w", spaces["w"], torch.zeros(600, 1), ["never"], FitSettings()).fits
    figures = {
        "fits": plot_fits([fit for result in results.values() for fit in result.fits] + rare),
        "sparsity": plot_sparsity(rows),
        "components": plot_components(principal_components("w", spaces["w"]), spaces["w"]),
        "noise": plot_noise(noise_study(noisy, noisy.express(noisy.sample(1, rng)), random=rng, draws=5)),
    }
    for name, figure in figures.items():
        pixels = np.asarray(Image.open(write_figure(tmp_path / f"{name}.png", figure)).convert("L"))
        assert min(pixels.shape) > 200 and pixels.std() > 5


def test_the_sparsity_figure_can_be_read_off():
    rows = [SparsityRow("hat", 0.1, n, 128, 0.8 + n / 1000, 0.5, 3.0, 0.7, 0.5) for n in (20, 60, 120)]
    auc, flipped, kept = plot_sparsity(rows).axes
    for axes in (auc, flipped, kept):
        inside = [tick for tick in axes.get_xticks() if axes.get_xlim()[0] <= tick <= axes.get_xlim()[1]]
        assert len(inside) >= 4 and "of 128" in axes.get_xlabel() and axes.get_legend() is None
    assert len(auc.lines) == len(kept.lines) == len(flipped.lines) + 1
