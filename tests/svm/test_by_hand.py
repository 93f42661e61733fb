"""Problems small enough to solve on paper."""

import numpy as np
import pytest

from clinfa.svm import SVC, SVR, NuSVC, NuSVR, OneClassSVM

TOL = 1e-10


def signed(model, n):
    """Coefficients of all records, of the function above zero for the second class."""
    b = np.zeros(n)
    b[model.support_] = model.dual_coef_[0]
    return b


class TestTwoPoints:
    """-1 and +1 on the line. f(x) = w x + c; by symmetry c = 0, w = 2 b where b is the coefficient of each.

    The dual is 2 b - (2 b)² / 2, greatest at b = 1/2: w = 1, and both lie on the margin. With C < 1/2 it is
    b = C, w = 2 C.
    """

    X, y = np.array([[-1.0], [1.0]]), np.array([0, 1])

    @pytest.mark.parametrize("C", [0.5, 1.0, 1e10])
    def test_hard(self, C):
        model = SVC(kernel="linear", C=C, tol=TOL).fit(self.X, self.y)
        np.testing.assert_allclose(model.dual_coef_, [[-0.5, 0.5]], rtol=1e-12)
        np.testing.assert_allclose(model.coef_, [[1.0]], rtol=1e-12)
        assert model.intercept_[0] == pytest.approx(0, abs=1e-12)
        assert model.objective_[0] == pytest.approx(0.5, rel=1e-12)
        np.testing.assert_allclose(model.decision_function([[-3.0], [0.25]]), [-3, 0.25], rtol=1e-12)
        assert model.support_.tolist() == [0, 1]
        assert model.n_support_.tolist() == [1, 1]

    @pytest.mark.parametrize("C", [0.1, 0.25, 1e-10])
    def test_soft(self, C):
        model = SVC(kernel="linear", C=C, tol=TOL).fit(self.X, self.y)
        assert model.dual_coef_.tolist() == [[-C, C]]
        assert model.coef_[0, 0] == pytest.approx(2 * C, rel=1e-12)
        assert model.intercept_[0] == pytest.approx(0, abs=1e-12)
        # 2 C - (2 C)² / 2
        assert model.objective_[0] == pytest.approx(2 * C - 2 * C**2, rel=1e-12)

    @pytest.mark.parametrize("nu", [0.2, 1.0])
    def test_nu(self, nu):
        """The coefficients of each class sum to nu. rho is 2 nu, and divided by that each is 1/2."""
        model = NuSVC(kernel="linear", nu=nu, tol=TOL).fit(self.X, self.y)
        np.testing.assert_allclose(model.dual_coef_, [[-0.5, 0.5]], rtol=1e-12)
        np.testing.assert_allclose(model.decision_function([[-3.0], [0.25]]), [-3, 0.25], rtol=1e-12)

    def test_order_of_labels(self):
        """What is above zero is the greater label, whichever record has it."""
        model = SVC(kernel="linear", tol=TOL).fit(self.X, ["no", "yes"])
        other = SVC(kernel="linear", tol=TOL).fit(self.X, ["yes", "no"])
        assert model.classes_.tolist() == other.classes_.tolist() == ["no", "yes"]
        assert model.coef_[0, 0] == pytest.approx(1)
        assert other.coef_[0, 0] == pytest.approx(-1)
        assert other.support_.tolist() == [1, 0]
        assert model.predict([[2.0]])[0] == "yes"
        assert other.predict([[2.0]])[0] == "no"


def test_two_points_off_the_middle():
    """(0, 0) and (3, 4) are 5 apart: w along (3, 4), |w| = 2/5: w = (6, 8)/25, c = -1, b = |w|²/2."""
    model = SVC(kernel="linear", C=100, tol=TOL).fit([[0.0, 0.0], [3.0, 4.0]], [0, 1])
    np.testing.assert_allclose(model.coef_, [[0.24, 0.32]], rtol=1e-12)
    assert model.intercept_[0] == pytest.approx(-1, rel=1e-12)
    np.testing.assert_allclose(model.dual_coef_, [[-0.08, 0.08]], rtol=1e-12)


def test_four_points():
    """-3 and -1 against 1 and 3 on the line: the inner two are as two points, the outer weigh nothing."""
    model = SVC(kernel="linear", C=1, tol=TOL).fit([[-3.0], [-1.0], [1.0], [3.0]], [0, 0, 1, 1])
    assert model.support_.tolist() == [1, 2]
    np.testing.assert_allclose(model.dual_coef_, [[-0.5, 0.5]], rtol=1e-12)


def test_four_points_soft():
    """0, 2 | 1, 3 of labels -, - | +, + with C = 1/8: all at the bound, by symmetry about 3/2.

    w = C (1 + 3 - 0 - 2) = 1/4, f(x) = (x - 3/2) / 4, and y f is at most 3/8 < 1: all are inside the margin.
    So the intercept is open: from the greatest -1 - w x of the negative ones, which is -1, to the least
    1 - w x of the positive ones, 1/4. The middle is taken.
    """
    X, y = np.array([[0.0], [2.0], [1.0], [3.0]]), np.array([0, 0, 1, 1])
    model = SVC(kernel="linear", C=0.125, tol=TOL).fit(X, y)
    assert model.dual_coef_.tolist() == [[-0.125, -0.125, 0.125, 0.125]]
    assert model.coef_[0, 0] == pytest.approx(0.25, rel=1e-12)
    assert model.intercept_[0] == pytest.approx(-0.375, rel=1e-12)


def test_xor():
    """All four coefficients are alike, by symmetry: b (1 + k(2) - 2 k(1)) = 1 on the margin, c = 0.

    For squared sides of 1: neighbours are of the other class at a squared distance of 1, the opposite at 2.
    """
    X, y = np.array([[0.0, 0.0], [1.0, 1.0], [0.0, 1.0], [1.0, 0.0]]), np.array([1, 1, 0, 0])
    for gamma in (0.3, 1.0, 5.0):
        b = 1 / (1 + np.exp(-2 * gamma) - 2 * np.exp(-gamma))
        model = SVC(gamma=gamma, C=1e6, tol=TOL).fit(X, y)
        np.testing.assert_allclose(signed(model, 4), [b, b, -b, -b], rtol=1e-8)
        assert model.intercept_[0] == pytest.approx(0, abs=1e-8)
        np.testing.assert_allclose(model.decision_function(X), [1, 1, -1, -1], atol=1e-8)
        assert model.objective_[0] == pytest.approx(2 * b, rel=1e-10)
    # No line tells them apart: at the optimum w = 0, so every C makes each coefficient C.
    flat = SVC(kernel="linear", C=3.0, tol=TOL).fit(X, y)
    np.testing.assert_allclose(np.abs(flat.dual_coef_), 3.0, rtol=1e-12)
    np.testing.assert_allclose(flat.coef_, 0, atol=1e-12)


class TestRegressionOfTwoPoints:
    """y = -1 at x = -1, 1 at 1: f = w x, w = 2 b. The dual 2 b (1 - e) - 2 b² is greatest at (1 - e)/2."""

    X, y = np.array([[-1.0], [1.0]]), np.array([-1.0, 1.0])

    @pytest.mark.parametrize(("C", "epsilon"), [(10.0, 0.0), (10.0, 0.5), (0.1, 0.0), (0.3, 0.9), (1.0, 1.5)])
    def test_svr(self, C, epsilon):
        b = max(0.0, min(C, (1 - epsilon) / 2))
        model = SVR(kernel="linear", C=C, epsilon=epsilon, tol=TOL).fit(self.X, self.y)
        np.testing.assert_allclose(signed(model, 2), [-b, b], rtol=1e-12)
        assert model.intercept_[0] == pytest.approx(0, abs=1e-12)
        np.testing.assert_allclose(model.predict([[0.5]]), [b], rtol=1e-12, atol=1e-12)
        assert len(model.support_) == (2 if b else 0)
        assert model.objective_[0] == pytest.approx(2 * b * (1 - epsilon) - 2 * b**2, rel=1e-12, abs=1e-15)

    @pytest.mark.parametrize(("C", "nu"), [(10.0, 0.5), (0.2, 0.5), (0.2, 1.0)])
    def test_nu_svr(self, C, nu):
        """Each side's sum of coefficients is at most C nu: so is b, which without a tube is at most 1/2."""
        b = min(C * nu, 0.5)
        model = NuSVR(kernel="linear", C=C, nu=nu, tol=TOL).fit(self.X, self.y)
        np.testing.assert_allclose(signed(model, 2), [-b, b], rtol=1e-10)
        assert model.intercept_[0] == pytest.approx(0, abs=1e-10)


def test_regression_of_one_record_is_its_value():
    """With one record nothing is gained by slope: f is the value, within the tube."""
    model = SVR(epsilon=0.1).fit([[3.0]], [7.0])
    assert len(model.support_) == 0
    assert model.predict([[3.0], [100.0]]) == pytest.approx([7.0, 7.0], abs=1e-12)


class TestNovelty:
    def test_symmetric_points(self):
        """-1 and +1 with rbf share the weight 2 nu equally: nu each, rho = nu (1 + k(4))."""
        for nu in (0.3, 0.5, 1.0):
            model = OneClassSVM(nu=nu, gamma=0.5, tol=TOL).fit([[-1.0], [1.0]])
            np.testing.assert_allclose(model.dual_coef_, [[nu, nu]], rtol=1e-9)
            assert model.offset_[0] == pytest.approx(nu * (1 + np.exp(-2.0)), rel=1e-9)
            assert model.intercept_[0] == -model.offset_[0]
            # Both are on the edge; what lies between them is inside, what is far is outside.
            np.testing.assert_allclose(model.decision_function([[-1.0], [1.0]]), 0, atol=1e-9)
            assert model.predict([[0.0], [3.0]]).tolist() == [1, -1]
            np.testing.assert_allclose(model.score_samples([[0.0]]), [2 * nu * np.exp(-0.5)], rtol=1e-9)

    def test_linear(self):
        """1 and 2 on the line: |w|²/2 least with coefficients on 1 alone, as far as its bound allows."""
        # nu = 1/2: the sum is 1, which record 1 may carry alone: w = 1, rho = 1.
        model = OneClassSVM(nu=0.5, kernel="linear", tol=TOL).fit([[1.0], [2.0]])
        assert signed(model, 2).tolist() == [1, 0]
        assert model.coef_.tolist() == [[1]]
        # Anything from w·1 (at the bound: may shrink) to w·2 (may grow) would do; the middle is taken.
        assert model.offset_[0] == pytest.approx(1.5)
        # nu = 3/4: 3/2, of which 1 on record 1 and 1/2, free, on record 2: w = 2, rho = w·2 = 4.
        model = OneClassSVM(nu=0.75, kernel="linear", tol=TOL).fit([[1.0], [2.0]])
        assert signed(model, 2).tolist() == [1, 0.5]
        assert model.offset_[0] == pytest.approx(4)


def test_weights_are_costs():
    """Weights 0.2 and 0.4, C = 1/2: the lighter's bound 0.1 holds both, as they sum to nothing."""
    model = SVC(kernel="linear", C=0.5, tol=TOL).fit([[-1.0], [1.0]], [0, 1], sample_weight=[0.2, 0.4])
    np.testing.assert_allclose(model.dual_coef_, [[-0.1, 0.1]], rtol=1e-12)
    # Only the heavier is free, so it lies on the margin: 2 · 0.1 + c = 1.
    assert model.intercept_[0] == pytest.approx(0.8, rel=1e-12)


def test_three_classes():
    """-1, 0 and 1 on the line with C large: pairs are 1, 2 and 1 apart.

    Each pair by itself is two points at a distance D: w = 2/D towards its first class, b = 2/D².
    """
    model = SVC(kernel="linear", C=100, decision_function_shape="ovo", tol=TOL)
    model.fit([[-1.0], [0.0], [1.0]], ["a", "b", "c"])
    # Columns: a's coefficients against b and c, b's against a and c, c's against a and b.
    np.testing.assert_allclose(model.dual_coef_, [[2, -2, -0.5], [0.5, 2, -2]], rtol=1e-12)
    np.testing.assert_allclose(model.coef_, [[-2], [-1], [-2]], rtol=1e-12)
    np.testing.assert_allclose(model.intercept_, [-1, 0, 1], atol=1e-12)
    x = np.array([[-0.6], [0.1], [2.0]])
    np.testing.assert_allclose(
        model.decision_function(x), np.c_[-2 * x - 1, -x, -2 * x + 1], rtol=1e-11, atol=1e-12
    )
    assert model.predict(x).tolist() == ["a", "b", "c"]
    # Votes: at 0.1 b wins against a and c, c against a. Plus a third of s / (|s| + 1), s the sums of pairs.
    votes = model.set_params(decision_function_shape="ovr").decision_function(x[1:2])
    s = np.array([-1.2 - 0.1, 1.2 + 0.8, 0.1 - 0.8])
    np.testing.assert_allclose(votes, [[0, 2, 1] + s / (3 * (np.abs(s) + 1))], rtol=1e-11)
