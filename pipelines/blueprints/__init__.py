"""Blueprints: the plans of stages and gates, as data. Pure: no database, no clock.

parse(body) or parse_toml(text) -> Blueprint; lint(blueprint, ...) -> problems;
plan(blueprint, state) -> what moves next.
"""
