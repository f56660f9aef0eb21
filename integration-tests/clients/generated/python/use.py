"""Uses the client that openapi-python-client makes of the admin API's document, against a server."""

import os

from cofre_admin import AuthenticatedClient
from cofre_admin.api.accounts import create_account
from cofre_admin.api.buckets import create_bucket, delete_bucket, get_bucket, set_bucket_quota
from cofre_admin.api.health import health
from cofre_admin.api.settings import get_settings
from cofre_admin.api.shards import list_shards
from cofre_admin.models import AccountCreated, Bucket, CreateAccount, CreateBucket, Health, PageShard, Problem
from cofre_admin.models import Quota, Settings, ShardPlaceFilesystem

passed = 0


def check(name: str, holds: bool, saw: object) -> None:
    global passed
    assert holds, f"{name}: {saw}"
    passed += 1


client = AuthenticatedClient(base_url=os.environ["COFRE_ADMIN_URL"], token=os.environ["COFRE_ADMIN_TOKEN"])

shards = list_shards.sync(client=client)
check("shards", isinstance(shards, PageShard) and len(shards.items) == 1, shards)
place = shards.items[0].place
check("place", isinstance(place, ShardPlaceFilesystem) and place.path.startswith("/"), place)

account = create_account.sync(client=client, body=CreateAccount(display_name="snake"))
check("account", isinstance(account, AccountCreated) and bool(account.secret_access_key), account)
bucket = create_bucket.sync(client=client, body=CreateBucket(name="of-a-snake", owner="snake"))
check("bucket", isinstance(bucket, Bucket) and bucket.owner == account.id, bucket)
bucket = set_bucket_quota.sync("of-a-snake", client=client, body=Quota(bytes_max=1 << 30))
check("quota", isinstance(bucket, Bucket) and bucket.quota.bytes_max == 1 << 30, bucket)
settings = get_settings.sync(client=client)
check("settings", isinstance(settings, Settings) and settings.document.quotas.grace_multiple == 3, settings)
check("health", isinstance(health.sync(client=client), Health), "no health")
gone = delete_bucket.sync_detailed("of-a-snake", client=client)
check("deletion", gone.status_code == 204, gone)
absent = get_bucket.sync("of-a-snake", client=client)
check("problem", isinstance(absent, Problem) and absent.status == 404, absent)
print(f"{passed} checks passed")
