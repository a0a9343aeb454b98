"""Pages of a list, by cursor: rows that arrive meanwhile neither repeat nor hide others."""

import base64
import binascii
from typing import Any

from rest_framework.exceptions import NotFound
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request


class Pages(CursorPagination):
    """`{next, previous, results}`; newest first."""

    page_size = 50
    max_page_size = 200
    page_size_query_param = "page_size"
    ordering = "-id"

    def decode_cursor(self, request: Request) -> Any:
        """Return the cursor; raises NotFound for one that was not made here."""
        given = request.query_params.get(self.cursor_query_param)
        try:
            readable = given is None or base64.b64decode(given, validate=True)
        except (binascii.Error, ValueError):
            readable = False
        if not readable:
            raise NotFound(self.invalid_cursor_message)
        return super().decode_cursor(request)
