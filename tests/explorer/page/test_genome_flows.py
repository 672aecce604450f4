"""Read, preview, swap, lock, paste genes: by mouse, and again by keyboard alone."""

import re

import pytest

SLOW_SITE = [pytest.param("site", marks=pytest.mark.slow), "genome_server"]
sync_api = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install playwright")
expect = sync_api.expect


def code_of(page):
    return page.evaluate("() => new URLSearchParams(location.hash.slice(1)).get('code')")


@pytest.mark.parametrize("place", ["site", "genome_server"], indirect=True)
def test_by_mouse(place, visit, genome_model):
    code = genome_model.sample(seeds=[11]).codes[0]
    page = visit(place, f"#code={code}&attribute=Eyeglasses")
    expect(page.locator(".legend")).to_be_visible()
    page.keyboard.press("p")
    row = page.locator(".gene").first
    gene = int(re.search(r"\d+", row.get_attribute("aria-label")).group())
    chip = row.locator(".chip:not([aria-pressed=true])").last
    variant = int(chip.get_attribute("data-variant"))
    chip.hover()
    expect(page.get_by_test_id("caption")).to_have_text(f"Preview · gene {gene}, variant {variant}")
    assert code_of(page) == code
    chip.click()
    expect(page.get_by_text("1 of 32 genes differ from the pinned picture")).to_be_visible()
    assert code_of(page) == genome_model.swap(code, gene, variant)
    page.get_by_role("radio", name="Changed").check()
    expect(page.locator(".gene")).to_have_count(1)
    page.get_by_role("radio", name="By number").check()
    expect(page.locator(".gene").first).to_have_attribute("aria-label", "Gene 0")
    page.get_by_role("button", name="All 256 variants of gene 0").click()
    expect(page.locator(".gene").first.locator(".chip")).to_have_count(256)

    page.get_by_role("button", name="Lock gene 7", exact=True).click()
    page.get_by_role("slider", name="Mutation").fill("1")
    page.locator(".population").get_by_role("button", name="Children").click()
    expect(page.get_by_role("region", name="Newest generation").get_by_role("heading")).to_contain_text("12 children")
    page.get_by_role("region", name="Newest generation").locator("[data-cell]").nth(1).click()
    expect(page.get_by_text("31 of 32 genes differ")).to_be_visible()
    parent, child = (genome_model.genotype([one], 0) for one in (code, code_of(page)))
    assert int(parent[7]) == int(child[7])

    field = page.get_by_label("Genotype string")
    field.fill(code[:-1])
    page.get_by_role("button", name="Read this code").click()
    expect(page.get_by_role("alert")).to_contain_text("a code string of this model has 46")
    page.get_by_role("region", name="Newest generation").locator("[data-cell]").nth(2).click()
    expect(field).to_have_value(code_of(page))
    field.fill(f"  {code} ")
    page.get_by_role("button", name="Read this code").click()
    expect(page.get_by_role("alert")).to_be_empty()
    # The complaint goes before the server has read the code.
    expect(page).to_have_url(re.compile(rf"[#&]code={re.escape(code)}(&|$)"))
    assert code_of(page) == code


def test_an_earlier_action_that_ends_late_leaves_the_newer_complaint(genome_server, visit, genome_model):
    code = genome_model.sample(seeds=[11]).codes[0]
    page = visit(genome_server, f"#code={code}")
    held, free = [], []
    page.route("**/nodes", lambda route: route.continue_() if free else held.append(route))
    page.locator(".gene").first.locator(".chip:not([aria-pressed=true])").last.click()
    page.locator(".population").get_by_role("button", name="Children").click()
    page.get_by_label("Genotype string").fill(code[:-1])
    page.get_by_role("button", name="Read this code").click()
    expect(page.get_by_role("alert")).to_contain_text("a code string of this model has 46")
    # The second action waits for the first one's answer.
    free.append(True)
    (first,) = held
    first.continue_()
    expect(page.get_by_role("region", name="Newest generation").get_by_role("heading")).to_contain_text("12 children")
    expect(page.get_by_role("alert")).to_contain_text("a code string of this model has 46")
    page.get_by_role("toolbar").get_by_role("button", name="Dice new pictures").click()
    expect(page.get_by_role("alert")).to_be_empty()


@pytest.mark.parametrize("place", SLOW_SITE, indirect=True)
def test_by_keyboard_alone(place, visit, genome_model):
    code = genome_model.sample(seeds=[12]).codes[0]
    page = visit(place, f"#code={code}&attribute=Smiling")
    expect(page.locator(".legend")).to_be_visible()
    page.keyboard.press("p")
    page.keyboard.press("g")
    expect(page.locator(".chip:focus")).to_have_count(1)
    focused = "() => ({...document.activeElement.dataset, pressed: document.activeElement.ariaPressed})"
    start = page.evaluate(focused)
    assert start["pressed"] == "true" and int(start["variant"]) == int(
        genome_model.genotype([code], 0)[int(start["gene"])]
    )
    page.keyboard.press("Home")
    page.keyboard.press("ArrowDown")
    below = page.evaluate(focused)
    assert below["gene"] != start["gene"]
    if below["pressed"] == "true":
        page.keyboard.press("ArrowRight")
        below = page.evaluate(focused)
    expect(page.get_by_test_id("caption")).to_have_text(f"Preview · gene {below['gene']}, variant {below['variant']}")
    expect(page.get_by_test_id("readout")).to_contain_text(f"Gene {below['gene']}, variant {below['variant']}: Smiling")
    page.keyboard.press("l")
    expect(page.get_by_test_id("spoken")).to_have_text(f"gene {below['gene']} is locked")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("spoken")).to_have_text(f"gene {below['gene']} is now variant {below['variant']}")
    assert code_of(page) == genome_model.swap(code, int(below["gene"]), int(below["variant"]))
    page.keyboard.press("x")
    expect(page.locator("canvas.difference")).to_be_visible()
    page.keyboard.press("u")
    expect(page.get_by_test_id("spoken")).to_contain_text("undo")
    assert code_of(page) == code
