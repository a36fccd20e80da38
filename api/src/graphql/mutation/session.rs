//! Staff sign in and out.

use async_graphql::{Context, Error, InputObject, Object, SimpleObject};
use domain::staff;
use domain::staff::session::WHOLE_DAYS;

use super::outcome;
use crate::graphql::ask::Ask;
use crate::graphql::errors::{Told, UserError};
use crate::graphql::idempotency;
use crate::graphql::viewer::Viewer;
use crate::viewer::{Caller, ended_session_cookie, session_cookie};

/// The response header that carries the cookie.
const SET_COOKIE: &str = "set-cookie";

/// A name and a password, as they were typed.
#[derive(InputObject)]
pub struct SignInInput {
    /// The sign-in name: the person's address at the hospital.
    email: String,
    /// The password.
    #[graphql(secret)]
    password: String,
}

/// What came of a sign-in.
#[derive(SimpleObject)]
pub struct SignInPayload {
    /// Who is signed in from now on.
    viewer: Option<Viewer>,
    /// The token to send as `X-CSRF-Token` with every mutation of this session.
    csrf_token: Option<String>,
    /// Why nobody was signed in; the same for an unknown name and a wrong password. Empty after a sign-in.
    user_errors: Vec<UserError>,
}

/// What came of signing out.
#[derive(SimpleObject)]
pub struct SignOutPayload {
    /// Whether there was a session to end.
    signed_out: bool,
    /// Always empty: signing out cannot be refused.
    user_errors: Vec<UserError>,
}

/// Sign-in and sign-out.
#[derive(Default)]
pub struct SessionMutation;

/// Sign-in and sign-out.
#[Object]
impl SessionMutation {
    /// Signs a member of staff in. The answer sets an `HttpOnly` cookie that ends after twelve hours without use. It is not
    /// kept under an `Idempotency-Key`.
    async fn sign_in(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Name and password.")] input: SignInInput,
    ) -> Result<SignInPayload, Error> {
        idempotency::note_secret(ctx);
        let ask = Ask::of(ctx);
        ask.count_post()?;
        let done = staff::sign_in(
            &ask.api.hospital,
            staff::SignIn {
                email: input.email,
                password: input.password,
                place: ask.place(),
            },
        )
        .await;
        let signed_in = match outcome(ctx, done).await? {
            Ok(signed_in) => signed_in,
            Err(user_errors) => {
                return Ok(SignInPayload {
                    viewer: None,
                    csrf_token: None,
                    user_errors,
                });
            }
        };
        let caller = Caller::signed_in(&ask.api, &signed_in.secret).await.told(ask)?;
        let max_age_secs = WHOLE_DAYS * 24 * 60 * 60;
        let cookie = session_cookie(&signed_in.secret, max_age_secs, ask.api.settings.secure_cookies);
        ctx.append_http_header(SET_COOKIE, cookie);
        Ok(SignInPayload {
            viewer: Some(Viewer::of(&caller)),
            csrf_token: caller.csrf_token,
            user_errors: Vec::new(),
        })
    }

    /// Ends the browser's session and takes its cookie back.
    async fn sign_out(&self, ctx: &Context<'_>) -> Result<SignOutPayload, Error> {
        idempotency::note_secret(ctx);
        let ask = Ask::of(ctx);
        let signed_out = match ask.caller.session_secret() {
            Some(secret) => {
                let ended = staff::session::close(&ask.api.hospital, secret).await.told(ask)?;
                ask.api.pass_on(ended)
            }
            None => false,
        };
        ctx.append_http_header(SET_COOKIE, ended_session_cookie(ask.api.settings.secure_cookies));
        Ok(SignOutPayload {
            signed_out,
            user_errors: Vec::new(),
        })
    }
}
