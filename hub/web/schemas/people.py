"""Sessions, tokens, users, grants and the audit log."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime, Field, SecretStr

from hub.domain.access import Role
from hub.store.person_access import Access
from hub.store.users import User
from hub.web.schemas.shapes import In, Name, Number, Out, Text

PasswordIn = Annotated[SecretStr, Field(max_length=256)]
UserName = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00]*$")]


class LoginIn(In):
    """A name and a password."""

    name: UserName
    password: PasswordIn


class PasswordChangeIn(In):
    """The password that was and the one that shall be."""

    current: PasswordIn
    new: PasswordIn


class PasswordSetIn(In):
    """A password given by an administrator."""

    new: PasswordIn


class GrantOut(Out):
    """A role in an area and everything below it."""

    role: Role
    area_id: int
    area_path: str


class MeOut(Out):
    """Who the caller is; ``csrf`` goes into the header X-CSRF-Token, empty for tokens."""

    id: int
    name: str
    permissions: Sequence[str]
    grants: Sequence[GrantOut]
    csrf: str


class CsrfOut(Out):
    """The token for the header X-CSRF-Token."""

    csrf: str


class TokenIn(In):
    """A token for a program."""

    name: Name
    expires_at: AwareDatetime | None = None


class TokenOut(Out):
    """A token as it is listed."""

    id: int
    name: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


class NewTokenOut(Out):
    """A new token: ``value`` is shown here and never again."""

    id: int
    value: str


class GrantIn(In):
    """A role in an area."""

    role: Role
    area_id: Number


class UserIn(In):
    """A new person, with a first grant; without a password one is made and returned once."""

    name: UserName
    display_name: Text = ""
    password: PasswordIn | None = None
    grant: GrantIn


class UserChangeIn(In):
    """What of a person shall change."""

    display_name: Text | None = None
    is_disabled: bool | None = None


class NewUserOut(Out):
    """``password`` is there only when the hub made it, and is shown here only."""

    id: int
    password: str | None = None


class UserOut(Out):
    """A person, and how he is signed in: open sessions, valid tokens, the last login known."""

    id: int
    name: str
    display_name: str
    is_disabled: bool
    created_at: datetime
    grants: Sequence[GrantOut]
    last_login_at: datetime | None
    sessions: int
    tokens: int

    @classmethod
    def of(cls, user: User, access: Access) -> "UserOut":
        """Show a person and how he is signed in."""
        return cls(
            id=user.id,
            name=user.name,
            display_name=user.display_name,
            is_disabled=user.is_disabled,
            created_at=user.created_at,
            grants=[GrantOut.model_validate(grant) for grant in user.grants],
            last_login_at=access.last_login_at,
            sessions=access.sessions,
            tokens=access.tokens,
        )


class WatcherOut(Out):
    """Somebody who may see an area; ``area_id`` is where he holds the role."""

    user_id: int
    name: str
    display_name: str
    role: Role
    area_id: int
    area_name: str


class WatchersOut(Out):
    """Who may see an area; ``above``: how many more hold it from above the caller's areas."""

    items: Sequence[WatcherOut]
    above: int


class AuditOut(Out):
    """One line of the audit log."""

    id: int
    at: datetime
    actor: str
    source: str
    action: str
    object_type: str
    object_id: str
    area_id: int | None
    detail: Mapping[str, object]


class AuditNamesOut(Out):
    """What the filters of the audit log can be set to."""

    actors: Sequence[str]
    actions: Sequence[str]
    object_types: Sequence[str]
