"""Data, runs and features in object stores and on other servers, by fsspec."""
