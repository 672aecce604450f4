"""Files that the page saves, as a browser's downloads."""


def saved(page, tmp_path, press):
    """The file that a button saves."""
    with page.expect_download() as waiting:
        press()
    place = tmp_path / waiting.value.suggested_filename
    waiting.value.save_as(place)
    return place


def save_picture(page, tmp_path):
    page.get_by_role("button", name="Save and copy").click()
    return saved(page, tmp_path, page.get_by_role("menuitem", name="Save the picture").click)
