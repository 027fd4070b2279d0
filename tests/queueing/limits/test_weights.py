"""Weights on record: they are in force at once, follow their owner, and are erased with it."""

import io

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from queueing.api import erase_owner, get_weight, rename_owner, set_weight
from queueing.control import audited
from queueing.errors import BadValue
from queueing.models import AuditEntry, OwnerWeight
from queueing.schedule import scripts

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def in_redis(valkey):
    """Call it for the weights in Redis, and whether all queues are marked."""

    def read() -> dict[str, str]:
        found = valkey.client.hgetall(scripts.key(scripts.WEIGHTS))
        found.pop("", None)
        marked = valkey.client.hexists(scripts.queue_key("test", "meta"), "weighted")
        assert marked or not found
        return found

    return read


def test_set_weight_is_in_force_at_once(in_redis):
    assert get_weight("u:7") == 1
    set_weight("u:7", 3)
    set_weight("n:1", 2, share=True)
    assert (get_weight("u:7"), get_weight("n:1"), get_weight("n:1", share=True)) == (3, 1, 2)
    assert in_redis() == {"u:7": "3", "\x1en:1": "2"}
    set_weight("u:7", 1)
    set_weight("n:1", 5, share=True)
    assert in_redis() == {"\x1en:1": "5"}
    assert OwnerWeight.objects.count() == 1


@pytest.mark.parametrize("weight", [0, 17, -1, 2.0, True, "3", None])
def test_set_weight_with_a_wrong_weight_changes_nothing(in_redis, weight):
    with pytest.raises(BadValue, match="weight: "):
        set_weight("u:7", weight)
    assert in_redis() == {}


@pytest.mark.parametrize("name", ["", "x" * 65, "a\x1fb", "a\x1eb", None])
def test_set_weight_with_a_wrong_name_changes_nothing(in_redis, name):
    with pytest.raises(BadValue, match="name: "):
        set_weight(name, 3)
    assert in_redis() == {}


def test_set_weight_in_a_transaction_that_fails_changes_nothing(in_redis):
    with transaction.atomic():
        set_weight("u:7", 3)
        transaction.set_rollback(True)
    assert (get_weight("u:7"), in_redis()) == (1, {})


@pytest.mark.parametrize(("of_new", "kept"), [(1, 3), (5, 5)])
def test_rename_owner_carries_the_weight_unless_the_new_one_has_its_own(in_redis, of_new, kept):
    set_weight("s:1", 3)
    set_weight("u:7", of_new)
    with transaction.atomic():
        rename_owner("s:1", "u:7")
    assert (get_weight("s:1"), get_weight("u:7")) == (1, kept)
    assert in_redis() == {"u:7": str(kept)}


def test_erase_owner_erases_the_weight_and_its_name_in_the_audit_log(in_redis):
    audited.set_weight("u:7", 3, actor="dora")
    audited.set_weight("u:8", 4, actor="dora")
    with transaction.atomic():
        erase_owner("u:7")
    assert (get_weight("u:7"), in_redis()) == (1, {"u:8": "4"})
    assert set(AuditEntry.objects.values_list("subject", flat=True)) == {"(erased)", "u:8"}


def output_of(*args: object) -> str:
    out = io.StringIO()
    call_command("queue_weight", *map(str, args), stdout=out)
    return out.getvalue()


def test_command_shows_and_changes_a_weight_with_an_audit_entry(in_redis):
    assert output_of("u:7") == "u:7\t1\n"
    assert "u:7 has the weight 3." in output_of("u:7", 3, "--note", "large plan")
    assert output_of("u:7") == "u:7\t3\n"
    assert "n:1 has the weight 2." in output_of("n:1", 2, "--share")
    assert in_redis() == {"u:7": "3", "\x1en:1": "2"}
    first = AuditEntry.objects.last()
    assert (first.action, first.subject, first.note) == ("set_weight", "u:7", "large plan")
    assert first.detail == {"before": {"weight": 1}, "after": {"weight": 3}}
    with pytest.raises(CommandError, match="from 1 to 16"):
        output_of("u:7", 17)
