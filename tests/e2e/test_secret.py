"""The apps document in Secrets Manager and in Systems Manager; the template requires exactly one source of it."""

from __future__ import annotations

import pytest
from auth_events import login, token
from botocore.exceptions import ClientError
from conftest import Deploy, World
from deployment import Deployment
from waiting import eventually


def test_a_wrong_key_in_the_secret_is_fixed_without_a_deployment(world: World, deploy_for_test: Deploy) -> None:
    secrets, name, device = world.cloud.client("secretsmanager"), f"tpns/{token()}", token()
    apps = world.tpns.apps_document()
    secrets.create_secret(Name=name, SecretString=apps.replace("local-android-key", "an-old-key"))
    stage = Deployment(world.cloud, deploy_for_test("secret", TpnsApps="", TpnsAppsSecretId=name), world.tpns)
    (event,) = stage.send(login(device, "ann"))
    eventually(lambda: bool(stage.outcomes(event.message_id)))
    secrets.put_secret_value(SecretId=name, SecretString=apps)
    stage.drain()
    *failed, last = stage.outcomes(event.message_id)
    assert (set(failed), last) == ({"misconfigured"}, "applied")
    assert stage.accounts("android", device) == {"ann"}


def test_a_wrong_key_in_the_parameter_is_fixed_without_a_deployment(world: World, deploy_for_test: Deploy) -> None:
    parameters, device = world.cloud.client("ssm"), token()
    kept = {"Name": f"/tpns/{token()}", "Type": "SecureString"}
    apps = world.tpns.apps_document()
    parameters.put_parameter(**kept, Value=apps.replace("local-android-key", "an-old-key"))
    deployed = deploy_for_test("parameter", TpnsApps="", TpnsAppsSsmParameter=kept["Name"])
    stage = Deployment(world.cloud, deployed, world.tpns)
    (event,) = stage.send(login(device, "ann"))
    eventually(lambda: bool(stage.outcomes(event.message_id)))
    parameters.put_parameter(**kept, Value=apps, Overwrite=True)
    stage.drain()
    *failed, last = stage.outcomes(event.message_id)
    assert (set(failed), last) == ({"misconfigured"}, "applied")
    assert stage.accounts("android", device) == {"ann"}


@pytest.mark.parametrize(
    ("parameters", "complaint"),
    [
        ({"TpnsApps": "", "TpnsAppsSecretId": ""}, "Set TpnsAppsSecretId (a secret"),
        ({"TpnsAppsSecretId": "tpns/apps"}, "Set only one of TpnsAppsSecretId"),
        ({"TpnsAppsSsmParameter": "/tpns/apps"}, "Set only one of TpnsAppsSecretId"),
        ({"TpnsApps": "", "TpnsAppsSecretId": "tpns*"}, "must be the name of a secret"),
        ({"TpnsApps": "", "TpnsAppsSsmParameter": "tpns"}, "must be the name of a parameter"),
    ],
)
def test_the_template_requires_exactly_one_source_of_the_apps(
    world: World, parameters: dict[str, str], complaint: str
) -> None:
    with pytest.raises(ClientError) as refusal:
        world.deploy("refused", **parameters)
    assert complaint in str(refusal.value)
