"""The console of who runs Baton: all of the admin site, read-mostly; buttons call the actions."""
