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
        if given is not None and not _is_base64(given):
            raise NotFound(self.invalid_cursor_message)
        return super().decode_cursor(request)


def _is_base64(text: str) -> bool:
    try:
        return bool(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        return False
