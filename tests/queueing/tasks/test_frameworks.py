"""Tasks of both frameworks on one backend, where both are installed: on Django 6 with `django-tasks`."""

import pytest

from queueing.tasks.framework import default_framework, framework_of, is_task
from queueing.testing import drain, without_redis

from . import foreign

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(foreign.api is None, reason="this Django has no framework of its own"),
]


def test_task_of_the_other_framework_runs_and_has_results_of_that_framework():
    """T23: the classes of its results and of its errors are the other ones."""
    task = foreign.greet.using(backend="default")
    assert framework_of(task) is not default_framework()
    assert is_task(task)
    with without_redis():
        result = task.enqueue("you")
        assert isinstance(result, foreign.api.TaskResult)
        drain()
    result.refresh()
    assert (result.status, result.return_value) == (foreign.api.TaskResultStatus.SUCCESSFUL, "Hello you")
    with pytest.raises(foreign.InvalidTask):
        foreign.renamed.enqueue()
