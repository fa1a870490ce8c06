"""Shapley values: exact by enumeration, estimated by the `shap` package."""
