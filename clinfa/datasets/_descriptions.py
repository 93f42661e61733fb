"""What each shipped table holds and where it comes from: the ``DESCR`` of its dataset."""

IRIS = """\
Iris flowers: 150 flowers, 4 measurements, 3 species of 50 flowers each.

Sepals and petals, length and width in centimetres, of Iris setosa (0), Iris versicolor (1) and
Iris virginica (2). Edgar Anderson measured the flowers; setosa and versicolor were picked in one
meadow on one day. Setosa stands apart; the other two overlap a little. The values are those of
Fisher's printed table; the copy in the UCI repository differs from it in two flowers.

R. A. Fisher (1936). The use of multiple measurements in taxonomic problems.
    Annals of Eugenics 7(2), 179-188.
E. Anderson (1935). The irises of the Gaspe Peninsula.
    Bulletin of the American Iris Society 59, 2-5.
"""

WINE = """\
Wines: 178 wines, 13 chemical measurements, 3 growers (59, 71 and 48 wines).

The wines come from one Italian region and three cultivars. The columns have very different ranges
(proline reaches 1680, hue stays below 2), so most methods want them scaled.

M. Forina, R. Leardi, C. Armanino, S. Lanteri (1988). PARVUS: an extendible package for data
    exploration, classification and correlation. Elsevier.
S. Aeberhard, M. Forina (1992). Wine. UCI Machine Learning Repository.
    https://doi.org/10.24432/C5PC7J
"""

BREAST_CANCER = """\
Breast tumours, Wisconsin, diagnostic: 569 tumours, 30 features, malignant (0: 212) or benign
(1: 357).

Cell nuclei were outlined in digitised images of fine needle aspirates. Ten properties of a nucleus
(radius, texture, perimeter, area, smoothness, compactness, concavity, concave points, symmetry,
fractal dimension) give three columns each: the mean over the nuclei of an image, its standard
error, and "worst", the mean of the three largest.

W. N. Street, W. H. Wolberg, O. L. Mangasarian (1993). Nuclear feature extraction for breast tumor
    diagnosis. Proc. SPIE 1905, 861-870.
O. L. Mangasarian, W. N. Street, W. H. Wolberg (1995). Breast cancer diagnosis and prognosis via
    linear programming. Operations Research 43(4), 570-577.
W. H. Wolberg, O. L. Mangasarian, N. Street, W. Street (1995). Breast Cancer Wisconsin
    (Diagnostic). UCI Machine Learning Repository. https://doi.org/10.24432/C5DW2B
"""

DIGITS = """\
Handwritten digits: 1797 images of 8 x 8 pixels, 10 digits.

Each pixel counts the dark points, 0 to 16, of a 4 x 4 block of a 32 x 32 bitmap; rows of the
table are images, read line by line. This is the test part of the source, written by 13 people,
none of whom wrote for its training part.

E. Alpaydin, C. Kaynak (1998). Cascading classifiers. Kybernetika 34(4), 369-374.
E. Alpaydin, C. Kaynak (1998). Optical Recognition of Handwritten Digits. UCI Machine Learning
    Repository. https://doi.org/10.24432/C50P49
"""

DIABETES = """\
Diabetes: 442 patients, 10 baseline measurements; the target is a number from 25 to 346 that says
how far the disease had progressed a year later.

Columns: age in years, sex, body mass index (bmi), mean blood pressure (bp), and six blood serum
measurements: total cholesterol (s1), low (s2) and high density lipoproteins (s3), total over high
density cholesterol (s4), a value that is probably the logarithm of triglycerides (s5), blood sugar
(s6). As loaded by default each column is centred and divided by its norm, so that its squares sum
to 1; with scaled=False the values are as measured.

B. Efron, T. Hastie, I. Johnstone, R. Tibshirani (2004). Least angle regression.
    Annals of Statistics 32(2), 407-499.
"""

LINNERUD = """\
Linnerud: 20 middle-aged men of a fitness club, 3 exercises and 3 body measurements.

Features: chin-ups, sit-ups and jumps done. Targets: weight, waist and pulse. A small example with
several targets, for canonical correlation and partial least squares.

M. Tenenhaus (1998). La regression PLS: theorie et pratique. Editions Technip, Paris. Page 15.
"""
