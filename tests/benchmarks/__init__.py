"""Measurements. They print figures, and are no tests: nothing here fails because a machine is slow."""
