"""Hypothesis without time limits: a busy machine is no reason to fail."""

from hypothesis import HealthCheck, settings

settings.register_profile("vasari", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("vasari")
