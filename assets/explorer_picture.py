"""The picture of the explorer in the README: children of two faces, one with a gene previewed, in a real browser.

    python -m assets.explorer_picture avatars64 --wish Eyeglasses --out assets/explorer.png

From the root of a checkout. Needs Chromium and playwright (the dev extra). Dice of the page are thrown anew each time.
"""

from __future__ import annotations

import argparse
import re
import shutil
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from benchmarks.explorer import server

_BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def main() -> None:
    """Start the explorer, breed, and take the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="snapshot with a survey")
    parser.add_argument("--wish", default="Eyeglasses", help="of the first generation; genes are colored by it")
    parser.add_argument("--parents", type=int, nargs=2, default=[2, 5], help="which two of the first generation")
    parser.add_argument("--child", type=int, default=3, help="which of their children is looked at")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "explorer.png")
    args = parser.parse_args()
    browser = next((found for name in _BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        raise SystemExit("no Chromium here")
    with server(args.model) as address, sync_playwright() as playwright:
        window = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        page = window.new_page(viewport={"width": 1440, "height": 900})
        page.goto(address)
        page.wait_for_selector("html[data-ready=yes]", state="attached")
        _breed(page, args.wish, args.parents, args.child)
        page.screenshot(path=args.out)


def _breed(page: Page, wish: str, parents: list[int], child: int) -> None:
    newest = page.get_by_role("region", name="Newest generation")
    thumbs = newest.locator("[data-cell]")
    page.get_by_label("Wish for").select_option(wish)
    page.get_by_role("button", name="Dice by wish").click()
    newest.get_by_text(f"12 diced: {wish}=1").wait_for()
    thumbs.nth(parents[0]).click()
    page.get_by_role("button", name="Make it a favorite").click()
    page.keyboard.press("p")
    thumbs.nth(parents[1]).click(modifiers=["Shift"])
    page.get_by_role("button", name="Children of both").click()
    newest.get_by_text(re.compile(r"12 children of #\d+ × #\d+")).wait_for()
    newest.get_by_text(re.compile(r"pictures \d")).wait_for()
    thumbs.nth(child).click()
    page.get_by_role("radio", name="Family").check()
    page.get_by_label("Color by").select_option(wish)
    page.locator(".legend").wait_for()
    page.locator(".gene").first.locator(".chip:not([aria-pressed=true])").last.hover()
    page.get_by_text(re.compile("Preview · gene")).wait_for()
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(1000)


if __name__ == "__main__":
    main()
