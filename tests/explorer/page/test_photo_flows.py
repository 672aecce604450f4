"""A photo becomes a code: dropped, cropped, watched, taken; and directions of W on both kinds of model."""

import numpy as np
import pytest
from PIL import Image

from stylegenes.analysis.compass import Compass

sync_api = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install playwright")
expect = sync_api.expect


def code_of(page):
    return page.evaluate("() => new URLSearchParams(location.hash.slice(1)).get('code')")


@pytest.fixture
def photo(genome_model, tmp_path):
    picture = genome_model.sample(seeds=[31]).pictures[0].repeat(4, axis=0).repeat(4, axis=1)
    wide = np.full((128, 200, 3), 90, np.uint8)
    wide[:, 40:168] = picture
    Image.fromarray(wide).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


def choose(page, path):
    page.locator(".drop input").set_input_files(path)


def test_by_mouse(genome_server, visit, photo):
    page = visit(genome_server, "#tab=invert")
    choose(page, photo)
    square = page.get_by_role("slider", name="The part that is used")
    expect(square).to_have_attribute("aria-valuetext", "from 36, 0, 128 pixels wide and 128 high")
    box = square.bounding_box()
    page.mouse.move(box["x"] + 50, box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] + 90, box["y"] + 50, steps=3)
    page.mouse.up()
    assert int(square.get_attribute("aria-valuenow")) > 36
    page.get_by_role("slider", name="Steps").fill("20")
    before = code_of(page)
    page.get_by_role("button", name="Invert this picture").click()
    expect(page.get_by_role("button", name="Take it as the picture shown")).to_be_visible(timeout=60_000)
    expect(page.locator(".verdict")).not_to_be_empty()
    page.get_by_role("button", name="Take it as the picture shown").click()
    expect(page).not_to_have_url(page.url.replace(code_of(page), before))
    page.keyboard.press("1")
    expect(page.get_by_test_id("caption")).to_contain_text("inverted")
    expect(page.locator(".gene").first).to_be_visible()


def test_by_keyboard_alone(genome_server, visit, photo):
    page = visit(genome_server, "#tab=invert")
    choose(page, photo)
    square = page.get_by_role("slider", name="The part that is used")
    square.focus()
    page.keyboard.press("ArrowRight")
    expect(square).to_have_attribute("aria-valuetext", "from 39, 0, 128 pixels wide and 128 high")
    page.get_by_role("slider", name="Steps").focus()
    page.keyboard.press("End")
    page.get_by_role("button", name="Invert this picture").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Cancel the inversion")).to_be_visible()
    page.keyboard.press("1")
    expect(page.get_by_role("button", name="Cancel the inversion")).to_be_hidden()
    page.keyboard.press("4")
    page.get_by_role("button", name="Cancel the inversion").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Cancel the inversion")).to_be_hidden()
    expect(page.get_by_role("button", name="Invert this picture")).to_be_enabled()


def test_what_is_no_picture_is_told_in_words(genome_server, visit, tmp_path):
    page = visit(genome_server, "#tab=invert")
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nhalf")
    choose(page, tmp_path / "broken.png")
    expect(page.get_by_role("alert")).to_contain_text(
        "broken.png is no picture that this browser can read, or it is broken"
    )
    page.get_by_role("alert").get_by_role("button", name="Close").click()
    expect(page.get_by_role("alert")).to_be_empty()


@pytest.mark.parametrize("place", ["genome_server", "mapping_server"], indirect=True)
def test_components_move_the_picture(place, visit):
    page = visit(place)
    page.get_by_role("tab", name="Directions").click()
    slider = page.get_by_role("slider", name="pc1 ·")
    expect(slider).to_be_visible()
    start = code_of(page)
    slider.focus()
    page.keyboard.press("End")
    expect(page).not_to_have_url(page.url.replace(code_of(page), start) if code_of(page) != start else page.url)
    expect(page.get_by_test_id("spoken")).to_contain_text("moved")
    assert code_of(page).startswith("w.")
    page.get_by_role("button", name="Back to the start").click()
    expect(page.get_by_test_id("spoken")).to_contain_text("back at the start")
    assert code_of(page) == start


def test_a_mapping_model_shows_what_it_can(mapping_server, visit):
    page = visit(mapping_server)
    expect(page.get_by_text("The genome is not available here")).to_be_visible()
    heading = page.get_by_role("region", name="Newest generation").get_by_role("heading")
    page.keyboard.press("d")
    expect(heading).to_contain_text("12 diced")
    page.wait_for_load_state("networkidle")
    page.keyboard.press("b")
    expect(heading).to_contain_text("12 children of")


@pytest.mark.slow
def test_directions_of_attributes_are_fitted_and_followed(mapping_server, visit, mapping_model):
    page = visit(mapping_server, "#tab=directions")
    page.get_by_role("button", name="Fit directions").click()
    slider = page.get_by_role("slider", name="Smiling · AUC")
    expect(slider).to_be_visible(timeout=280_000)
    page.get_by_role("button", name="Hold Young").click()
    start = code_of(page)
    slider.focus()
    page.keyboard.press("End")
    expect(page.get_by_role("region", name="What the edit did")).to_contain_text("Smiling")
    column = mapping_model.classifier.attributes.index("Smiling")
    before, after = mapping_model.judged([start, code_of(page)])[:, column].tolist()
    assert after >= before


def test_a_fit_that_fails_is_said_and_can_be_tried_again(served, visit, mapping_model, monkeypatch):
    errors = [RuntimeError("of our own")]

    def fit(self, *args, **more):
        if errors:
            raise errors.pop()

    monkeypatch.setattr(Compass, "fit", fit)
    page = visit(served(mapping_model), "#tab=directions")
    button = page.get_by_role("button", name="Fit directions")
    button.click()
    expect(page.get_by_role("heading", name="could not be fitted")).to_be_visible()
    expect(page.get_by_text("its terminal says more")).to_be_visible()
    button.click()
    expect(button).to_be_hidden()
    expect(page.get_by_role("slider", name="pc1 ·")).to_be_visible()
