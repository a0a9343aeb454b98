"""One object of S3-compatible storage, to a file in the attempt's folder."""

from pathlib import Path

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import Session

from pipelines.operations.contract import OperationError
from pipelines.operations.fetch.guard import addresses, only
from pipelines.operations.fetch.wanted import Wanted

CHUNK = 4 << 20
CONNECT_SECONDS = 10


def download(wanted: Wanted, path: Path) -> int:
    """Write the object and say its bytes; raises OperationError without naming the store."""
    address = wanted.address
    pinned = addresses(address.host, address.port, wanted.hosts)
    if ".." in wanted.key.split("/"):
        raise OperationError(
            "bad_request", "key: '..' is no part of a key", field="key", value=wanted.key
        )
    try:
        with only(address.host, pinned):
            return _copy(wanted, path)
    except ClientError as error:
        raise _told(error) from None
    except (BotoCoreError, OSError):
        raise OperationError(
            "connection_failed",
            "The store could not be reached. Who holds the connection can see its address.",
            field="connection",
            retryable=True,
        ) from None


def _copy(wanted: Wanted, path: Path) -> int:
    address = wanted.address
    session = Session()
    # Nothing of this machine's own: no profile, no proxy, no instance credentials.
    session.set_config_variable("config_file", "/dev/null")
    session.set_config_variable("credentials_file", "/dev/null")
    client = session.create_client(
        "s3",
        endpoint_url=f"{address.secure}://{address.host}:{address.port}",
        region_name=address.region,
        aws_access_key_id=address.user,
        aws_secret_access_key=wanted.secret,
        config=Config(
            signature_version="s3v4",
            s3={"addressing_style": "path", "us_east_1_regional_endpoint": "regional"},
            proxies={},
            connect_timeout=CONNECT_SECONDS,
            read_timeout=wanted.timeout,
            retries={"max_attempts": 2},
        ),
    )
    key = f"{address.folder}/{wanted.key}" if address.folder else wanted.key
    found = client.get_object(Bucket=address.place, Key=key)
    size = int(found["ContentLength"])
    if size > wanted.max_bytes:
        raise OperationError(
            "too_large",
            f"The object has {size:,} bytes, the limit is {wanted.max_bytes:,}.",
            field="max_bytes",
            value=size,
            rule=f"size <= {wanted.max_bytes:,} bytes",
        )
    written = 0
    with path.open("wb") as stream:
        for chunk in found["Body"].iter_chunks(CHUNK):
            written += len(chunk)
            stream.write(chunk)
    return written


def _told(error: ClientError) -> OperationError:
    code = str(error.response.get("Error", {}).get("Code", ""))
    if code in ("NoSuchKey", "NoSuchBucket", "404"):
        return OperationError("not_found", "There is no object of that key.", field="key")
    return OperationError(
        "connection_refused", f"The store refused with {code}.", field="connection"
    )
