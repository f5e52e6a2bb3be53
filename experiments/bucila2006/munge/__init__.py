"""MUNGE against random rows, naive Bayes and real unlabelled rows, on real tables."""
