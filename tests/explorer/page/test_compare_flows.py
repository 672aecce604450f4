"""Wipe, way and style mixing by mouse and by keyboard alone; files carry their codes."""

import pytest
from downloads import saved
from PIL import Image

from stylegenes.sheets import read_sheet

sync_api = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install playwright")
expect = sync_api.expect


def code_of(page):
    return page.evaluate("() => new URLSearchParams(location.hash.slice(1)).get('code')")


@pytest.fixture
def pair(genome_model):
    return genome_model.sample(seeds=[21, 22]).codes


def test_what_is_not_chosen_yet_does_not_seem_to_be_drawn(genome_server, visit, pair):
    page = visit(genome_server, f"#code={pair[1]}&tab=compare")
    empty = page.get_by_role("img", name="No picture to compare with yet", exact=True)
    expect(empty).to_be_visible()
    assert "skeleton" not in empty.get_attribute("class")


def test_by_mouse(genome_server, visit, pair, tmp_path):
    page = visit(genome_server, f"#code={pair[1]}&pin={pair[0]}")
    page.get_by_role("tab", name="Compare").click()
    frame = page.locator(".wipe").bounding_box()
    page.mouse.click(frame["x"] + frame["width"] / 4, frame["y"] + 40)
    border = float(page.get_by_role("slider", name="Border").input_value())
    assert abs(border - 0.25) < 0.02
    page.get_by_role("radio", name="Way").check()
    page.get_by_role("button", name="25 % of the way").click()
    expect(page.get_by_role("slider", name="Place on the way")).to_have_value("0.25")
    page.get_by_role("button", name="Play the animation").click()
    expect(page.get_by_role("slider", name="Place on the way")).not_to_have_value("0.25")
    page.get_by_role("button", name="Stop the animation").click()
    for name, frames in (
        ("Save the strip (PNG)", 1),
        ("Save the animation as GIF", 48),
        ("Save the animation as WebP", 48),
    ):
        file = saved(page, tmp_path, page.get_by_role("button", name=name).click)
        with Image.open(file) as image:
            assert getattr(image, "n_frames", 1) == frames, name
        carried = read_sheet(file).codes
        assert carried[0] == pair[0] and carried[-1] == pair[1], name
    page.get_by_role("radio", name="Style mixing").check()
    page.get_by_role("radio", name="fine").check()
    expect(page.locator(".mixing .cell")).not_to_have_count(0)
    grid = saved(page, tmp_path, page.get_by_role("button", name="Save the grid as PNG").click)
    assert set(pair) <= set(read_sheet(grid).codes)
    page.locator(".mixing .cell:not(.source)").first.click()
    expect(page.get_by_test_id("spoken")).to_contain_text("with the fine styles of column 1")
    assert "~" in code_of(page)
    expect(page.get_by_text("so it has no genes to show")).to_be_visible()


def test_by_keyboard_alone(genome_server, visit, pair):
    page = visit(genome_server, f"#code={pair[1]}&pin={pair[0]}")
    page.keyboard.press("2")
    page.get_by_role("slider", name="Border").focus()
    page.keyboard.press("Home")
    expect(page.get_by_role("slider", name="Border")).to_have_value("0")
    page.get_by_role("radio", name="Wipe").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("radio", name="Way")).to_be_checked()
    page.get_by_role("button", name="0 % of the way", exact=True).focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="8 % of the way", exact=True)).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="Take this picture").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("spoken")).to_contain_text("the picture on the way")
    assert code_of(page).startswith(f"{pair[0]}~{pair[1]}*0.083")
    page.keyboard.press("1")
    expect(page.get_by_role("tab", name="Explore")).to_have_attribute("aria-selected", "true")


def test_copies(genome_server, visit, pair, genome_model):
    page = visit(genome_server, f"#code={pair[0]}", permissions=["clipboard-read", "clipboard-write"])
    read = "() => navigator.clipboard.readText()"
    for item, expected in (
        ("Copy the code string", pair[0]),
        ("Copy as a command line", pair[0]),
        ("Copy as a line of Python", pair[0]),
    ):
        page.get_by_role("button", name="Save and copy").click()
        page.get_by_role("menuitem", name=item).click()
        expect(page.get_by_test_id("spoken")).to_contain_text("copied")
        expect(page.get_by_test_id("spoken")).to_contain_text(item.split()[-1])
        assert expected in page.evaluate(read)
    page.get_by_role("button", name="Copy a link to all this").click()
    expect(page.get_by_test_id("spoken")).to_have_text("copied the link")
    assert page.evaluate(read) == page.url


def test_sessions_are_exported_and_imported(genome_server, visit, pair, tmp_path):
    page = visit(genome_server, f"#code={pair[0]}")
    page.keyboard.press("f")
    expect(page.get_by_role("button", name="No favorite any more")).to_be_visible()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Sessions").click()
        page.get_by_role("menuitem", name="Export as JSON").click()
    place = tmp_path / "session.json"
    waiting.value.save_as(place)
    page.get_by_role("button", name="Sessions").click()
    page.get_by_role("menuitem", name="New session").click()
    expect(page.locator(".newest [data-cell]")).to_have_count(12)
    page.get_by_role("button", name="Sessions").click()
    with page.expect_file_chooser() as choosing:
        page.get_by_role("menuitem", name="Import JSON…").click()
    choosing.value.set_files(place)
    expect(page.get_by_role("button", name="No favorite any more")).to_be_visible()
    assert code_of(page) == pair[0]
