"""A node folder appears whole, keeps its secrets, and says what is wrong with it."""

import os
import random
import ssl
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from deconflict.errors import ConfigurationError, NotFoundError, VerificationError
from deconflict.node.files import write_atomically
from deconflict.node.folder import NodeFolder
from deconflict.node.invitation import Invitation
from deconflict.node.pki import check_root, create_root, days_left, issue_node_certificate
from deconflict.node.settings import Endpoint, Settings
from deconflict.node.tls import OwnChain, client_context, server_context

NOW_MS = 1_795_000_000_000  # 2026-11-18
DAY_MS = 86_400_000
PASSPHRASE = "a quiet sky over the delta"


@pytest.fixture
def node(tmp_path: Path) -> NodeFolder:
    return make(tmp_path / "node")


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> NodeFolder:
    return make(tmp_path_factory.mktemp("sealed") / "node", passphrase=PASSPHRASE)


def make(path: Path, *, passphrase: str | None = None, **settings: object) -> NodeFolder:
    return NodeFolder.create(
        path,
        Settings("blue", **settings),  # type: ignore[arg-type]
        passphrase=passphrase,
        now_utc_ms=NOW_MS,
        random_bytes=os.urandom,
    )


def test_a_folder_is_read_back_as_it_was_made(node: NodeFolder) -> None:
    opened = NodeFolder.open(node.path)
    assert opened.settings == Settings("blue")
    assert opened.unlock().signing_key.verify_key == node.verify_key
    assert opened.tls_spki_sha256 == node.tls_spki_sha256
    assert not opened.sealed


def test_directories_and_secrets_are_the_owners_alone(node: NodeFolder) -> None:
    paths = [node.path, *node.path.rglob("*")]
    assert {oct(p.stat().st_mode & 0o777) for p in paths if p.is_dir()} == {"0o700"}
    assert {oct(p.stat().st_mode & 0o777) for p in paths if p.suffix == ".key"} == {"0o600"}


@pytest.mark.parametrize("name", ["signing.key", "tls.key", "tls-root.key"])
def test_a_secret_that_others_may_read_is_refused(name: str, node: NodeFolder) -> None:
    (node.path / "keys" / name).chmod(0o640)
    with pytest.raises(ConfigurationError, match="0640"):
        NodeFolder.open(node.path)


def test_a_folder_is_never_overwritten(node: NodeFolder) -> None:
    before = sorted(node.path.rglob("*"))
    with pytest.raises(ConfigurationError, match="taken"):
        make(node.path)
    assert sorted(node.path.rglob("*")) == before


def test_a_failure_on_the_way_leaves_nothing(tmp_path: Path) -> None:
    def failing(count: int) -> bytes:
        raise RuntimeError("no randomness")

    with pytest.raises(RuntimeError):
        NodeFolder.create(
            tmp_path / "node",
            Settings("blue"),
            passphrase=None,
            now_utc_ms=NOW_MS,
            random_bytes=failing,
        )
    assert list(tmp_path.iterdir()) == []


def test_the_same_randomness_makes_the_same_keys(tmp_path: Path) -> None:
    made = [
        NodeFolder.create(
            tmp_path / str(number),
            Settings("blue"),
            passphrase=None,
            now_utc_ms=NOW_MS,
            random_bytes=random.Random(7).randbytes,
        )
        for number in range(2)
    ]
    assert made[0].verify_key == made[1].verify_key
    assert made[0].tls_spki_sha256 == made[1].tls_spki_sha256


def test_two_folders_share_no_key(tmp_path: Path) -> None:
    first, second = make(tmp_path / "1"), make(tmp_path / "2")
    assert first.verify_key != second.verify_key
    assert first.tls_spki_sha256 != second.tls_spki_sha256


def test_a_passphrase_unlocks_all_keys(sealed: NodeFolder) -> None:
    assert sealed.sealed
    keys = sealed.unlock(lambda: PASSPHRASE, environ={})
    assert keys.signing_key.verify_key == sealed.verify_key
    server_context(keys.chain, [])


def test_no_key_lies_in_the_clear_under_a_passphrase(sealed: NodeFolder) -> None:
    seed = sealed.unlock(lambda: PASSPHRASE, environ={}).signing_key.seed
    assert seed not in (sealed.path / "keys" / "signing.key").read_bytes()
    for name in ("tls.key", "tls-root.key"):
        pem = (sealed.path / "keys" / name).read_bytes()
        with pytest.raises(TypeError, match="encrypted"):
            load_pem_private_key(pem, None)
        # Nor does the passphrase open them: PEM would let a thief guess it too cheaply.
        with pytest.raises(ValueError, match="password"):
            load_pem_private_key(pem, PASSPHRASE.encode())


def test_a_wrong_passphrase_is_said_so(sealed: NodeFolder) -> None:
    with pytest.raises(ConfigurationError, match="passphrase is wrong") as refused:
        sealed.unlock(lambda: "another one", environ={})
    assert "another one" not in str(refused.value)


def test_a_passphrase_that_nobody_can_type_is_asked_from_a_file(
    sealed: NodeFolder, tmp_path: Path
) -> None:
    with pytest.raises(ConfigurationError, match="DECONFLICT_PASSPHRASE_FILE"):
        sealed.unlock(environ={})
    file = tmp_path / "passphrase"
    file.write_text(PASSPHRASE + "\n")
    file.chmod(0o600)
    keys = sealed.unlock(environ={"DECONFLICT_PASSPHRASE_FILE": str(file)})
    assert keys.signing_key.verify_key == sealed.verify_key
    file.chmod(0o644)
    with pytest.raises(ConfigurationError, match="0644"):
        sealed.unlock(environ={"DECONFLICT_PASSPHRASE_FILE": str(file)})
    with pytest.raises(ConfigurationError, match="cannot be read"):
        sealed.unlock(environ={"DECONFLICT_PASSPHRASE_FILE": str(tmp_path / "none")})


def test_an_empty_passphrase_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="empty passphrase"):
        make(tmp_path / "node", passphrase="")


def test_no_secret_shows_in_a_repr(sealed: NodeFolder) -> None:
    keys = sealed.unlock(lambda: PASSPHRASE, environ={})
    shown = repr(keys)
    assert str(keys.signing_key.seed) not in shown
    assert (keys.chain.key_password or b"").decode() not in shown


@pytest.mark.parametrize(
    "name", ["node.toml", "keys/signing.key", "keys/signing.pub", "keys/tls.pem", "keys/tls.key"]
)
@pytest.mark.parametrize("damage", ["missing", "empty", "garbage"])
def test_a_missing_or_damaged_file_is_named(name: str, damage: str, node: NodeFolder) -> None:
    file = node.path / name
    if damage == "missing":
        file.unlink()
    else:
        file.write_bytes(b"" if damage == "empty" else bytes(range(256)))
    with pytest.raises(ConfigurationError) as refused:
        NodeFolder.open(node.path).unlock()
    assert refused.value.remedy or refused.value.expected


@pytest.mark.parametrize("name", ["signing.key", "tls.key", "tls.pem"])
def test_a_file_of_another_node_is_found_out(name: str, node: NodeFolder, tmp_path: Path) -> None:
    other = make(tmp_path / "other")
    (node.path / "keys" / name).write_bytes((other.path / "keys" / name).read_bytes())
    with pytest.raises(ConfigurationError):
        NodeFolder.open(node.path).unlock()


def test_a_place_without_a_node_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no node folder"):
        NodeFolder.open(tmp_path / "nothing")
    with pytest.raises(ConfigurationError, match=r"node\.toml"):
        NodeFolder.open(tmp_path)


def test_renewing_keeps_the_pin_and_moves_the_end(node: NodeFolder) -> None:
    assert node.certificate_days_left(now_utc_ms=NOW_MS) == 397
    assert node.certificate_days_left(now_utc_ms=NOW_MS + 400 * DAY_MS) < 0
    later_ms = NOW_MS + 380 * DAY_MS
    assert (
        node.renew_certificate(node.unlock(), now_utc_ms=later_ms, random_bytes=os.urandom) == 397
    )
    opened = NodeFolder.open(node.path)
    assert opened.tls_spki_sha256 == node.tls_spki_sha256
    server_context(opened.unlock().chain, [])


def test_renewing_a_sealed_node_works(tmp_path: Path) -> None:
    node = make(tmp_path / "node", passphrase=PASSPHRASE)
    keys = node.unlock(lambda: PASSPHRASE, environ={})
    later_ms = NOW_MS + 380 * DAY_MS
    assert node.renew_certificate(keys, now_utc_ms=later_ms, random_bytes=os.urandom) == 397


def test_the_root_key_may_be_kept_elsewhere_until_renewal(node: NodeFolder) -> None:
    (node.path / "keys" / "tls-root.key").unlink()
    keys = NodeFolder.open(node.path).unlock()
    with pytest.raises(ConfigurationError, match="bring it back"):
        node.renew_certificate(keys, now_utc_ms=NOW_MS, random_bytes=os.urandom)


def test_the_invitation_in_the_folder_is_the_nodes(node: NodeFolder) -> None:
    invitation = Invitation.parse(node.invitation_path.read_bytes())
    assert invitation.party == "blue"
    assert invitation.verify_key == node.verify_key
    assert invitation.tls_spki_sha256 == node.tls_spki_sha256
    assert invitation.urls == ("https://127.0.0.1:8443",)


def test_no_certificate_tells_the_partys_name(node: NodeFolder) -> None:
    for name in ("tls.pem", "tls-root.pem"):
        der = ssl.PEM_cert_to_DER_cert((node.path / "keys" / name).read_text())
        assert b"deconflict" in der
        assert b"blue" not in der


def test_a_new_node_has_pinned_nobody(node: NodeFolder) -> None:
    assert node.peers().list() == ()
    assert node.peers().party_by_spki("0" * 64) is None
    with pytest.raises(NotFoundError):
        node.peers().get("red")


def test_writing_replaces_a_file_whole_and_cleans_up_after_a_crash(tmp_path: Path) -> None:
    (tmp_path / ".file.new").write_bytes(b"half of an ear")
    write_atomically(tmp_path / "file", b"one", mode=0o600)
    write_atomically(tmp_path / "file", b"two", mode=0o600)
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("file", b"two")]


def test_a_root_named_otherwise_is_refused() -> None:
    root = create_root(now_utc_ms=NOW_MS, random_bytes=os.urandom)
    assert check_root(root.certificate_pem) == root.certificate_der
    node = issue_node_certificate(root, ["127.0.0.1"], now_utc_ms=NOW_MS, random_bytes=os.urandom)
    for pem in (node.certificate_pem, root.certificate_pem * 2, b"", b"\n" + root.certificate_pem):
        with pytest.raises(VerificationError, match="TLS root"):
            check_root(pem)


def test_a_node_certificate_lasts_no_longer_than_tls_stacks_accept() -> None:
    root = create_root(now_utc_ms=NOW_MS, random_bytes=os.urandom)
    node = issue_node_certificate(
        root, ["node.example", "::1"], now_utc_ms=NOW_MS, random_bytes=os.urandom
    )
    certificate = node.certificate
    assert (certificate.not_valid_after_utc - certificate.not_valid_before_utc).days == 398
    assert days_left(root.certificate_pem, now_utc_ms=NOW_MS) > 3_600


@pytest.mark.parametrize("hosts", [[], ["нода"], [""]])
def test_a_certificate_for_no_host_is_refused(hosts: list[str]) -> None:
    root = create_root(now_utc_ms=NOW_MS, random_bytes=os.urandom)
    with pytest.raises(ConfigurationError, match="host"):
        issue_node_certificate(root, hosts, now_utc_ms=NOW_MS, random_bytes=os.urandom)


def test_contexts_speak_tls_1_3_alone_and_trust_pinned_roots_alone(node: NodeFolder) -> None:
    chain = node.unlock().chain
    root = Invitation.parse(node.invitation_path.read_bytes()).tls_root_der
    for context in (server_context(chain, [root]), client_context(chain, root)):
        assert context.minimum_version == context.maximum_version == ssl.TLSVersion.TLSv1_3
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.get_ca_certs(binary_form=True) == [root]
        assert context.options & ssl.OP_NO_COMPRESSION
        assert context.verify_flags & ssl.VERIFY_X509_STRICT
    assert server_context(chain, []).num_tickets == 0


def test_a_context_of_unreadable_files_is_refused(node: NodeFolder, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="own TLS certificate"):
        server_context(OwnChain(tmp_path / "none.pem", tmp_path / "none.key"), [])
    with pytest.raises(ConfigurationError, match="root of a peer"):
        server_context(node.unlock().chain, [b"no certificate"])


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"party": "Blue"}, "party"),
        ({"party": "-blue"}, "party"),
        ({"party": "b" * 33}, "party"),
        ({"party": "blue\n"}, "party"),
        ({"party": ""}, "party"),
        ({"desks": ()}, "desks"),
        ({"desks": ("watch", "watch")}, "desks"),
        ({"desks": ("Watch",)}, "desk"),
        ({"desks": tuple("abcdefghi")}, "desks"),
        ({"languages": ("fr",)}, "language"),
        ({"languages": ()}, "languages"),
        ({"peer_url": "http://node:8443"}, "URL"),
        ({"peer_url": "https://node:8443/path"}, "URL"),
        ({"peer_url": "https://me@node:8443"}, "URL"),
        ({"peer_url": "https://node:0"}, "URL"),
        ({"peer_url": "https://node:99999"}, "URL"),
        ({"peer_url": 'https://no"de'}, "URL"),
        ({"release_persons": 0}, "release"),
        ({"release_persons": 3}, "release"),
        ({"second_peer_url": "http://node:8443"}, "URL"),
        ({"second_peer_url": "https://127.0.0.1:8443"}, "same address"),
        ({"second_peer_listen": Endpoint("127.0.0.1", 8443)}, "same address"),
        ({"reserve_mib": 63}, "reserve_mib"),
        ({"reserve_mib": 65_537}, "reserve_mib"),
        ({"operators_listen": Endpoint("0.0.0.0", 8080)}, "plain HTTP"),
        ({"operators_listen": Endpoint("192.0.2.1", 8080)}, "plain HTTP"),
    ],
)
def test_settings_of_another_form_are_refused(settings: dict[str, object], named: str) -> None:
    with pytest.raises(ConfigurationError, match=named):
        Settings(**{"party": "blue", **settings})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "settings",
    [
        Settings("blue"),
        Settings("a-1", ("ops",), ("ru",), Endpoint("::", 9443), "https://[2001:db8::1]:9443"),
        Settings("b", peer_url="https://node.example", operators_listen=Endpoint("::1", 1)),
        Settings("c", release_persons=2),
        Settings("f", languages=("ar", "en")),
        Settings("g", languages=("en", "ar")),
        Settings("d", second_peer_listen=Endpoint("::1", 8444)),
        Settings("e", second_peer_url="https://satellite.example:8443", reserve_mib=128),
    ],
)
def test_settings_are_read_back_as_written(settings: Settings) -> None:
    assert Settings.parse(settings.render()) == settings


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("party = ", "TOML"),
        ('party = "blue"\nparty = "red"', "TOML"),
        ("", "party"),
        ('party = "blue"\ncolour = "blue"', "colour"),
        ('party = "blue"\ndesks = "watch"', "desks"),
        ('party = "blue"\ndesks = [1]', "desks"),
        ("party = 7", "party"),
        ('party = "blue"\nreserve_mib = "64"', "reserve_mib"),
        ('party = "blue"\nsecond_peer_listen = "8444"', "listen"),
        ('party = "blue"\nrelease_persons = "2"', "release_persons"),
        ('party = "blue"\nrelease_persons = true', "release_persons"),
        ('party = "blue"\nrelease_persons = 2.0', "release_persons"),
        ('party = "blue"\npeer_listen = "8443"', "listen"),
        ('party = "blue"\npeer_listen = "host:70000"', "port"),
        ('party = "blue"\npeer_listen = "ho st:1"', "host"),
        ('party = "blue"\npeer_listen = "[127.0.0.1:1"', "listen"),
    ],
)
def test_a_settings_file_of_another_form_is_refused(text: str, named: str) -> None:
    with pytest.raises(ConfigurationError, match=named):
        Settings.parse(text)


def test_an_invitation_names_an_address_for_each_path(tmp_path: Path) -> None:
    settings = Settings("blue", second_peer_listen=Endpoint("127.0.0.1", 9443))
    folder = NodeFolder.create(
        tmp_path / "blue", settings, passphrase=None, now_utc_ms=NOW_MS, random_bytes=os.urandom
    )
    invitation = Invitation.parse(folder.invitation_path.read_bytes())
    assert invitation.urls == ("https://127.0.0.1:8443", "https://127.0.0.1:9443")


def test_hosts_are_those_that_others_call() -> None:
    assert Settings("blue", second_peer_url="https://b.example:1").hosts == (
        "127.0.0.1",
        "b.example",
    )
    assert Settings("blue", peer_url="https://a.example:1").hosts == ("a.example", "127.0.0.1")
    assert Settings(
        "blue", peer_listen=Endpoint("0.0.0.0", 1), peer_url="https://a.example:1"
    ).hosts == ("a.example",)
