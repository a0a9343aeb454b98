"""The prediction process over real HTTP."""
