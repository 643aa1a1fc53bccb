"""The portal's routes, one module a place."""
