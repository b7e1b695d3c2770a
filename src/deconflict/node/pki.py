"""Certificates of the door between two nodes: one root per party, one key per node.

A certificate only opens the door; what is said is proven by the signing key, which is another
key. A peer is known by the key of its node (:func:`spki_sha256`), so a certificate can be renewed
without asking anybody, as long as the key stays.

Names in the certificates are neutral. In TLS 1.3 the server shows its certificate before it knows
who asks: a stranger who knocks must not learn whose door it is.
"""

import datetime as dt
import hashlib
import ipaddress
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from deconflict.airspace.instant import TimeSpan
from deconflict.errors import ConfigurationError, VerificationError

__all__ = [
    "NODE_CERTIFICATE_DAYS",
    "ROOT_CERTIFICATE_DAYS",
    "CertifiedKey",
    "check_root",
    "create_root",
    "days_left",
    "generate_key",
    "issue_node_certificate",
    "load_certified_key",
    "spki_of_pem",
    "spki_sha256",
    "validity",
    "validity_of_der",
]

ROOT_CERTIFICATE_DAYS = 3652  # ten years with two or three leap days
NODE_CERTIFICATE_DAYS = 398  # the longest that TLS stacks accept of a server (CA/B Forum SC31)
DAY_MS = 86_400_000
BACKDATED = dt.timedelta(days=1)  # a peer whose clock is hours behind ours still lets us in
# SP 800-186 §3.2.1.3
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


@dataclass(frozen=True, slots=True)
class CertifiedKey:
    """A private key with the certificate that names its public half."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def certificate_der(self) -> bytes:
        """The certificate, DER."""
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def certificate_pem(self) -> bytes:
        """The certificate, PEM."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def key_pem(self, password: bytes | None) -> bytes:
        """Return the private key as PKCS #8 PEM, encrypted exactly when a password is given."""
        encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
        if password is not None:
            encryption = serialization.BestAvailableEncryption(password)
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
        )

    def __repr__(self) -> str:
        return f"CertifiedKey(spki_sha256={spki_sha256(self.certificate_der)})"


def generate_key(random_bytes: Callable[[int], bytes]) -> ec.EllipticCurvePrivateKey:
    """Return a new P-256 key: every TLS 1.3 stack, TPM and smart card speaks it.

    Takes 64 bits more than the order needs, so that the bias of the remainder is below 2**-64
    (FIPS 186-5, A.2.1).
    """
    wide = int.from_bytes(random_bytes(40), "big")
    return ec.derive_private_key(wide % (P256_ORDER - 1) + 1, ec.SECP256R1())


def create_root(*, now_utc_ms: int, random_bytes: Callable[[int], bytes]) -> CertifiedKey:
    """Return a new root of a party: it signs certificates of its node and nothing else."""
    key = generate_key(random_bytes)
    public = key.public_key()
    name = _root_name(public)
    identifier = x509.SubjectKeyIdentifier.from_public_key(public)
    builder = (
        _dated(now_utc_ms, ROOT_CERTIFICATE_DAYS)
        .subject_name(name)
        .issuer_name(name)
        .public_key(public)
        .serial_number(_serial(random_bytes))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(certificates=True), critical=True)
        .add_extension(identifier, critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier),
            critical=False,
        )
    )
    return CertifiedKey(key, builder.sign(key, hashes.SHA256()))


def issue_node_certificate(
    root: CertifiedKey,
    hosts: Sequence[str],
    *,
    now_utc_ms: int,
    random_bytes: Callable[[int], bytes],
    key: ec.EllipticCurvePrivateKey | None = None,
) -> CertifiedKey:
    """Return a certificate of the node, signed by its party's root.

    With ``key`` it renews: the key, and with it the pin that the peers hold, stays. The extensions
    satisfy OpenSSL 3 under ``VERIFY_X509_STRICT``, the default since Python 3.13.

    Args:
        root: the party's root with its private key.
        hosts: where the node is reached: IP addresses or DNS names, at least one.
        now_utc_ms: validity starts one day before and lasts 398 days.
        random_bytes: source of the key and of the serial number.
        key: the node's present key; a new one is made without it.

    Raises:
        ConfigurationError: no host, or one that is neither an address nor a DNS name.
    """
    if not all(hosts) or not hosts:
        raise ConfigurationError(
            "a node certificate needs the host under which the node is reached",
            expected="at least one IP address or DNS name",
        )
    if key is None:
        key = generate_key(random_bytes)
    public = key.public_key()
    builder = (
        _dated(now_utc_ms, NODE_CERTIFICATE_DAYS)
        .subject_name(_name("deconflict node"))
        .issuer_name(root.certificate.subject)
        .public_key(public)
        .serial_number(_serial(random_bytes))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(certificates=False), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage(
                [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
            ),
            critical=False,
        )
        .add_extension(
            x509.SubjectAlternativeName([_alternative_name(host) for host in hosts]),
            critical=False,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(root.key.public_key()),
            critical=False,
        )
    )
    return CertifiedKey(key, builder.sign(root.key, hashes.SHA256()))


def load_certified_key(
    key_pem: bytes, certificate_pem: bytes, password: bytes | None
) -> CertifiedKey:
    """Return key and certificate read from PEM.

    Raises:
        ConfigurationError: unreadable, another kind of key, a wrong password, or a certificate of
            another key.
    """
    try:
        certificate = x509.load_pem_x509_certificate(certificate_pem)
        key = serialization.load_pem_private_key(key_pem, password)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ConfigurationError(
            "a TLS key or its certificate cannot be read",
            expected="PEM as `deconflict init` wrote it, and its passphrase",
            remedy="restore the node folder's keys/ from its backup",
        ) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ConfigurationError("a TLS key is of the wrong kind", expected="P-256")
    loaded = CertifiedKey(key, certificate)
    if spki_sha256(loaded.certificate_der) != _key_hash(key.public_key()):
        raise ConfigurationError(
            "a TLS certificate belongs to another key than the one beside it",
            remedy="restore the node folder's keys/ from its backup",
        )
    return loaded


def check_root(pem: bytes) -> bytes:
    """Return the DER of a party's root after checking that it is one: P-256, CA, self-signed.

    Its name must be the hash of its key. Roots of all peers lie in one trust store, where a
    verifier finds an issuer by name: a peer free to name its root like another peer's could shut
    that one out.

    Its dates are not looked at here: TLS does that at each handshake.

    Raises:
        VerificationError: it is not such a certificate.
    """
    try:
        root = x509.load_pem_x509_certificate(pem)
        constraints = root.extensions.get_extension_for_class(x509.BasicConstraints).value
        usage = root.extensions.get_extension_for_class(x509.KeyUsage).value
        public = root.public_key()
        root.verify_directly_issued_by(root)
    except Exception as error:
        # The library names a dozen ways in which bytes fail to be a certificate: here all of them
        # mean the same.
        raise VerificationError(
            "the TLS root is no usable certificate",
            given=type(error).__name__,
            expected="one PEM certificate, self-signed",
        ) from error
    if root.public_bytes(serialization.Encoding.PEM) != pem:
        raise VerificationError(
            "the TLS root has something beside one certificate",
            expected="one PEM certificate and nothing else",
        )
    if not (
        isinstance(public, ec.EllipticCurvePublicKey)
        and public.curve.name == "secp256r1"
        and constraints.ca
        and usage.key_cert_sign
    ):
        raise VerificationError(
            "the TLS root may not sign certificates here",
            expected="a P-256 certificate authority",
        )
    if root.subject != _root_name(public):
        raise VerificationError(
            "the TLS root does not carry the name of its own key",
            expected=_root_name(public).rfc4514_string(),
        )
    return root.public_bytes(serialization.Encoding.DER)


def days_left(certificate_pem: bytes, *, now_utc_ms: int) -> int:
    """Return for how many whole days from now the certificate is valid; negative once expired.

    Raises:
        ConfigurationError: the bytes are no certificate.
    """
    return (validity(certificate_pem).end_ms - now_utc_ms) // DAY_MS


def validity(certificate_pem: bytes, *, name: str = "") -> TimeSpan:
    """Return from when until when the certificate is valid.

    Args:
        certificate_pem: the certificate.
        name: its file, for the error.

    Raises:
        ConfigurationError: the bytes are no certificate.
    """
    return _span_of(_load_pem(certificate_pem, name))


def _span_of(certificate: x509.Certificate) -> TimeSpan:
    return TimeSpan(
        round(certificate.not_valid_before_utc.timestamp() * 1000),
        round(certificate.not_valid_after_utc.timestamp() * 1000),
    )


def spki_sha256(certificate_der: bytes) -> str:
    """Return the SHA-256 of the public key that a certificate names: 64 hex digits.

    This is the pin: it stays the same when the certificate is renewed for the same key.

    Raises:
        VerificationError: the bytes are no certificate, or its key is of an unknown kind.
    """
    try:
        public = x509.load_der_x509_certificate(certificate_der).public_key()
        encoded = public.public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    except (ValueError, UnsupportedAlgorithm, x509.InvalidVersion) as error:
        raise VerificationError("the certificate shown cannot be read") from error
    return hashlib.sha256(encoded).hexdigest()


def spki_of_pem(certificate_pem: bytes, *, name: str = "") -> str:
    """Return :func:`spki_sha256` of a certificate in PEM; ``name`` is its file, for the error.

    Raises:
        ConfigurationError: the bytes are no certificate.
    """
    return spki_sha256(_load_pem(certificate_pem, name).public_bytes(serialization.Encoding.DER))


def validity_of_der(certificate_der: bytes) -> TimeSpan:
    """Return from when until when a certificate in DER is valid.

    Raises:
        ConfigurationError: the bytes are no certificate.
    """
    try:
        certificate = x509.load_der_x509_certificate(certificate_der)
    except (ValueError, UnsupportedAlgorithm, x509.InvalidVersion) as error:
        raise ConfigurationError("a pinned certificate cannot be read") from error
    return _span_of(certificate)


def _load_pem(certificate_pem: bytes, name: str) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(certificate_pem)
    except ValueError as error:
        raise ConfigurationError(
            "a TLS certificate cannot be read",
            given=name,
            expected="PEM as `deconflict init` wrote it",
            remedy="restore that file from the backup of the node folder's keys/",
        ) from error


def _key_hash(public: ec.EllipticCurvePublicKey) -> str:
    encoded = public.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return hashlib.sha256(encoded).hexdigest()


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _root_name(public: ec.EllipticCurvePublicKey) -> x509.Name:
    return _name(f"deconflict root {_key_hash(public)[:32]}")


def _instant(utc_ms: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(utc_ms / 1000, tz=dt.UTC)


def _dated(now_utc_ms: int, days: int) -> x509.CertificateBuilder:
    now = _instant(now_utc_ms).replace(microsecond=0)
    return (
        x509.CertificateBuilder()
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now - BACKDATED + dt.timedelta(days=days))
    )


def _serial(random_bytes: Callable[[int], bytes]) -> int:
    # 1..2**127: positive, at most 20 octets (RFC 5280 §4.1.2.2).
    return (int.from_bytes(random_bytes(16), "big") >> 1) | 1


def _usage(*, certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not certificates,
        key_cert_sign=certificates,
        crl_sign=certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _alternative_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        pass
    try:
        return x509.DNSName(host)
    except ValueError as error:
        raise ConfigurationError(
            "a host is neither an IP address nor a DNS name", given=host[:80]
        ) from error
