"""The stores that tables are read from."""

from tests.kindling.stores import s3, web  # noqa: F401  (fixtures)
