from __future__ import annotations

import pytest

from audit.settings import SETTINGS, SettingsError, from_environ, refuse_unknown

CONNECTION = "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=c2VjcmV0;EndpointSuffix=core.windows.net"


def test_defaults_and_a_connection_string() -> None:
    settings = from_environ({"HYPERPLANE_STORAGE": CONNECTION, "PATH": "/bin"})
    assert settings.storage == CONNECTION
    assert (settings.audit_container, settings.derived_container) == ("audit", "derived")
    assert settings.queue_bytes == 64 * 1024 * 1024
    assert not settings.in_memory
    assert from_environ({"HYPERPLANE_STORAGE": "memory://"}).in_memory


def test_an_empty_variable_counts_as_absent() -> None:
    settings = from_environ({"HYPERPLANE_STORAGE": "memory://", "HYPERPLANE_QUEUE_BYTES": " "})
    assert settings.queue_bytes == 64 * 1024 * 1024


def test_identity_based_connections() -> None:
    uri = from_environ({"HYPERPLANE_STORAGE__blobServiceUri": "https://a.blob.core.windows.net"})
    assert uri.blob_service_uri == "https://a.blob.core.windows.net"
    name = from_environ({"HYPERPLANE_STORAGE__accountName": "abc", "HYPERPLANE_STORAGE__clientId": "id"})
    assert (name.account_name, name.client_id) == ("abc", "id")


@pytest.mark.parametrize(
    ("environ", "named", "fix"),
    [
        ({}, "HYPERPLANE_STORAGE is not set", "connection string"),
        ({"HYPERPLANE_STORAGE": "secret-key"}, "HYPERPLANE_STORAGE", "AccountName"),
        ({"HYPERPLANE_STORAGE": "AccountName=a;secret-key"}, "HYPERPLANE_STORAGE", "AccountName"),
        ({"HYPERPLANE_STORAGE__accountName": "secret-key!"}, "HYPERPLANE_STORAGE__accountName", "3 to 24"),
        ({"HYPERPLANE_STORAGE__blobServiceUri": "secret-key"}, "HYPERPLANE_STORAGE__blobServiceUri", "https://"),
        ({"HYPERPLANE_STORAGE": "memory://", "HYPERPLANE_STORAGE__accountName": "abc"}, "both set", "keep one"),
        ({"HYPERPLANE_STORAGE": "memory://", "HYPERPLANE_QUEUE_BYTES": "secret-key"}, "QUEUE_BYTES", "number of bytes"),
        ({"HYPERPLANE_STORAGE": "memory://", "HYPERPLANE_QUEUE_BYTES": "0"}, "QUEUE_BYTES", "above 0"),
        ({"HYPERPLANE_STORAGE": "memory://", "HYPERPLANE_GIVE_UP_SECONDS": "-1"}, "GIVE_UP_SECONDS", "seconds above 0"),
        ({"HYPERPLANE_STORAGE": "memory://", "HYPERPLANE_GIVE_UP_SECONDS": "nan"}, "GIVE_UP_SECONDS", "seconds"),
        ({"HYPERPLANE_STORAGE": "memory://", "HYPERPLANE_AUDIT_CONTAINER": "A--b"}, "AUDIT_CONTAINER", "lower-case"),
    ],
)
def test_a_malformed_setting_names_the_variable_and_the_fix_and_never_the_value(
    environ: dict[str, str], named: str, fix: str
) -> None:
    with pytest.raises(SettingsError) as found:
        from_environ(environ)
    assert named in str(found.value)
    assert fix in str(found.value)
    assert "secret-key" not in str(found.value)


def test_an_unknown_name_is_refused_with_the_nearest_one() -> None:
    refuse_unknown({"HYPERPLANE_STORAGE__accountName": "a", "PATH": "/bin"}, SETTINGS)
    with pytest.raises(SettingsError, match="did you mean HYPERPLANE_QUEUE_BYTES"):
        refuse_unknown({"HYPERPLANE_QUEU_BYTES": "1"}, SETTINGS)
    with pytest.raises(SettingsError, match="HYPERPLANE_XYZZY42: there is no such setting"):
        refuse_unknown({"HYPERPLANE_XYZZY42": "1"}, SETTINGS)


def test_every_setting_says_what_it_is_for() -> None:
    assert len({setting.name for setting in SETTINGS}) == len(SETTINGS)
    assert all(setting.name.startswith("HYPERPLANE_") and setting.help for setting in SETTINGS)
