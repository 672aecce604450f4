"""Dice, wish, breed, follow the family, undo: by mouse and by keyboard alone, on a static site and on a server."""

import re

import pytest

SLOW_SITE = [pytest.param("site", marks=pytest.mark.slow), "genome_server"]
sync_api = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install playwright")
expect = sync_api.expect


def newest(page):
    return page.get_by_role("region", name="Newest generation")


def thumbs(page):
    return newest(page).locator("[data-cell]")


def code_of(page):
    return page.evaluate("() => new URLSearchParams(location.hash.slice(1)).get('code')")


@pytest.mark.parametrize("place", ["site", "genome_server"], indirect=True)
def test_by_mouse(place, visit):
    page = visit(place)
    expect(newest(page).get_by_role("heading")).to_have_text("12 diced")
    expect(thumbs(page)).to_have_count(12)
    before = code_of(page)
    thumbs(page).nth(2).click()
    expect(thumbs(page).nth(2)).to_have_attribute("aria-current", "true")
    chosen = code_of(page)
    assert chosen != before

    page.get_by_label("Wish for").select_option("Eyeglasses")
    page.get_by_role("button", name="with Eyeglasses", exact=True).click()
    page.get_by_role("button", name="without Eyeglasses", exact=True).click()
    page.get_by_role("button", name="Dice by wish").click()
    expect(newest(page).get_by_role("heading")).to_contain_text("12 diced: Eyeglasses=1")

    page.get_by_role("slider", name="Mutation").fill("0.5")
    page.locator(".population").get_by_role("button", name="Children").click()
    expect(newest(page).get_by_role("heading")).to_have_text(re.compile(r"12 children of #\d+$"))
    expect(newest(page)).to_contain_text(re.compile(r"diversity: genes \d+ %"))

    thumbs(page).nth(4).click(modifiers=["Shift"])
    page.get_by_role("radio", name="By block").check()
    page.get_by_role("slider", name="Share of the second parent").fill("0.3")
    page.get_by_role("button", name="Children of both").click()
    expect(newest(page).get_by_role("heading")).to_have_text(re.compile(r"12 children of #\d+ × #\d+"))
    thumbs(page).first.click()

    page.get_by_role("button", name="Make it a favorite").click()
    page.get_by_role("radio", name="Favorites").check()
    expect(page.get_by_role("group", name="Favorites").locator("[data-cell]")).to_have_count(1)
    page.get_by_role("radio", name="Family").check()
    expect(page.locator(".tree path")).not_to_have_count(0)
    page.locator(".tree [data-cell]").first.click()

    page.get_by_role("radio", name="All").check()
    assert page.locator(".generation").count() >= 4
    last = code_of(page)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("button", name="Redo")).to_be_enabled()
    assert code_of(page) != last
    page.get_by_role("button", name="Redo").click()
    expect(page.get_by_role("button", name="Redo")).to_be_disabled()
    assert code_of(page) == last


@pytest.mark.parametrize("place", SLOW_SITE, indirect=True)
def test_by_keyboard_alone(place, visit):
    page = visit(place)
    expect(thumbs(page)).to_have_count(12)
    before = page.url
    page.keyboard.press("d")
    expect(page).not_to_have_url(before)
    expect(page.get_by_test_id("spoken")).to_contain_text("12 new pictures")
    focus_by_tab(page, "[data-cell]", within=".newest")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    expect(page.locator(".newest [aria-current=true]")).to_have_count(1)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("m")
    expect(page.locator(".newest .thumb.partner")).to_have_count(1)
    page.keyboard.press("b")
    expect(newest(page).get_by_role("heading")).to_have_text(re.compile(r"12 children of #\d+ × #\d+"))
    page.keyboard.press("f")
    expect(page.get_by_role("button", name="No favorite any more")).to_be_visible()
    chosen = code_of(page)
    page.keyboard.press("u")
    expect(page.get_by_test_id("spoken")).to_contain_text("undo")
    assert code_of(page) != chosen
    page.keyboard.press("r")
    expect(page.get_by_test_id("spoken")).to_contain_text("redo")
    assert code_of(page) == chosen
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()


def focus_by_tab(page, selector, within="body", most=90):
    """Press Tab until something that matches has the focus."""
    script = """([selector, within]) => {
        const now = document.activeElement;
        return Boolean(now?.matches(selector) && now.closest(within));
    }"""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate(script, [selector, within]):
            return
    raise AssertionError(f"Tab does not lead to {within} {selector}")


@pytest.mark.parametrize("place", SLOW_SITE, indirect=True)
def test_the_address_keeps_what_is_seen(place, visit):
    page = visit(place)
    page.keyboard.press("p")
    thumbs(page).nth(5).click()
    thumbs(page).nth(6).click(modifiers=["Shift"])
    page.get_by_label("Color by").select_option("Smiling")
    page.get_by_role("radio", name="By number").check()
    page.get_by_role("slider", name="Truncation").fill("0.7")
    page.locator(".genes .lock").nth(3).click()
    page.get_by_role("tab", name="Compare").click()
    kept = page.url
    fresh = visit(kept)
    assert fresh.url == kept
    expect(fresh.get_by_role("tab", name="Compare")).to_have_attribute("aria-selected", "true")
    expect(fresh.get_by_label("Color by")).to_have_value("Smiling")
    expect(fresh.locator(".genes .lock[aria-pressed=true]")).to_have_count(1)
    expect(fresh.get_by_role("slider", name="Truncation")).to_have_value("0.7")
    assert code_of(fresh) == code_of(page)
    page.reload()
    page.wait_for_selector("html[data-ready=yes]", state="attached")
    assert page.url == kept
    assert page.locator(".generation").count() >= 1


@pytest.mark.parametrize("place", ["genome_server", "mapping_server", "site"], indirect=True)
def test_an_address_that_cannot_be_opened_says_so_and_the_page_goes_on(place, visit):
    fragment = (
        "#code=Zm9v&pin=~&with=x~y@0-99999999&look=label=9:9&locked=-1,999999,3&attribute=__proto__&tab=constructor"
    )
    page = visit(place, fragment, expected=("422", "404"))
    expect(page.get_by_role("alert")).to_contain_text("this address cannot be opened as it is")
    expect(page.get_by_role("heading", name="12 diced").first).to_be_visible()
    assert "Zm9v" not in page.url and "999999" not in page.url
    page.keyboard.press("b")
    expect(page.get_by_role("heading", name="12 children", exact=False).first).to_be_visible()
    page.goto(f"{page.url.split('#')[0]}#code=Zm9v")
    expect(page.get_by_role("alert")).to_contain_text("this address cannot be opened as it is")
