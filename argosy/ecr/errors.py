"""What the errors of AWS mean: try again, or which permission or credentials to see to."""

from __future__ import annotations

from botocore import exceptions as aws
from botocore.exceptions import BotoCoreError, ClientError

from argosy.errors import ArgosyError, Terminal, Transient

_THROTTLED = frozenset(
    {"Throttling", "ThrottlingException", "ThrottledException", "RequestThrottled", "RequestThrottledException",
     "RequestLimitExceeded", "TooManyRequestsException", "SlowDown", "RequestTimeout", "RequestTimeoutException"}
)  # fmt: skip
_CREDENTIALS = frozenset(
    {"UnrecognizedClientException", "InvalidClientTokenId", "InvalidSignatureException", "SignatureDoesNotMatch",
     "IncompleteSignature", "MissingAuthenticationToken", "ExpiredToken", "ExpiredTokenException", "RequestExpired",
     "InvalidAccessKeyId", "AuthFailure"}
)  # fmt: skip
_NO_CREDENTIALS = (
    aws.NoCredentialsError, aws.PartialCredentialsError, aws.CredentialRetrievalError, aws.TokenRetrievalError,
    aws.UnauthorizedSSOTokenError, aws.ProfileNotFound, aws.NoAuthTokenError,
)  # fmt: skip
_CHECK_CREDENTIALS = "check the access key or role that the AWS credentials block gives, and this machine's clock"


def translate(error: ClientError | BotoCoreError, what: str) -> ArgosyError:
    """The error that stands for AWS's own, to be raised from it; `what` says what was being done.

    Transient for throttling, 5xx and no answer; Terminal for the rest, a refusal naming the IAM action to allow.
    """
    if isinstance(error, ClientError):
        return _refused(error, what)
    if isinstance(error, aws.SSLError):
        return Terminal(
            f"{what}: {error}", remedy="name the CA that signed the endpoint's certificate in AWS_CA_BUNDLE"
        )
    if isinstance(error, (aws.HTTPClientError, aws.ConnectionError, aws.IncompleteReadError)):
        return Transient(f"{what}: {error}", remedy="check the network, the region and the endpoint")
    if isinstance(error, _NO_CREDENTIALS):
        return Terminal(f"{what}: {error}", remedy=_CHECK_CREDENTIALS)
    return Terminal(f"{what}: {error}", remedy="check the region and the endpoint of the AWS credentials block")


def _refused(error: ClientError, what: str) -> ArgosyError:
    details = error.response.get("Error", {})
    code, status = details.get("Code", ""), error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    message = f"{what}: {code}: {details.get('Message', '')}"
    if code in _THROTTLED or status == 429 or status >= 500:
        return Transient(message, remedy="try again later")
    if code in _CREDENTIALS:
        return Terminal(message, remedy=_CHECK_CREDENTIALS)
    if status == 403 or code == "403" or "AccessDenied" in code:
        return Terminal(message, remedy=f"allow {_action(error.operation_name)} in the IAM policy of these credentials")
    return Terminal(message, remedy=f"see what {_action(error.operation_name)} says of it in AWS's documentation")


def _action(operation: str) -> str:
    """The IAM action of an operation: credentials that assume a role ask STS on the way."""
    service = "sts" if operation.startswith("AssumeRole") or operation == "GetCallerIdentity" else "ecr"
    return f"{service}:{operation}"
