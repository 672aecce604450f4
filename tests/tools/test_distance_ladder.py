from tools.distance_ladder import jpeg, ladder, noise

ROWS = ("as they are", "blurred by half a pixel", "blurred by one pixel")


def test_blur_costs_distance_in_the_order_that_the_page_tells():
    rows = ladder(100, 40, 32, ROWS)
    clean, half, whole = (rows[name]["fd_lite0"] for name in ROWS)
    assert clean < half < whole
    assert set(rows["as they are"]) == {"fd_lite0", "precision_lite0", "recall_lite0", "outliers_lite0"}


def test_damage_is_of_the_size_that_it_says():
    import numpy as np

    picture = np.full((3, 64, 64), 128, np.uint8)
    assert abs(noise(8)(picture).astype(float).std() - 8) < 0.3
    assert jpeg(75)(picture).shape == picture.shape and np.abs(jpeg(75)(picture).astype(int) - 128).max() <= 2
