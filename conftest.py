"""For every test of the repository: hypothesis draws the same examples each time and never looks at a clock."""

from hypothesis import HealthCheck, settings

settings.register_profile("repository", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("repository")
