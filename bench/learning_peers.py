"""One fit of scikit-learn or XGBoost over the rows of a file that the bench wrote; prints the same figures as ours, of a forest's prediction those of the faster."""
import json
import resource
import sys
import time

import numpy as np

file, kind, rows, trees, threads = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6])
features = 30
values = np.fromfile(file, dtype=np.float32, count=rows * features).reshape(rows, features)
labels = np.fromfile(file, dtype=np.uint8, offset=rows * features * 4)
training = rows // 10 * 9

if kind == "forest":
    from sklearn.ensemble import RandomForestClassifier

    model = RandomForestClassifier(trees, min_samples_leaf=5, max_features=5, n_jobs=threads, random_state=1)
else:
    from xgboost import XGBClassifier

    model = XGBClassifier(n_estimators=trees, max_depth=6, tree_method="hist", n_jobs=threads, verbosity=0)
from sklearn.metrics import roc_auc_score

started, cpu = time.perf_counter(), time.process_time()
model.fit(values[:training], labels[:training])
fit, cpu = time.perf_counter() - started, time.process_time() - cpu
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
predicted = model.predict_proba(values[training:])[:, 1]
batch = 0
for _ in range(5):
    started = time.process_time()
    model.predict_proba(values[training:])
    batch = max(batch, (rows - training) / (time.process_time() - started))
if kind == "forest" and rows <= 100_000:
    from xgboost import XGBRFClassifier

    # XGBoost's forest of as many trees, for its prediction alone: leaves of five rows weigh 1.25 where both classes are even.
    other = XGBRFClassifier(n_estimators=trees, max_depth=0, min_child_weight=1.25, colsample_bynode=5 / features, tree_method="hist", n_jobs=threads, verbosity=0)
    other.fit(values[:training], labels[:training])
    faster = 0
    for _ in range(6):
        started = time.process_time()
        other.predict_proba(values[training:])
        faster = max(faster, (rows - training) / (time.process_time() - started))
    print(f"batch rows a CPU second: scikit-learn {batch:,.0f}, XGBoost {faster:,.0f}", file=sys.stderr)
    batch = max(batch, faster)
single = float("inf")
if kind == "forest":
    model.set_params(n_jobs=1)
for row in range(training, training + 20):
    started = time.perf_counter()
    model.predict_proba(values[row : row + 1])
    single = min(single, (time.perf_counter() - started) * 1e6)
print(json.dumps(dict(fitSeconds=fit, cpuSeconds=cpu, auc=roc_auc_score(labels[training:], predicted), batchRowsPerCpuSecond=batch, rowMicroseconds=single, peakMegabytes=peak)))
