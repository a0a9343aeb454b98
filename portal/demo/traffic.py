"""November's flights as callers of the prediction endpoint, and their labels, which come later."""

from collections.abc import Sequence
from typing import Any

import httpx

from portal.demo.flights import Flight

BATCH = 500  # rows a call
LABEL_BATCH = 2000


class Caller:
    """The airport's own system: asks about flights in the order of their schedule."""

    def __init__(self, *, url: str, token: str, model: str, flights: Sequence[Flight]) -> None:
        self.client = httpx.Client(
            base_url=url, timeout=60.0, headers={"Authorization": f"Bearer {token}"}
        )
        self.model = model
        self.flights = flights
        self.asked = 0
        self.by_model = 0
        self.labelled = 0
        self.reads: list[str] = []

    @property
    def day(self) -> str:
        """Return the event date that the traffic has reached."""
        return self.flights[min(self.asked, len(self.flights)) - 1].scheduled[:10]

    def call(self, rows: int = BATCH) -> str:
        """Ask about the next flights; returns a sentence on the answers, empty at the end."""
        batch = self.flights[self.asked : self.asked + rows]
        if not batch:
            return ""
        answer = self._ask(batch)
        self.asked += len(batch)
        served = [row.get("served_by") for row in answer["predictions"]]
        self.by_model += sum(by == "model" for by in served)
        return (
            f"{self.asked:,} flights asked about, up to {self.day}; the model answered"
            f" {self.by_model:,}"
        )

    def _ask(self, batch: Sequence[Flight]) -> Any:
        if not self.reads:
            interface = self.client.get(f"/v2/models/{self.model}")
            interface.raise_for_status()
            self.reads = [column["name"] for column in interface.json()["inputs"]]
        response = self.client.post(
            f"/v1/models/{self.model}/predict",
            json={
                "rows": [{name: flight.row[name] for name in self.reads} for flight in batch],
                "keys": [flight.key for flight in batch],
                "event_times": [flight.scheduled for flight in batch],
            },
        )
        if response.is_error:
            raise httpx.HTTPStatusError(
                f"{response.status_code}: {response.text[:500]}",
                request=response.request,
                response=response,
            )
        return response.json()

    def labels(self, *, until: str) -> list[list[dict[str, Any]]]:
        """Return what became of the flights asked about before a day, in batches, each once."""
        known = [
            {"key": flight.key, "value": flight.late, "observed_at": f"{flight.scheduled}Z"}
            for flight in self.flights[self.labelled : self.asked]
            if flight.late is not None and flight.scheduled < until
        ]
        self.labelled = self.asked
        return [known[at : at + LABEL_BATCH] for at in range(0, len(known), LABEL_BATCH)]

    def close(self) -> None:
        """Hang up."""
        self.client.close()
