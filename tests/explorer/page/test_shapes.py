"""The page with models that are not square, not RGB, or conditional: all has their shape, the part of a photo too."""

import base64
import io
import re

import numpy as np
import pytest
import torch
from downloads import save_picture, saved
from PIL import Image

from stylegenes.explorer.serve import open_desk
from stylegenes.explorer.site import export_site
from stylegenes.generator import Generator
from stylegenes.model import open_model
from stylegenes.sheets import read_sheet
from stylegenes.snapshot import Card, DataCard, save_snapshot

sync_api = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install playwright")
expect = sync_api.expect

GENOME = {"name": "genome", "w_dim": 16, "num_genes": 4, "num_variants": 6}
MAPPING = {"name": "mapping", "w_dim": 16, "depth": 2, "label_dim": 3}
KINDS = {
    "wide": (GENOME, {"resolution": "48x32"}),
    "tall": (GENOME, {"resolution": "32x48", "image_channels": 1}),
    "line": (GENOME, {"resolution": "128x16"}),
    "pole": (GENOME, {"resolution": "16x128"}),
    "large": (GENOME, {"resolution": "64x256"}),
    "clear": (MAPPING, {"resolution": "32x24", "image_channels": 4}),
    "hazy": (MAPPING, {"resolution": "24x32", "image_channels": 2}),
}


def kinds(*quick, slow=()):
    """Servers of these kinds of model; the slow ones are for long tests."""
    marked = [pytest.param(kind, marks=pytest.mark.slow) for kind in slow]
    return pytest.mark.parametrize("shaped", [*quick, *marked], indirect=True)


OF_PICTURES = """() => [...document.querySelectorAll('.picture, .difference')].filter((one) => one.offsetWidth)
    .map((one) => [one.offsetWidth, one.offsetHeight, one.naturalWidth ?? 0, one.naturalHeight ?? 0])"""
WIDER = """() => [document.documentElement, ...document.querySelectorAll('.left, .right, .middle')]
    .filter((box) => box.scrollWidth > box.clientWidth + 1).map((box) => box.className)"""


@pytest.fixture(scope="module")
def snapshot_of(tmp_path_factory):
    """Folders of models with random weights, by their kind."""
    made = {}

    def make(kind):
        if kind not in made:
            latent, synthesis = KINDS[kind]
            small = {"name": "stylegan2", "w_dim": 16, "channel_base": 256, "channel_max": 16}
            torch.manual_seed(0)
            generator = Generator.from_spec({"latent": latent, "synthesis": {**small, **synthesis}}).eval()
            data = DataCard(source="x", resolution=synthesis["resolution"], label_names=["cat", "dog", "big bird"])
            made[kind] = tmp_path_factory.mktemp("model") / kind
            save_snapshot(made[kind], generator, Card(kind, data=data if generator.label_dim else None))
        return made[kind]

    return make


@pytest.fixture(scope="module")
def servers(serving, snapshot_of, tmp_path_factory):
    """Servers by the kind of their model."""
    made = {}

    def make(kind):
        if kind not in made:
            desk = open_desk(snapshot_of(kind), device="cpu", sessions=tmp_path_factory.mktemp("s") / "s.sqlite")
            made[kind] = serving(desk), desk.opened
        return made[kind]

    return make


@pytest.fixture
def shaped(request, servers):
    """The address of a server, and its model."""
    return servers(request.param)


@pytest.fixture
def photo_of(tmp_path):
    def make(width, height):
        rows, columns = np.mgrid[:height, :width]
        pixels = np.stack([255 * columns // width, 255 * rows // height, 0 * rows + 90], axis=2).astype(np.uint8)
        path = tmp_path / f"{width}x{height}.png"
        Image.fromarray(pixels).save(path)
        return path

    return make


def have_shape(page, size, view):
    """No picture that is shown has another shape than the model's; returns how many there are."""
    found = page.evaluate(OF_PICTURES)
    for width, height, *natural in found:
        assert abs(width * size.height - height * size.width) <= max(size.hw), (view, width, height)
        if natural[0]:
            assert abs(natural[0] * size.height - natural[1] * size.width) <= max(size.hw), (view, natural)
    assert page.evaluate(WIDER) == [], view
    return len(found)


@kinds("wide", slow=["tall", "line", "pole", "large"])
def test_every_picture_of_the_page_has_the_models_shape(shaped, visit):
    address, model = shaped
    size = model.generator.synthesis.size
    page = visit(address)
    newest = page.locator(".newest [data-cell]")
    expect(newest).to_have_count(12)
    assert have_shape(page, size, "explore") > 24
    large = page.locator(".stage .picture.large")
    expect(large).to_have_js_property("naturalWidth", size.width)
    # Small ones are sent with as many pixels as a square of 128.
    small = newest.first.locator(".picture").evaluate("(one) => one.naturalWidth * one.naturalHeight")
    assert small == pytest.approx(min(size.pixels, 128**2), rel=0.02)
    # Small pixels are enlarged by a whole number.
    assert large.evaluate("(one) => one.offsetWidth") % size.width == 0 or size.width > 96
    page.keyboard.press("p")
    newest.nth(3).click()
    newest.nth(4).click(modifiers=["Shift"])
    page.keyboard.press("x")
    expect(page.locator("canvas.difference")).to_have_js_property("width", size.width)
    page.get_by_role("radio", name="Family").check()
    have_shape(page, size, "difference, parents, family")
    page.keyboard.press("2")
    for view in ("Wipe", "Way", "Style mixing"):
        page.get_by_role("radio", name=view).check()
        assert have_shape(page, size, view) > 3
    page.keyboard.press("3")
    have_shape(page, size, "directions")
    page.set_viewport_size({"width": 390, "height": 844})
    for tab in "1234":
        page.keyboard.press(tab)
        have_shape(page, size, f"phone {tab}")
    page.keyboard.press("1")
    page.get_by_role("navigation").get_by_role("button", name="Population").click()
    assert have_shape(page, size, "phone, population") > 3
    assert page.locator(".left .mini .picture").bounding_box()["height"] <= 130


def part_of(page):
    """The part that is framed, in pixels of the photo: left, top, width, height."""
    frame, photo = page.locator(".crop"), page.locator(".crop-area img")
    inner, outer = frame.bounding_box(), photo.bounding_box()
    scale = photo.evaluate("(one) => one.naturalWidth") / outer["width"]
    return [scale * (inner["x"] - outer["x"]), scale * (inner["y"] - outer["y"])] + [
        scale * inner[side] for side in ("width", "height")
    ]


def check_part(page, size, photo):
    """The frame has the model's shape and lies in the photo."""
    left, top, width, height = part_of(page)
    slack = max(photo) / 200
    assert width / height == pytest.approx(size.width / size.height, rel=0.05)
    assert min(left, top) > -slack and left + width < photo[0] + slack and top + height < photo[1] + slack
    return left, top, width, height


@kinds("tall", slow=["wide", "line", "pole"])
def test_the_frame_has_the_models_shape_and_stays_in_the_photo(shaped, visit, photo_of):
    page = visit(shaped[0], "#tab=invert", viewport={"width": 1280, "height": 1200})
    for photo in ((300, 200), (110, 200), (20, 13)):
        page.locator(".drop input").set_input_files(photo_of(*photo))
        expect(page.get_by_test_id("spoken")).to_contain_text(f"{photo[0]}x{photo[1]}.png is ready")
        move_part(page, shaped[1].generator.synthesis.size, photo)


def move_part(page, size, photo):
    """Halve the part, move it to every edge with keys, into a corner with the mouse, and let it grow again."""
    frame = page.get_by_role("slider", name="The part that is used")
    _, _, width, height = check_part(page, size, photo)
    # At first it is as large as the photo allows.
    assert width == pytest.approx(photo[0], rel=0.02) or height == pytest.approx(photo[1], rel=0.02)
    page.get_by_role("slider", name="Size of the part").fill("0.5")
    check_part(page, size, photo)
    for keys, side in (("ArrowLeft", 0), ("ArrowUp", 1), ("ArrowRight", 0), ("ArrowDown", 1)):
        frame.focus()
        for _ in range(52 if keys in ("ArrowLeft", "ArrowUp") else 100):
            page.keyboard.press(keys)
        place = check_part(page, size, photo)
        end = 0 if keys in ("ArrowLeft", "ArrowUp") else photo[side] - place[2 + side]
        assert place[side] == pytest.approx(end, abs=max(photo) / 150)
    box = frame.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(0, 0, steps=3)
    page.mouse.up()
    assert check_part(page, size, photo)[:2] == pytest.approx((0, 0), abs=max(photo) / 150)
    page.get_by_role("slider", name="Size of the part").fill("1")
    assert check_part(page, size, photo)[2:] == pytest.approx((width, height), rel=0.02)


@kinds("tall", slow=["wide"])
def test_what_is_framed_is_what_the_model_is_given(shaped, visit, photo_of):
    address, model = shaped
    size = model.generator.synthesis.size
    page = visit(address, "#tab=invert", has_touch=True, viewport={"width": 390, "height": 844})
    page.locator(".drop input").set_input_files(photo_of(300, 200))
    page.get_by_role("slider", name="Size of the part").fill("0.6")
    page.locator(".crop").scroll_into_view_if_needed()
    before, box = part_of(page), page.locator(".crop").bounding_box()
    touch = page.context.new_cdp_session(page)
    start = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    for kind, (x, y) in zip(("touchStart", "touchMove", "touchEnd"), (start, (start[0] + 20, start[1] - 25), (0, 0))):
        points = [] if kind == "touchEnd" else [{"x": x, "y": y}]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    left, top, width, height = check_part(page, size, (300, 200))
    assert left > before[0] + 10 and top < before[1] - 10
    page.get_by_role("slider", name="Steps").fill("20")
    page.get_by_role("button", name="Invert this picture").click()
    given = page.get_by_role("img", name="What the model is given")
    expect(given).to_have_js_property("naturalWidth", size.width)
    pixels = np.asarray(
        Image.open(io.BytesIO(base64.b64decode(given.get_attribute("src").partition(",")[2]))).convert("RGB")
    ).astype(float)
    columns = (left + (np.arange(size.width) + 0.5) * width / size.width) * 255 / 300
    rows = (top + (np.arange(size.height) + 0.5) * height / size.height) * 255 / 200
    expected = np.stack([*np.broadcast_arrays(columns, rows[:, None]), np.full(size.hw, 90.0)], axis=2)
    if model.generator.synthesis.image_channels == 1:
        expected = (expected @ [0.299, 0.587, 0.114])[:, :, None]
    assert np.abs(pixels - expected).mean() < 2.5
    take = page.get_by_role("button", name="Take it as the picture shown")
    expect(take).to_be_visible(timeout=60_000)
    have_shape(page, size, "outcome")
    take.click()
    page.keyboard.press("1")
    expect(page.get_by_test_id("caption")).to_contain_text("inverted")


def seen(pixels):
    """Colors [H, W, 3] as far as they are seen, and how much of them, [H, W, 1]."""
    image = np.asarray(Image.fromarray(np.squeeze(pixels)).convert("RGBA")).astype(float)
    return image[..., :3] * image[..., 3:] / 255, image[..., 3:]


@kinds(slow=["clear", "hazy"])
def test_a_conditional_model_with_alpha_is_shown_inverted_and_saved(shaped, visit, photo_of, tmp_path):
    address, model = shaped
    page = visit(address, "#tab=invert")
    page.keyboard.press("1")
    page.get_by_label("Label").select_option("big bird")
    told, other = (open_model(model.path, label=label, device="cpu") for label in ("big bird", "cat"))
    code = code_of(page)
    saved_as(page, tmp_path, told, code)
    assert not np.array_equal(told.pictures([code])[0], other.pictures([code])[0])
    page.keyboard.press("4")
    page.locator(".drop input").set_input_files(photo_of(90, 90))
    page.get_by_role("slider", name="Steps").fill("20")
    with page.expect_request("**/inversions?*") as asked:
        page.get_by_role("button", name="Invert this picture").click()
    assert "look=label%3D2%3A1" in asked.value.url
    take = page.get_by_role("button", name="Take it as the picture shown")
    expect(take).to_be_visible(timeout=60_000)
    take.click()
    page.keyboard.press("1")
    expect(page.get_by_test_id("caption")).to_contain_text("inverted")
    saved_as(page, tmp_path, told, code_of(page))


def code_of(page):
    return page.evaluate("() => new URLSearchParams(location.hash.slice(1)).get('code')")


def saved_as(page, tmp_path, model, code):
    """The page saves a code's picture as the model draws it, under its label."""
    file = save_picture(page, tmp_path)
    assert list(read_sheet(file).origin.labels) == ["big bird"]
    # Small pictures are saved four times as large, on paper.
    assert np.array_equal(np.asarray(Image.open(file))[2:-2:4, 2:-2:4], model.pictures([code])[0])


@kinds(slow=["clear"])
def test_a_label_of_several_columns_is_named(shaped, visit):
    page = visit(shaped[0], "#look=label=0:1;2:0.5")
    label = page.get_by_label("Label")
    expect(label.locator("option:checked")).to_have_text("cat, big bird 0.5")
    label.select_option("dog")
    expect(page).to_have_url(re.compile(r"label(=|%3D)1(:|%3A)1"))


@kinds(slow=["clear"])
def test_a_wipe_shows_each_picture_on_its_own_side_only(shaped, visit):
    page = visit(shaped[0])
    page.keyboard.press("p")
    page.locator(".newest [data-cell]").nth(3).click()
    page.keyboard.press("2")
    page.get_by_role("slider", name="Border").fill("0.25")
    sides = page.locator(".wipe > div:has(.picture)").evaluate_all("(all) => all.map((one) => one.style.clipPath)")
    assert sorted(sides) == ["inset(0px 0px 0px 25%)", "inset(0px 75% 0px 0px)"]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["clear", "hazy", "wide"])
def test_a_static_site_draws_and_saves_every_kind(kind, snapshot_of, static_host, visit, tmp_path):
    pytest.importorskip("onnx")
    label = "big bird" if KINDS[kind][0] is MAPPING else None
    model = open_model(snapshot_of(kind), label=label, device="cpu")
    export_site(model, tmp_path / "site")
    codes = model.sample(seeds=[3, 4]).codes
    page = visit(static_host(tmp_path / "site"), f"#code={codes[1]}&pin={codes[0]}")
    have_shape(page, model.generator.synthesis.size, "static")
    file = save_picture(page, tmp_path)
    mode = "RGBA" if model.generator.synthesis.image_channels in (2, 4) else "RGB"
    drawn = Image.fromarray(np.squeeze(model.pictures([codes[1]])[0])).convert(mode)
    assert np.abs(np.asarray(Image.open(file).convert(mode)).astype(int) - np.asarray(drawn).astype(int)).max() <= 1
    carried = read_sheet(file)
    assert carried.codes == [codes[1]] and list(carried.origin.labels) == ([label] if label else [])
    again = open_model(model.path, label=label and "cat", device="cpu").sample(codes=str(file))
    assert np.array_equal(again.pictures[0], model.pictures([codes[1]])[0]) or label
    page.keyboard.press("2")
    page.get_by_role("radio", name="Way").check()
    strip = np.asarray(Image.open(saved(page, tmp_path, page.get_by_role("button", name="Save the strip").click)))
    size, gap = model.generator.synthesis.size, 2
    times = 128 // size.longer
    assert strip.shape[:2] == (times * size.height + 2 * gap, 13 * (times * size.width + gap) + gap)
    for index, picture in enumerate(model.pictures(model.way(*codes, 12))):
        start = gap + index * (times * size.width + gap)
        cell = strip[gap : gap + times * size.height : times, start : start + times * size.width : times]
        pairs = zip(seen(cell), seen(picture), strict=True)
        assert max(np.abs(a - b).max() for a, b in pairs) <= 1.51
