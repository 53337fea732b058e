"""scikit-learn's text models on the notes and folds that the bench names; prints seconds to fit, to predict, CPU seconds, macro-F1."""
import sys
import time
import warnings

import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.metrics import f1_score
from sklearn.naive_bayes import ComplementNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import LinearSVC

warnings.filterwarnings("ignore")
file, fold_file, kind = sys.argv[1:4]
folds = pd.read_csv(fold_file, sep=" ", header=None, names=["note_id", "fold"])
notes = folds.merge(pd.read_csv(file), on="note_id")
texts, labels, fold = notes.transcription.values, notes.medical_specialty.str.strip().values, notes.fold.values


def model():
    if kind == "text-linear":
        return make_pipeline(TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2), min_df=2, max_features=50000), LinearSVC(class_weight="balanced"))
    if kind == "text-bayes":
        return make_pipeline(CountVectorizer(stop_words="english", min_df=2), ComplementNB())
    counts = CountVectorizer(stop_words="english", min_df=2, max_features=2000, dtype=np.float32)
    return make_pipeline(counts, FunctionTransformer(lambda rows: rows.toarray(), accept_sparse=True), RandomForestClassifier(100, n_jobs=2, random_state=0))


fit = predict = macro = 0
cpu = time.process_time()
for part in range(5):
    learned = model()
    started = time.perf_counter()
    learned.fit(texts[fold != part], labels[fold != part])
    fit += time.perf_counter() - started
    started = time.perf_counter()
    said = learned.predict(texts[fold == part])
    predict += time.perf_counter() - started
    macro += f1_score(labels[fold == part], said, average="macro")
print(fit / 5, predict / 5, time.process_time() - cpu, macro / 5)
