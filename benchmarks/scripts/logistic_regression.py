"""scikit-learn's logistic regression on features that the module has computed once."""

from __future__ import annotations

import sys

from sklearn.linear_model import LogisticRegression

from benchmarks.scripts.vectors import labelled_features

module, data_dir = sys.argv[1:3]
train, _, test = labelled_features(module, data_dir)
model = LogisticRegression(max_iter=1000).fit(*train)
print(f"test accuracy {model.score(*test):.4f}")
