"""The page without a server: the very pictures of the model, under any address, with nothing from elsewhere."""

import json
import shlex

import numpy as np
import pytest
from downloads import save_picture, saved
from PIL import Image

import stylegenes
from stylegenes.cli.main import run
from stylegenes.errors import UserError
from stylegenes.explorer.site import export_site
from stylegenes.sheets import read_sheet

sync_api = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install playwright")
expect = sync_api.expect


def pixels(path):
    return np.asarray(Image.open(path).convert("RGB")).astype(int)


def test_pictures_equal_the_models(site, visit, genome_model, tmp_path):
    page = visit(site)
    for seed, psi in ((0, 1.0), (7, 0.5), (123, 1.3), (8, 0.0)):
        expected = genome_model.sample(seeds=[seed], psi=psi)
        page.goto(f"{site}#code={expected.codes[0]}&look=psi={psi}")
        expect(page.get_by_test_id("spoken")).to_have_text("opened from the address")
        file = save_picture(page, tmp_path)
        assert np.abs(pixels(file) - expected.pictures[0].astype(int)).max() <= 1
        carried = read_sheet(file)
        assert carried.codes == list(expected.codes)
        assert carried.origin.psi == f"{psi:g}" and carried.origin.weights == genome_model.weights
        again = genome_model.sample(codes=str(file))
        assert np.array_equal(again.pictures[0], expected.pictures[0])


def test_ways_and_mixtures_equal_the_models(site, visit, genome_model, tmp_path):
    codes = genome_model.sample(seeds=[3, 4]).codes
    page = visit(site, f"#code={codes[1]}&pin={codes[0]}&tab=compare")
    page.get_by_role("radio", name="Way").check()
    strip = pixels(saved(page, tmp_path, page.get_by_role("button", name="Save the strip (PNG)").click))
    expected = genome_model.pictures(genome_model.way(codes[0], codes[1], 12))
    scale, gap = 4, 2
    for index, picture in enumerate(expected):
        start = gap + index * (32 * scale + gap)
        shown = strip[gap : gap + 32 * scale : scale, start : start + 32 * scale : scale]
        assert np.abs(shown - picture.astype(int)).max() <= 1, index
    page.get_by_role("radio", name="Style mixing").check()
    cell = page.locator(".mixing .cell:not(.source)").first
    cell.click()
    code = page.evaluate("() => new URLSearchParams(location.hash.slice(1)).get('code')")
    assert "~" in code
    mixed = genome_model.pictures([code])
    assert np.abs(pixels(save_picture(page, tmp_path)) - mixed[0].astype(int)).max() <= 1


def test_gene_numbers_are_the_models(site, visit, genome_model):
    code = genome_model.sample(seeds=[5]).codes[0]
    page = visit(site, f"#code={code}&attribute=Eyeglasses")
    found, genotype = genome_model.effects("Eyeglasses"), genome_model.genotype([code], 0)
    expect(page.locator(".legend")).to_be_visible()
    first = page.locator(".gene").first
    gene = found.order[0]
    expect(first).to_have_attribute("aria-label", f"Gene {gene}")
    chip = first.locator(".chip").last
    chip.hover()
    variant = int(chip.get_attribute("data-variant"))
    value, low, high = (found.mean + float(part[gene, variant]) for part in (found.effect, found.low, found.high))
    clipped = [f"{round(100 * min(1, max(0, number)))} %" for number in (value, low, high)]
    told = (
        f"Eyeglasses {clipped[0]} (measured {clipped[1]} to {clipped[2]}), seen {int(found.count[gene, variant])} times"
    )
    expect(page.get_by_test_id("readout")).to_contain_text(told)
    assert variant != int(genotype[gene])


def test_a_file_says_that_a_host_is_needed(site_folder, visit):
    page = visit(f"file://{site_folder}/index.html", ready=False, expected=("file:", "CORS", "ERR_FAILED"))
    words = page.get_by_text("It needs a web server")
    expect(words).to_be_visible()
    expect(page.get_by_text("python -m http.server")).to_be_visible()


def test_panels_that_need_python_say_so(site, visit):
    page = visit(site)
    page.get_by_role("tab", name="Invert").click()
    expect(page.get_by_text("Invert is not available here")).to_be_visible()
    expect(page.get_by_text("stylegenes explore avatars32")).to_be_visible()


def test_a_foreign_folder_is_left_alone(genome_model, tmp_path):
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(UserError, match="is no site of stylegenes"):
        export_site(genome_model, tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["letter.txt"]


def test_what_is_written_names_no_other_host(site_folder):
    index = (site_folder / "index.html").read_text()
    assert "http://localhost:8000" in index and index.count("://") == 1
    assert "'wasm-unsafe-eval'" in index and "unsafe-inline" not in index
    assert json.loads((site_folder / "site.json").read_text())["info"]["model"]["num_genes"] == 32


@pytest.mark.slow
def test_a_mapping_model_has_a_site_too(mapping_model, static_host, visit, tmp_path):
    folder = tmp_path / "site"
    export_site(mapping_model, folder)
    expected = mapping_model.sample(seeds=[2], psi=0.7)
    page = visit(static_host(folder), f"#code={expected.codes[0]}&look=psi=0.7")
    assert np.abs(pixels(save_picture(page, tmp_path)) - expected.pictures[0].astype(int)).max() <= 1
    expect(page.get_by_text("The genome is not available here")).to_be_visible()
    page.keyboard.press("b")
    expect(page.get_by_role("heading", name="12 children", exact=False).first).to_be_visible()


def test_sessions_go_to_a_server_and_back(site, visit, genome, tmp_path):
    page = visit(site)
    page.keyboard.press("b")
    expect(page.get_by_role("heading", name="12 children", exact=False).first).to_be_visible()
    page.get_by_role("button", name="Sessions").click()
    file = saved(page, tmp_path, page.get_by_role("menuitem", name="Export as JSON").click)
    there = genome.post("/api/v1/sessions/import", json=json.loads(file.read_text()))
    assert there.status_code == 201, there.text
    assert len(there.json()["nodes"]) == 24 and there.json()["current"] is not None
    back = genome.get(f"/api/v1/sessions/{there.json()['name']}/export").json() | {"name": "from a server"}
    bring(page, json.dumps(back))
    page.get_by_role("button", name="Sessions").click()
    expect(page.get_by_text("Session from a server")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("d")
    expect(page.locator("[data-node='25']").first).to_be_visible()


def test_a_hostile_session_leaves_the_page_as_it_is(site, visit):
    page = visit(site)
    name = page.evaluate("() => localStorage.getItem('stylegenes.session')")
    bring(page, json.dumps({"format": "stylegenes-session 1", "name": "x", "nodes": [None], "current": 1}))
    expect(page.get_by_text("this file is no session of stylegenes", exact=False).first).to_be_visible()
    prefix = json.dumps(
        "stylegenes/" + page.evaluate("async () => (await (await fetch('site.json')).json()).info.model.hash")
    )
    page.evaluate(f"() => localStorage.setItem({prefix} + '/damaged', '{{')")
    page.reload()
    page.wait_for_selector("html[data-ready=yes]", state="attached")
    assert page.evaluate("() => localStorage.getItem('stylegenes.session')") == name


def bring(page, text):
    """Import a session from a file."""
    page.get_by_role("button", name="Sessions").click()
    with page.expect_file_chooser() as waiting:
        page.get_by_role("menuitem", name="Import JSON").click()
    waiting.value.set_files({"name": "session.json", "mimeType": "application/json", "buffer": text.encode()})


def nodes_of(page):
    """How many pictures the page's session has in the browser's storage."""
    script = """() => Object.entries(localStorage).filter(([key]) => key.startsWith("stylegenes/"))
        .map(([, text]) => JSON.parse(text).nodes.length)"""
    (count,) = page.evaluate(script)
    return count


def test_two_tabs_keep_what_either_has_made(site, visit):
    first = visit(site)
    second = first.context.new_page()
    second.goto(site)
    second.wait_for_selector("html[data-ready=yes]", state="attached")
    for node, (page, other) in {13: (first, second), 25: (second, first)}.items():
        page.keyboard.press("d")
        for tab in (page, other):
            expect(tab.locator(f"[data-node='{node}']").first).to_be_visible()
    for tab in (first, second):
        tab.reload()
        tab.wait_for_selector("html[data-ready=yes]", state="attached")
        expect(tab.locator(".newest [data-node='36']")).to_be_visible()
    assert nodes_of(first) == 36


def test_a_full_storage_is_said(site, visit, tmp_path):
    page = visit(site)
    fill = """() => {
        for (let size = 1 << 20, number = 0; size >= 1; number++) {
            try { localStorage.setItem(`full-${number}`, "x".repeat(size)); } catch { size >>= 1; }
        }
    }"""
    page.evaluate(fill)
    page.keyboard.press("d")
    expect(page.get_by_role("alert")).to_contain_text("no more room for this site")
    page.get_by_role("alert").get_by_role("button", name="Close").click()
    expect(page.get_by_role("alert")).to_be_empty()
    page.get_by_role("button", name="Sessions").click()
    file = saved(page, tmp_path, page.get_by_role("menuitem", name="Export as JSON").click)
    assert len(json.loads(file.read_text())["nodes"]) == 24 and nodes_of(page) == 12


def test_the_command_line_and_the_line_of_python_draw_the_same(site, visit, genome_model, tmp_path, monkeypatch):
    a, b = next(pair for pair in zip(*[iter(genome_model.choose(seeds="0-999").strings)] * 2) if pair[0][0] == "-")
    page = visit(site, f"#code={a}~{b}*0.25&look=psi=0.7", permissions=["clipboard-read", "clipboard-write"])
    expect(page.get_by_test_id("spoken")).to_have_text("opened from the address")
    lines = {}
    for item in ("command line", "line of Python"):
        page.get_by_role("button", name="Save and copy").click()
        page.get_by_role("menuitem", name=f"Copy as a {item}").click()
        expect(page.get_by_test_id("spoken")).to_contain_text(item.split()[-1])
        lines[item] = page.evaluate("() => navigator.clipboard.readText()")
    monkeypatch.chdir(tmp_path)
    assert run([*shlex.split(lines["command line"])[1:], "--out", "theirs"]) == 0
    (theirs,) = (tmp_path / "theirs").glob("*.png")
    assert read_sheet(theirs).codes == [f"{a}~{b}*0.25"] and read_sheet(theirs).origin.psi == "0.7"
    (drawn,) = eval(lines["line of Python"], {"stylegenes": stylegenes}).pictures
    assert np.array_equal(pixels(theirs), drawn)
    assert np.abs(pixels(save_picture(page, tmp_path)) - drawn.astype(int)).max() <= 1
