import numpy as np
import pytest
import scipy.linalg
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from sklearn.metrics.pairwise import polynomial_kernel

from stylegenes.errors import UserError
from stylegenes.metrics.frechet import frechet_distance
from stylegenes.metrics.kernel import cubic_kernel, kernel_distance, squared_mmd
from stylegenes.metrics.moments import FeatureGaussian, Moments
from stylegenes.metrics.neighbors import density_coverage, outliers, precision_recall, radii
from stylegenes.metrics.rows import Rows
from stylegenes.perception import EXTRACTORS


def gaussian(features: torch.Tensor) -> FeatureGaussian:
    moments = Moments.empty(features.shape[1])
    moments.update(features)
    return moments.gaussian()


def features(n: int, dim: int, seed: int, shift: float = 0.0) -> torch.Tensor:
    """Correlated, skewed and non-negative, like those of a network."""
    rng = torch.Generator().manual_seed(seed)
    mixing = torch.randn(dim, dim, generator=torch.Generator().manual_seed(99)) / dim**0.5
    return (torch.randn(n, dim, generator=rng) @ mixing + shift).relu()


def rows(features: torch.Tensor) -> Rows:
    return Rows(features.float().numpy())


class TestMoments:
    def test_they_are_numpys(self):
        x = features(300, 7, 0)
        moments = Moments.empty(7)
        for part in x.split(64):
            moments.update(part)
        found = moments.gaussian()
        np.testing.assert_allclose(found.mean, x.double().mean(0), rtol=1e-12)
        np.testing.assert_allclose(found.covariance, np.cov(x.double().numpy(), rowvar=False), rtol=1e-10, atol=1e-14)

    @given(st.integers(1, 99))
    @settings(max_examples=10, deadline=None)
    def test_they_are_additive(self, cut):
        x = features(100, 5, 1)
        parts = [Moments.empty(5), Moments.empty(5)]
        parts[0].update(x[:cut])
        parts[1].update(x[cut:])
        merged, whole = parts[0].merged(parts[1]).gaussian(), gaussian(x)
        torch.testing.assert_close(merged.covariance, whole.covariance, rtol=1e-12, atol=1e-14)

    def test_one_picture_has_no_covariance(self):
        with pytest.raises(UserError, match="at least two"):
            gaussian(torch.zeros(1, 3))


class TestFrechet:
    @pytest.mark.parametrize("dim", [3, 64])
    def test_it_equals_the_trace_of_scipys_matrix_root(self, dim):
        a, b = gaussian(features(1000, dim, 0)), gaussian(features(900, dim, 1, shift=0.1))
        root = scipy.linalg.sqrtm(a.covariance.numpy() @ b.covariance.numpy()).real
        by_scipy = (a.mean - b.mean).square().sum() + np.trace(a.covariance + b.covariance - 2 * root)
        assert frechet_distance(a, b) == pytest.approx(float(by_scipy), rel=1e-6)

    def test_known_answer(self):
        """Diagonal covariances: sum of (m1 - m2)^2 + (s1 - s2)^2."""
        mean, eye = torch.zeros(4).double(), torch.eye(4).double()
        a, b = FeatureGaussian(mean, eye * 9, 10), FeatureGaussian(mean + 2, eye * 4, 10)
        assert frechet_distance(a, b) == pytest.approx(4 * (4 + 1))

    @given(st.integers(0, 50), st.integers(2, 40))
    @settings(max_examples=25, deadline=None)
    def test_zero_at_equality_and_symmetric_also_when_singular(self, seed, n):
        a, b = gaussian(features(n, 12, seed)), gaussian(features(n + 3, 12, seed + 100))
        assert frechet_distance(a, a) == pytest.approx(0, abs=1e-9)
        assert frechet_distance(a, b) == pytest.approx(frechet_distance(b, a), rel=1e-9)
        assert frechet_distance(a, b) >= 0

    def test_fewer_pictures_than_features_keep_their_precision(self):
        """Both sets lie in a plane, where the distance is known from two dimensions."""
        flat = [features(30, 2, s) for s in (0, 1)]
        turn = torch.linalg.qr(torch.randn(50, 50, dtype=torch.float64))[0][:2]
        small = frechet_distance(*[gaussian(x) for x in flat])
        large = frechet_distance(*[gaussian(x.double() @ turn) for x in flat])
        assert large == pytest.approx(small, rel=1e-8)

    def test_other_lengths_and_non_finite_features_are_refused(self):
        a = gaussian(features(10, 3, 0))
        with pytest.raises(UserError, match="length 3 and 4"):
            frechet_distance(a, gaussian(features(10, 4, 0)))
        with pytest.raises(UserError, match="diverged"):
            frechet_distance(a, gaussian(torch.full((10, 3), torch.nan)))


class TestKernel:
    def test_it_equals_the_unbiased_estimate_from_scikit_learns_kernel(self):
        x, y = features(200, 32, 0).double(), features(200, 32, 1, 0.2).double()
        own = [polynomial_kernel(part.numpy(), degree=3, coef0=1) for part in (x, y)]
        pairs = sum((kernel.sum() - np.trace(kernel)) / (200 * 199) for kernel in own)
        reference = float(pairs - 2 * polynomial_kernel(x.numpy(), y.numpy(), degree=3, coef0=1).mean())
        assert squared_mmd(x, y) == pytest.approx(reference, rel=1e-6)
        everything = kernel_distance(rows(x), rows(y), subsets=1, subset_size=200)
        assert everything.mean == pytest.approx(reference, rel=1e-6)

    def test_it_equals_the_sum_over_pairs(self):
        x, y = features(9, 4, 0).double(), features(7, 4, 1).double()
        kernel = cubic_kernel(torch.cat([x, y]), torch.cat([x, y]))
        own_x = sum(kernel[i, j] for i in range(9) for j in range(9) if i != j) / 72
        own_y = sum(kernel[i, j] for i in range(9, 16) for j in range(9, 16) if i != j) / 42
        across = sum(kernel[i, j] for i in range(9) for j in range(9, 16)) / 63
        assert squared_mmd(x, y) == pytest.approx((own_x + own_y - 2 * across).item(), rel=1e-9)

    def test_it_is_unbiased(self):
        """Of equal distributions the estimates scatter around zero."""
        pairs = [(features(60, 8, 2 * s), features(60, 8, 2 * s + 1)) for s in range(200)]
        values = torch.tensor([squared_mmd(x, y) for x, y in pairs])
        assert abs(values.mean()) < 3 * values.std() / 200**0.5
        assert (values < 0).any()

    def test_seed_and_spread(self):
        x, y = rows(features(300, 8, 0)), rows(features(300, 8, 1))
        a, b = (kernel_distance(x, y, subsets=10, subset_size=50, seed=s) for s in (0, 1))
        assert a == kernel_distance(x, y, subsets=10, subset_size=50, seed=0)
        assert a.mean != b.mean and a.spread > 0


class TestNeighbors:
    @pytest.mark.parametrize("chunk", [7, 64, 1000])
    def test_radii_by_brute_force(self, chunk):
        x = features(150, 6, 0)
        reference = np.sort(cdist(x, x), axis=1)[:, 3]
        np.testing.assert_allclose(radii(rows(x), 3, chunk).sqrt(), reference, rtol=1e-6)

    @pytest.mark.parametrize("chunk", [13, 1000])
    def test_all_four_by_brute_force(self, chunk):
        real, fake, k = features(120, 6, 0), features(90, 6, 1, 0.3), 4
        rr, ff = (np.sort(cdist(x, x), axis=1)[:, k] for x in (real, fake))
        inside_real, inside_fake = cdist(fake, real) <= rr, cdist(real, fake) <= ff
        found = precision_recall(rows(real), rows(fake), k=k, chunk=chunk)
        assert found.precision == pytest.approx(inside_real.any(axis=1).mean())
        assert found.recall == pytest.approx(inside_fake.any(axis=1).mean())
        other = density_coverage(rows(real), rows(fake), k=k, chunk=chunk)
        assert other.density == pytest.approx(inside_real.sum() / (k * 90))
        assert other.coverage == pytest.approx(inside_real.any(axis=0).mean())

    def test_equal_sets_are_perfect(self):
        x = rows(features(80, 5, 0))
        assert precision_recall(x, x).precision == precision_recall(x, x).recall == 1
        assert density_coverage(x, x).coverage == 1

    @pytest.mark.parametrize("scale", [1.0, 1e-3])
    def test_copies_lie_in_the_balls_of_pictures_that_have_k_twins(self, scale):
        once = features(150, 500, 0) * scale + 7
        assert precision_recall(rows(once.repeat(4, 1)), rows(once), k=3).precision == 1
        assert density_coverage(rows(once.repeat(6, 1)), rows(once), k=5).coverage == 1

    def test_one_mode_of_two_keeps_precision_and_loses_recall_and_coverage(self):
        modes = [features(200, 5, s) + 50 * s for s in range(2)]
        real = rows(torch.cat(modes))
        fake = rows(features(200, 5, 7))
        assert precision_recall(real, fake).precision > 0.9
        assert precision_recall(real, fake).recall < 0.55
        assert density_coverage(real, fake).coverage < 0.55

    def test_far_away_is_nothing(self):
        real, fake = rows(features(50, 5, 0)), rows(features(50, 5, 1) + 100)
        assert precision_recall(real, fake).precision == precision_recall(real, fake).recall == 0
        assert density_coverage(real, fake).density == 0

    def test_too_few_pictures_are_refused(self):
        with pytest.raises(UserError, match="more than 3 pictures; got 3"):
            radii(rows(features(3, 2, 0)), 3)


class TestOutliers:
    @pytest.mark.parametrize("n", [2, 60, 98, 99, 250])
    @pytest.mark.parametrize("chunk", [17, 1000])
    def test_by_brute_force(self, n, chunk):
        real, fake = features(n, 6, 0).double(), features(90, 6, 1, 0.5).double()
        own = cdist(real, real)
        np.fill_diagonal(own, np.inf)
        # The smallest distance that at most one in a hundred of the n + 1 exceeds, or the largest there is.
        limits = [d for d in np.sort(own.min(axis=1)) if (own.min(axis=1) > d).sum() + 1 <= (n + 1) / 100]
        limit = limits[0] if limits else own.min(axis=1).max()
        found = outliers(rows(real), rows(fake), chunk=chunk)
        assert found.limit == pytest.approx(limit, rel=1e-5)
        assert found.share == pytest.approx((cdist(fake, real).min(axis=1) > limit).mean())

    @pytest.mark.parametrize("dim", [2, 8, 40])
    @pytest.mark.parametrize("n", [100, 400, 1000])
    def test_reals_score_one_in_a_hundred(self, dim, n):
        shares = [outliers(rows(features(n, dim, s)), rows(features(500, dim, 1000 + s))).share for s in range(12)]
        assert 0.003 < np.mean(shares) < 0.02

    def test_the_share_is_that_of_the_blots(self):
        real, fake = features(500, 8, 0), features(400, 8, 1)
        fake[:60] += 30
        assert outliers(rows(real), rows(fake)).share == pytest.approx(0.15, abs=0.02)

    @pytest.mark.parametrize("scale", [1.0, 1e-3, 300.0])
    def test_copies_are_no_outliers_even_where_every_real_has_a_twin(self, scale):
        real = (features(120, 50, 0) * scale + 7).repeat(2, 1)
        found = outliers(rows(real), rows(real[torch.randperm(240)]), chunk=50)
        assert found.share == 0 and found.limit < 1e-4 * (scale + 7)
        assert outliers(rows(real), rows(real + scale)).share == 1

    def test_one_real_has_no_neighbor(self):
        with pytest.raises(UserError, match=r"at least 2 reals .*; got 1"):
            outliers(rows(features(1, 3, 0)), rows(features(9, 3, 1)))


def fitted(x: np.ndarray) -> FeatureGaussian:
    """A FeatureGaussian of whatever is given, without a check."""
    tensor = torch.from_numpy(x)
    cross = tensor[:, :, None] * tensor[:, None, :] if tensor.ndim == 2 else tensor
    return FeatureGaussian(tensor.sum(0), cross.sum(0), len(x))


MEASURES = {
    "frechet": lambda a, b: frechet_distance(fitted(a), fitted(b)),
    "kernel": lambda a, b: kernel_distance(Rows(a), Rows(b), subsets=3, subset_size=20).mean,
    "mmd": lambda a, b: squared_mmd(torch.from_numpy(a), torch.from_numpy(b)),
    "precision": lambda a, b: precision_recall(Rows(a), Rows(b)).precision,
    "density": lambda a, b: density_coverage(Rows(a), Rows(b)).density,
    "outliers": lambda a, b: outliers(Rows(a), Rows(b)).share,
}


@pytest.mark.parametrize("measure", MEASURES)
class TestDoor:
    """Every measure refuses in the same words what it cannot compare."""

    @pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
    @pytest.mark.parametrize("side", [0, 1])
    @pytest.mark.parametrize("row", [0, 29])
    def test_values_that_are_not_finite(self, measure, value, side, row):
        sides = [features(30, 5, s).numpy() for s in (0, 1)]
        sides[side][row, 3] = value
        with pytest.raises(UserError, match=f"{('reals', 'fakes')[side]} are not finite .*diverged"):
            MEASURES[measure](*sides)

    def test_other_lengths(self, measure):
        with pytest.raises(UserError, match="length 5 and 4 cannot be compared"):
            MEASURES[measure](features(30, 5, 0).numpy(), features(30, 4, 1).numpy())

    @pytest.mark.parametrize(("n", "m"), [(0, 30), (30, 0), (1, 30)])
    def test_too_few_rows(self, measure, n, m):
        with pytest.raises(UserError, match=rf"needs at least \d .*; got {n} and {m}"):
            MEASURES[measure](features(n, 5, 0).numpy(), features(m, 5, 1).numpy())

    @pytest.mark.parametrize("shape", [(30,), (30, 5, 2), (30, 0)])
    def test_what_is_no_table(self, measure, shape):
        x = np.ones(shape, np.float32)
        with pytest.raises(UserError, match=r"\[.*\], not \["):
            MEASURES[measure](x, x)

    @pytest.mark.parametrize("dtype", [np.int64, np.uint8, bool])
    def test_numbers_of_another_kind(self, measure, dtype):
        x = features(30, 5, 0).numpy().astype(dtype)
        with pytest.raises(UserError, match="not floating-point numbers"):
            MEASURES[measure](x, x)

    def test_half_and_double_precision_are_as_good(self, measure):
        sides = [features(40, 5, s).half().numpy() for s in (0, 1)]
        found = [MEASURES[measure](*(x.astype(dtype) for x in sides)) for dtype in (np.float32, np.float64)]
        assert found[0] == pytest.approx(found[1], rel=1e-4)
        if measure != "frechet":  # A FeatureGaussian is fitted in float64, whatever the features are.
            assert MEASURES[measure](*sides) == pytest.approx(found[1], rel=1e-6)


def test_moments_take_features_of_one_length_and_any_precision():
    moments = Moments.empty(3)
    moments.update(torch.ones(4, 3).bfloat16())
    with pytest.raises(UserError, match=r"\[4, 2\] do not go with those of length 3"):
        moments.update(torch.ones(4, 2))
    assert moments.count == 4 and moments.total.dtype == torch.float64


@pytest.fixture(scope="module")
def described():
    """Features of smooth random pictures, and of the same at growing blur and noise."""
    extractor = EXTRACTORS.build({"name": "lite0", "input_size": 32})
    rng = torch.Generator().manual_seed(0)
    coarse = torch.rand(160, 3, 8, 8, generator=rng) * 2 - 1
    base = torch.nn.functional.interpolate(coarse, 32, mode="nearest")
    noise = torch.randn(base.shape, generator=rng)

    def blurred(size: int) -> torch.Tensor:
        return torch.nn.functional.avg_pool2d(base, size, 1, padding=size // 2, count_include_pad=False)

    pictures = {f"blur{s}": blurred(s) for s in (1, 3, 7, 11)}
    pictures |= {f"noise{s}": (base + s * noise).clamp(-1, 1) for s in (0.0, 0.1, 0.3, 0.8)}
    return {name: extractor(x) for name, x in pictures.items()}


@pytest.mark.parametrize("damage", ["blur", "noise"])
def test_more_damage_is_a_greater_distance(described, damage):
    levels = [x for name, x in described.items() if name.startswith(damage)]
    fd = [frechet_distance(gaussian(levels[0]), gaussian(x)) for x in levels]
    kid = [kernel_distance(rows(levels[0]), rows(x), subsets=10, subset_size=150).mean for x in levels]
    assert fd[0] == pytest.approx(0, abs=1e-6)
    assert fd == sorted(fd) and kid == sorted(kid)
