"""Attributes by sliders, with hold; what was requested, achieved, and what else changed."""

import re

import pytest

sync_api = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install playwright")
expect = sync_api.expect


def code_of(page):
    return page.evaluate("() => new URLSearchParams(location.hash.slice(1)).get('code')")


@pytest.fixture
def plain_face(genome_model):
    """A face with hardly any glasses, by the judge, but some: one that an edit can reach."""
    codes = genome_model.sample(seeds="0-15").codes
    column = genome_model.classifier.attributes.index("Eyeglasses")
    for index in (genome_model.judged(codes)[:, column] - 0.1).abs().argsort().tolist():
        edited = genome_model.edit("Eyeglasses=1", code=codes[index], hold="Young")
        before, after = genome_model.judged([codes[index], edited.after])[:, column].tolist()
        if after > before + 0.2:
            return codes[index]
    raise AssertionError("no face takes glasses")


def test_by_mouse(genome_server, visit, plain_face, genome_model):
    page = visit(genome_server, f"#code={plain_face}")
    page.get_by_role("radio", name="Attributes").check()
    page.get_by_label("Find an attribute").fill("you")
    page.get_by_role("button", name="Hold Young").click()
    page.get_by_label("Find an attribute").fill("eyegl")
    slider = page.get_by_role("slider", name="Eyeglasses")
    expect(slider).to_be_enabled()
    box = slider.bounding_box()
    page.mouse.click(box["x"] + box["width"] - 4, box["y"] + box["height"] / 2)
    report = page.get_by_role("region", name="What the edit did")
    expect(report).to_contain_text("Side effects")
    expect(report.get_by_role("row", name=re.compile("Eyeglasses")).first).to_contain_text("+")
    assert code_of(page) != plain_face
    column = genome_model.classifier.attributes.index("Eyeglasses")
    before, after = genome_model.judged([plain_face, code_of(page)])[:, column].tolist()
    assert after > before
    page.get_by_role("button", name="Undo").click()
    expect(report).to_be_hidden()
    assert code_of(page) == plain_face


def test_by_keyboard_alone(genome_server, visit, plain_face):
    page = visit(genome_server, f"#code={plain_face}")
    page.keyboard.press("a")
    expect(page.get_by_label("Find an attribute")).to_be_focused()
    page.keyboard.type("eyegl")
    expect(page.get_by_role("slider", name="Eyeglasses")).to_be_enabled()
    page.keyboard.press("Tab")
    expect(page.get_by_role("slider", name="Eyeglasses")).to_be_focused()
    page.keyboard.press("End")
    expect(page.get_by_test_id("spoken")).to_contain_text(re.compile("Eyeglasses: .* before, .* now"))
    assert code_of(page) != plain_face
    expect(page.get_by_role("region", name="What the edit did")).to_be_visible()


def test_what_was_made_of_a_picture_that_was_left_is_its_child(genome_server, visit, plain_face):
    page = visit(genome_server, f"#code={plain_face}")
    held = []
    page.route("**/api/v1/edit", lambda route: held.append(route))
    page.keyboard.press("a")
    page.keyboard.type("eyegl")
    slider = page.get_by_role("slider", name="Eyeglasses")
    expect(slider).to_be_enabled()
    slider.focus()
    with page.expect_request("**/api/v1/edit"):
        for key in ("End", "ArrowLeft", "ArrowLeft"):
            page.keyboard.press(key)
    page.keyboard.press("d")
    expect(page.get_by_role("region", name="Newest generation").get_by_role("heading")).to_have_text("12 diced")
    shown = code_of(page)
    assert shown != plain_face and len(held) == 1
    with page.expect_response("**/nodes") as added:
        held[0].continue_()
    (node,) = added.value.json()["nodes"]
    origin = page.request.get(f"{genome_server}api/v1/sessions").json()[0]["name"]
    kept = page.request.get(f"{genome_server}api/v1/sessions/{origin}").json()
    parents = [one["code"] for one in kept["nodes"] if one["id"] in node["parents"]]
    assert (node["operation"], parents) == ("edit", [plain_face])
    assert code_of(page) == shown and kept["current"] != node["id"]
    page.get_by_role("button", name="Save and copy").click()
    page.keyboard.press("p")
    expect(page.get_by_role("button", name="Pin as the original")).to_have_attribute("aria-pressed", "false")
