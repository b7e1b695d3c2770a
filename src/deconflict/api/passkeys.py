"""Passkeys (WebAuthn): an account's own keys, made and used in a browser instead of a password.

The checks of the W3C's sections 7.1 and 7.2 are those of the package ``webauthn``. What it leaves
to its caller is done here: challenges that are good once, the account behind a key, and which pages
may ask.
"""

import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final

from deconflict.api.accounts import Accounts
from deconflict.api.challenges import CHALLENGE_MS, Challenges
from deconflict.api.passkey_book import KeptPasskey, Passkey, PasskeyBook
from deconflict.api.sessions import Session
from deconflict.errors import DeconflictError, InvalidInputError, NotAuthenticatedError

if TYPE_CHECKING:
    from webauthn.helpers.structs import AuthenticationCredential, RegistrationCredential
    from webauthn.registration.verify_registration_response import VerifiedRegistration

__all__ = ["Passkeys", "RelyingParty"]

_LOG_IN: Final = "log in"
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_MOST_ID_BYTES: Final = 1_023  # W3C WebAuthn level 3, 7.1 step 25


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """For whom a passkey is made: a host name of this node, and the one page that may ask.

    Passkeys belong to a host name with all its ports. Other programs may serve pages at other ports
    of it, so the port has to be the one that this server listens on, whatever a request says of it.

    Attributes:
        rp_id: the host name.
        origin: of the page.
    """

    rp_id: str
    origin: str

    @classmethod
    def of(cls, scheme: str, host: str, port: int | None) -> "RelyingParty":
        """Return it for a page that was opened under this host name, which the guard has checked.

        Args:
            scheme: http or https.
            host: a host name or address, without port.
            port: on which this server listens; None for that of the scheme.

        Raises:
            InvalidInputError: an address, which no passkey can belong to.

        >>> RelyingParty.of("http", "localhost", 8080).origin
        'http://localhost:8080'
        """
        shown = "" if port is None or port == _DEFAULT_PORTS.get(scheme) else f":{port}"
        try:
            ip_address(host)
        except ValueError:
            return cls(host.lower(), f"{scheme}://{host.lower()}{shown}")
        raise InvalidInputError(
            "a passkey belongs to a host name, and this page is open at an address",
            given=f"{host}{shown}",
            expected="a host name, such as localhost",
            remedy=f"open {scheme}://localhost{shown} instead, or log in with a password",
        )


class Passkeys:
    """What is asked of browsers and their authenticators. From any thread; slow ones may be long.

    Args:
        accounts: whose keys they are.
        party: whose node, shown to people beside the account's name.
        random_bytes: a source fit for keys.
        monotonic_ms: a clock that nobody sets.
    """

    def __init__(
        self,
        accounts: Accounts,
        *,
        party: Callable[[], str],
        random_bytes: Callable[[int], bytes],
        monotonic_ms: Callable[[], int],
    ) -> None:
        self._accounts = accounts
        self._party = party
        self._challenges = Challenges(random_bytes=random_bytes, monotonic_ms=monotonic_ms)
        self.book = PasskeyBook(accounts.file, random_bytes=random_bytes)

    # -- made -----------------------------------------------------------------------------

    def registration_options(
        self, account: str, password: str, proof: str, relying: RelyingParty
    ) -> dict[str, Any]:
        """Return what the browser is asked to make, in WebAuthn's JSON form.

        Adding a way in is as much as changing the password, so it takes the password too: who finds
        a screen unlocked cannot keep what they found.

        Args:
            account: that asks, logged in.
            password: its own.
            proof: of its session; the answer has to come from it.
            relying: for whom.

        Raises:
            NotAuthenticatedError, TooManyAttemptsError: as :meth:`Accounts.log_in`.
            LineStateError: the account has too many passkeys.
        """
        from webauthn import generate_registration_options
        from webauthn.helpers import options_to_json_dict
        from webauthn.helpers.structs import (
            AuthenticatorSelectionCriteria,
            PublicKeyCredentialDescriptor,
            ResidentKeyRequirement,
            UserVerificationRequirement,
        )

        self._accounts.prove(account, password)
        self.book.require_room(account)
        party = self._party()
        options = generate_registration_options(
            rp_id=relying.rp_id,
            rp_name=f"deconflict {party}",
            user_id=self.book.user_handle(account),
            user_name=f"{account} ({party})",
            challenge=self._challenges.draw(_purpose(account, proof)),
            timeout=CHALLENGE_MS,
            # Found by the authenticator itself, so that a login names no account beforehand, and
            # nobody learns here which accounts have passkeys.
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=[
                PublicKeyCredentialDescriptor(id=each) for each in self.book.credential_ids(account)
            ],
        )
        return options_to_json_dict(options)

    def register(
        self,
        account: str,
        name: str,
        credential: Mapping[str, Any],
        proof: str,
        relying: RelyingParty,
    ) -> Passkey:
        """Keep a passkey that was made as :meth:`registration_options` asked.

        Raises:
            InvalidInputError: it was not, or the name cannot be used, or it is kept already.
            LineStateError: the account has too many passkeys.
        """
        from webauthn.helpers.structs import CredentialDeviceType

        self.book.check_name(name)
        try:
            made = self._made(credential, _purpose(account, proof), relying)
        except Exception as error:
            # The package lets KeyError and others through for what is badly formed.
            raise InvalidInputError(
                "this passkey cannot be registered",
                given=_words_of(error),
                expected="what the browser answers to POST /me/passkeys/options",
                remedy="try again",
            ) from error
        return self.book.add(
            account,
            name,
            rp_id=relying.rp_id,
            credential_id=made.credential_id,
            public_key=made.credential_public_key,
            sign_count=made.sign_count,
            synced=made.credential_device_type is CredentialDeviceType.MULTI_DEVICE,
        )

    # -- used -----------------------------------------------------------------------------

    def login_options(self, relying: RelyingParty) -> dict[str, Any]:
        """Return what the browser is asked to sign, in WebAuthn's JSON form; it names nobody."""
        from webauthn import generate_authentication_options
        from webauthn.helpers import options_to_json_dict
        from webauthn.helpers.structs import UserVerificationRequirement

        options = generate_authentication_options(
            rp_id=relying.rp_id,
            challenge=self._challenges.draw(_LOG_IN),
            timeout=CHALLENGE_MS,
            user_verification=UserVerificationRequirement.REQUIRED,
        )
        return options_to_json_dict(options)

    def log_in(self, credential: Mapping[str, Any], relying: RelyingParty) -> Session:
        """Return a browser's new session for what a passkey signed.

        Wrong passwords hold up no passkey: nobody can be shut out by guessing.

        Raises:
            NotAuthenticatedError: the passkey is unknown here, its account is disabled, or what it
                signed is not what was asked.
        """
        try:
            kept, sign_count = self._used(credential, relying)
        except DeconflictError:
            raise
        except Exception as error:
            raise _refusal(_words_of(error)) from error
        if sign_count <= kept.sign_count and (sign_count or kept.sign_count):
            # Two of them are about, and one of the two is not the holder's.
            went = f"its counter went from {kept.sign_count} to {sign_count}"
            self.book.refused(kept, went)
            raise _refusal(f"{went}: it may have been copied")
        with self._accounts.file.write() as db:
            if not self.book.used(db, kept, sign_count):
                raise _refusal("it was used or removed meanwhile")
            return self._accounts.sessions.put(
                db,
                kept.account,
                event=f"login by passkey {kept.name}",
                by=kept.account,
                browser=True,
                passkey_id=kept.passkey_id,
            )

    # -- inside ---------------------------------------------------------------------------

    def _made(
        self, credential: Mapping[str, Any], purpose: str, relying: RelyingParty
    ) -> "VerifiedRegistration":
        from webauthn import verify_registration_response

        answered = _parsed_registration(credential)
        challenge = _challenge_of(answered.response.client_data_json)
        if not self._challenges.take(challenge, purpose):
            raise _NotBelievedError("its challenge was answered already, is too old or another's")
        made = verify_registration_response(
            credential=answered,
            expected_challenge=challenge,
            expected_rp_id=relying.rp_id,
            expected_origin=relying.origin,
            require_user_verification=True,
        )
        if len(made.credential_id) > _MOST_ID_BYTES:
            raise _NotBelievedError("its id is too long")
        return made

    def _used(
        self, credential: Mapping[str, Any], relying: RelyingParty
    ) -> tuple[KeptPasskey, int]:
        """Return the passkey that signed, and its counter, which is not compared yet."""
        from webauthn import verify_authentication_response

        answered = _parsed_login(credential)
        challenge = _challenge_of(answered.response.client_data_json)
        if not self._challenges.take(challenge, _LOG_IN):
            raise _NotBelievedError("its challenge was answered already, or is too old")
        kept = self.book.find(answered.raw_id)
        if kept is None:
            raise _NotBelievedError("no account that may log in has it")
        if not hmac.compare_digest(answered.response.user_handle or b"", kept.user_handle):
            raise _NotBelievedError("it names another account")
        used = verify_authentication_response(
            credential=answered,
            expected_challenge=challenge,
            expected_rp_id=relying.rp_id,
            expected_origin=relying.origin,
            credential_public_key=kept.public_key,
            # Compared by the caller: only what is signed by the key goes into the trail.
            credential_current_sign_count=0,
            require_user_verification=True,
        )
        return kept, used.new_sign_count


class _NotBelievedError(Exception):
    """Why an answer is not believed, in words of ours."""


def _refusal(why: str) -> NotAuthenticatedError:
    return NotAuthenticatedError(
        "this passkey does not open this node",
        given=why,
        remedy="try again, or log in with account and password",
    )


def _purpose(account: str, proof: str) -> str:
    # The account's name has no space in it.
    return f"register {account} {hashlib.sha256(proof.encode()).hexdigest()}"


def _parsed_registration(credential: Mapping[str, Any]) -> "RegistrationCredential":
    from webauthn.helpers import parse_attestation_object, parse_registration_credential_json

    answered = parse_registration_credential_json(dict(credential))
    attested = parse_attestation_object(answered.response.attestation_object)
    # None is asked for. A key may vouch for itself all the same; who else vouches is not believed,
    # so their certificates are not read.
    if attested.fmt != "none" and (attested.fmt != "packed" or attested.att_stmt.x5c is not None):
        raise _NotBelievedError("it comes with an attestation, and none was asked for")
    return answered


def _parsed_login(credential: Mapping[str, Any]) -> "AuthenticationCredential":
    from webauthn.helpers import parse_authentication_credential_json

    return parse_authentication_credential_json(dict(credential))


def _challenge_of(client_data: bytes) -> bytes:
    """Return the challenge that was answered; the package compares it with the rest."""
    from webauthn.helpers import parse_client_data_json

    parsed = parse_client_data_json(client_data)
    if parsed.cross_origin:
        raise _NotBelievedError("it was asked for within a page of another origin")
    return parsed.challenge


def _words_of(error: Exception) -> str:
    words = (
        str(error)
        if isinstance(error, _NotBelievedError) or _is_of_webauthn(error)
        else "badly formed"
    )
    return ascii(words)[1:-1][:160]


def _is_of_webauthn(error: Exception) -> bool:
    from webauthn.helpers.exceptions import WebAuthnException

    return isinstance(error, WebAuthnException)
