"""Pages of a list, by cursor: rows that arrive meanwhile neither repeat nor hide others."""

from rest_framework.pagination import CursorPagination


class Pages(CursorPagination):
    """`{next, previous, results}`; newest first."""

    page_size = 50
    max_page_size = 200
    page_size_query_param = "page_size"
    ordering = "-id"
