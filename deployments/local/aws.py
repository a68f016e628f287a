"""AWS of the embedded stack: moto's ECR, STS, IAM and SNS with policies enforced, and the keys that open it."""

from __future__ import annotations

import json
import os
import sys
from base64 import b64decode
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

import boto3
import botocore.session
import httpx
from pydantic import SecretStr

from deployments.local.part import Part
from deployments.local.ports import Port
from deployments.local.process import Process, environment

ACCOUNT = "123456789012"
REGION = "us-east-1"

_POLICIES = Path(__file__).parents[1] / "terraform" / "policies"


def policy_document(name: str, prefix: str = "") -> dict[str, list[dict[str, Any]]]:
    """A policy of `deployments/terraform/policies`, for the repositories whose names begin with `prefix`."""
    text = Template((_POLICIES / f"{name}.json").read_text())
    document: dict[str, list[dict[str, Any]]] = json.loads(
        text.substitute(partition="aws", region=REGION, account=ACCOUNT, prefix=prefix)
    )
    return document


PIPELINE_POLICIES = ("release", "scan", "registry")
PIPELINE_ACTIONS = tuple(
    action
    for name in PIPELINE_POLICIES
    for statement in policy_document(name)["Statement"]
    for action in statement["Action"]
)
"""Everything that Argosy asks of AWS, as those who run it are told to allow it."""
BRIDGE_ACTIONS = ("ecr:PutImage", "ecr:BatchDeleteImage")


@dataclass(frozen=True, slots=True)
class AccessKey:
    """An IAM user's access key."""

    user: str
    id: str
    secret: SecretStr


class Aws(Part):
    """A moto server on 127.0.0.1 that knows the pipeline's user (`key`) and the bridge's (`bridge_key`)."""

    key: AccessKey
    bridge_key: AccessKey

    def __init__(self, *, state: Path) -> None:
        port = Port()
        self._administrator = AccessKey("nobody", "nobody", SecretStr("nobody"))
        self.endpoint_url = port.url
        # Whoever asks is let in until there is an administrator; `start` closes that door.
        env = environment(state, INITIAL_NO_AUTH_ACTION_COUNT="inf")
        command = [sys.executable, "-m", "deployments.local.moto_server", str(port.number)]
        self._process = Process("aws", command, state=state, env=env, port=port)

    def start(self) -> None:
        """Start it, create its users and enforce their policies; raises as `Process.start` does."""
        self._process.start()
        try:
            self._administrator = self.create_user("administrator", ["*"])
            httpx.post(f"{self.endpoint_url}/moto-api/reset-auth", content="0", trust_env=False).raise_for_status()
            self.key = self.create_user_with("argosy", *map(policy_document, PIPELINE_POLICIES))
            self.bridge_key = self.create_user("bridge", BRIDGE_ACTIONS)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End it; nothing that it knew stays."""
        self._process.stop()

    def create_user(self, name: str, actions: Sequence[str], resource: str = "*") -> AccessKey:
        """Create a user who may do `actions` on `resource` (an ARN, `*` in it stands for anything), and its key."""
        return self.create_user_with(name, _policy(_allowing(actions, resource)))

    def create_user_with(self, name: str, *policies: Mapping[str, object]) -> AccessKey:
        """Create a user who may do what any of `policies` allows, and its key."""
        with closing(session(self._administrator).client("iam", endpoint_url=self.endpoint_url)) as iam:
            iam.create_user(UserName=name)
            for number, policy in enumerate(policies):
                iam.put_user_policy(UserName=name, PolicyName=f"{name}-{number}", PolicyDocument=json.dumps(policy))
            key = iam.create_access_key(UserName=name)["AccessKey"]
        return AccessKey(name, key["AccessKeyId"], SecretStr(key["SecretAccessKey"]))

    def create_role(self, name: str, actions: Sequence[str]) -> str:
        """Create a role that may do `actions` and that users who may assume roles assume, and return its ARN."""
        trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "*"}}
        with closing(session(self._administrator).client("iam", endpoint_url=self.endpoint_url)) as iam:
            role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(_policy(trust)))["Role"]
            allowed = json.dumps(_policy(_allowing(actions)))
            iam.put_role_policy(RoleName=name, PolicyName=name, PolicyDocument=allowed)
        return str(role["Arn"])

    def issued(self) -> list[tuple[SecretStr, SecretStr]]:
        """The secret key and the session token of every temporary key that was handed out."""
        answer = httpx.get(f"{self.endpoint_url}/moto-api/data.json", trust_env=False).raise_for_status()
        roles = answer.json().get("sts", {}).get("AssumedRole", [])
        return [(SecretStr(each["secret_access_key"]), SecretStr(each["session_token"])) for each in roles]

    def registry_password(self) -> SecretStr:
        """The password that `GetAuthorizationToken` hands out, for the registry to ask for."""
        with closing(session(self.key).client("ecr", endpoint_url=self.endpoint_url)) as ecr:
            token = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
        return SecretStr(b64decode(token).decode().partition(":")[2])


def _allowing(actions: Sequence[str], resource: str = "*") -> dict[str, object]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource}


def _policy(statement: Mapping[str, object]) -> dict[str, object]:
    return {"Version": "2012-10-17", "Statement": [statement]}


def session(key: AccessKey) -> boto3.Session:
    """A boto3 session with `key` in `REGION`, whatever the user's own AWS profile and configuration say."""
    ours = {
        "profile": (None, None, None, None),
        "config_file": (None, None, os.devnull, None),
        "credentials_file": (None, None, os.devnull, None),
    }
    return boto3.Session(
        aws_access_key_id=key.id,
        aws_secret_access_key=key.secret.get_secret_value(),
        region_name=REGION,
        botocore_session=botocore.session.Session(session_vars=ours),
    )
