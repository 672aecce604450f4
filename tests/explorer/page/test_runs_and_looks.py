"""A run in the browser, live; no view has a violation of axe's rules or scrolls sideways at any size."""

import json
from pathlib import Path

import numpy as np
import pytest

from stylegenes.explorer.desk import Desk
from stylegenes.pictures import save_picture

sync_api = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install playwright")
expect = sync_api.expect
AXE = Path(__file__).parents[3] / "explorer/node_modules/axe-core/axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
CHECK = f"""axe.run({{runOnly: {RULES}}}).then(({{violations}}) => JSON.stringify(violations.map(({{id, nodes}}) =>
    [id, nodes.slice(0, 3).map(({{html}}) => html.slice(0, 160))])))"""


def tick(kimg, loss):
    said = {"kimg": kimg, "losses": {"G main": loss, "D main": 0.5}, "real_sign": 0.1, "gap": 1.0, "augment_p": 0.0}
    said |= {"rate": 20.0, "eta": 5400.0, "memory": 1, "rollbacks": 0, "health": "healthy", "vitals": {}}
    return json.dumps(said)


@pytest.fixture
def run_folder(tmp_path):
    run = tmp_path / "0001"
    (run / "samples").mkdir(parents=True)
    (run / "config.json").write_text(json.dumps({"recipe": "x", "kimg": 60.0}))
    (run / "log.txt").write_text("begun\na line\n")
    (run / "stats.jsonl").write_text("\n".join(tick(kimg, 2 - kimg / 30) for kimg in range(1, 9)) + "\n")
    (run / "metrics.jsonl").write_text('{"kimg": 1, "fd": 9.0}\n{"kimg": 3, "fd": 4.0}\n')
    for kimg in (0, 4, 8):
        save_picture(run / "samples" / f"{kimg:06d}.png", np.full((64, 64, 3), 20 * kimg, np.uint8))
    return run


@pytest.fixture
def run_server(serving, run_folder):
    return serving(Desk(None, run_folder))


def test_a_run_is_followed(run_server, run_folder, visit):
    page = visit(run_server)
    expect(page.get_by_role("heading", name="0001")).to_be_visible()
    expect(page.get_by_text("healthy")).to_be_visible()
    expect(page.get_by_text("20.0 images/s")).to_be_visible()
    expect(page.get_by_text("fd, best 4.000")).to_be_visible()
    picture = page.get_by_role("img", name="Pictures after 8 thousand images")
    expect(picture).to_be_visible()
    page.get_by_role("slider", name="After").focus()
    page.keyboard.press("Home")
    expect(page.get_by_role("img", name="Pictures after 0 thousand images")).to_be_visible()
    page.get_by_role("button", name="Newest pictures").click()
    save_picture(run_folder / "samples" / "000012.png", np.full((64, 64, 3), 250, np.uint8))
    with (run_folder / "stats.jsonl").open("a") as file:
        file.write(tick(12, 1.0) + "\n")
    expect(page.get_by_role("img", name="Pictures after 12 thousand images")).to_be_visible()
    expect(page.get_by_text("12.0 kimg")).to_be_visible()
    page.get_by_role("tab", name="Explore").click()
    expect(page.get_by_text("this run has no snapshot yet")).to_be_visible()


@pytest.mark.parametrize("width", [390, 800, 1024, 1440])
def test_a_run_without_a_model_fills_every_width(run_server, visit, width):
    page = visit(run_server, viewport={"width": width, "height": 844})
    expect(page.get_by_role("heading", name="0001")).to_be_visible()
    for part in (".middle", ".bar"):
        assert page.locator(part).bounding_box()["width"] == width


def test_a_run_shows_its_first_line(run_server, run_folder, visit):
    (run_folder / "stats.jsonl").write_text(tick(1, 2.0) + "\n")
    page = visit(run_server)
    losses = page.get_by_role("img", name="Losses, last: G main 2", exact=False)
    expect(losses).to_be_visible()
    points = losses.locator("polyline").first.get_attribute("points").split(" ")
    assert len(points) == 2 and points[0] == points[1]


class Checker:
    """Runs axe's rules on what a page shows."""

    def __init__(self, page):
        if not AXE.is_file():
            pytest.skip("no axe-core here: npm ci (in explorer/)")
        self.session = page.context.new_cdp_session(page)
        self.evaluate(AXE.read_text())

    def evaluate(self, script, **options):
        found = self.session.send("Runtime.evaluate", {"expression": script, **options})
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def __call__(self, view):
        found = json.loads(self.evaluate(CHECK, awaitPromise=True, returnByValue=True))
        assert found == [], view


@pytest.mark.parametrize("theme", ["light", pytest.param("dark", marks=pytest.mark.slow)])
def test_no_view_breaks_a_rule(genome_server, visit, theme):
    page = visit(genome_server, color_scheme=theme, reduced_motion="reduce")
    expect(page.locator(".legend")).to_be_visible()
    check = Checker(page)
    page.keyboard.press("p")
    page.locator(".newest [data-cell]").nth(3).click()
    page.locator(".newest [data-cell]").nth(4).click(modifiers=["Shift"])
    page.get_by_label("Wish for").select_option("Smiling")
    page.get_by_role("radio", name="Family").check()
    check("explore, the genome, a family")
    page.get_by_role("radio", name="Attributes").check()
    page.keyboard.press("2")
    expect(page.get_by_role("slider", name="Smiling")).to_be_enabled()
    check("wipe, attributes")
    page.get_by_role("radio", name="Way").check()
    check("way")
    page.get_by_role("radio", name="Style mixing").check()
    check("mixing")
    page.keyboard.press("3")
    expect(page.get_by_role("slider", name="pc1 ·")).to_be_visible()
    check("directions")
    page.keyboard.press("4")
    page.get_by_role("button", name="Save and copy").click()
    check("invert, a menu")
    page.keyboard.press("Escape")
    page.keyboard.press("5")
    page.keyboard.press("?")
    check("a panel that is absent, help")


def test_a_run_breaks_no_rule(run_server, visit):
    page = visit(run_server)
    expect(page.get_by_role("heading", name="0001")).to_be_visible()
    Checker(page)("runs")


SIZES = {"phone": (390, 844), "tablet": (1024, 768), "desk": (1440, 900)}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_scrolls_sideways(genome_server, visit, theme):
    page = visit(genome_server, color_scheme=theme)
    expect(page.locator(".legend")).to_be_attached()
    wide = """() => [document.documentElement, ...document.querySelectorAll('.left, .right, .middle')]
        .filter((box) => box.scrollWidth > box.clientWidth + 1).map((box) => box.className)"""
    paper = "() => getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(paper) == {"light": "rgb(244, 242, 237)", "dark": "rgb(19, 18, 23)"}[theme]
    for name, (width, height) in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        for tab in "12345":
            page.keyboard.press(tab)
            assert page.evaluate(wide) == [], (name, tab)
        page.keyboard.press("1")
    page.set_viewport_size({"width": 390, "height": 844})
    page.get_by_role("navigation").get_by_role("button", name="Genome").click()
    expect(page.locator(".gene").first).to_be_visible()
    assert page.evaluate(wide) == []
    page.get_by_role("navigation").get_by_role("button", name="Population").click()
    expect(page.get_by_role("heading", name="Children", exact=True)).to_be_visible()
    assert page.evaluate(wide) == []
