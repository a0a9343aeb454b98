"""The demo: real flights, seven people, and a play of the use case over the REST API."""
