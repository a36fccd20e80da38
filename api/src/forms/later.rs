//! Saving a form and finishing it later: the page behind the button, and `/r/{token}`, the page behind the mailed link.
//!
//! Looking changes nothing, because mail scanners follow links before people do. Whoever has the link reads the mails of
//! the address; the page shows what was typed, and can send it, save it again, or have it forgotten.

use std::sync::Arc;

use domain::error::{Code, Error, Result};
use domain::hospital::Site;
use domain::lead::form_answers::Sent;
use domain::lead::form_draft::look::{self, Kept, LinkShows};
use domain::lead::form_draft::{forget, save};
use domain::playbook::Playbook;
use entity::consent_event::{ConsentEvidence, ConsentSource};
use entity::form;
use poem::http::StatusCode;
use poem::web::{Data, Path};
use poem::{Body, Endpoint, EndpointExt, Request, Response, get, handler};

use super::page::{self, Link, Typed};
use super::phrases::Phrases;
use super::submit::{self, Store};
use super::{LATER, Pressed, count, pairs_of, too_often, typed};
use crate::limit::{Client, Limiter};
use crate::pages;
use crate::state::Api;
use crate::tongue::Tongue;

/// The routes of `/r/:token`.
pub(crate) fn routes(limiter: Arc<Limiter>) -> impl Endpoint<Output: 'static> + use<> {
    get(show).post(take).data(limiter)
}

/// A saved form with what it takes to show it.
struct Opened<'a> {
    token: &'a str,
    form: &'a form::Model,
    kept: Kept,
}

/// What a link leads to, or the page that says that it leads nowhere.
async fn opened<'a>(
    api: &Api,
    playbook: &'a Playbook,
    token: &'a str,
    asked: Tongue,
) -> Result<Opened<'a>, Response> {
    let site = &api.hospital.site;
    let kept = match look::look_up(&api.hospital, token).await {
        Ok(LinkShows::Open(kept)) => kept,
        Ok(LinkShows::Finished(id)) => {
            let form = playbook.forms.get(&id);
            return Err(form.map_or_else(|| over(site, asked), |form| finished(site, form)));
        }
        Ok(LinkShows::Over) => return Err(over(site, asked)),
        Err(error) => return Err(pages::failed(site, asked, "a saved form", &error)),
    };
    match playbook.forms.get(&kept.form_id) {
        Some(form) => Ok(Opened {
            token,
            form,
            kept: *kept,
        }),
        None => Err(over(site, asked)),
    }
}

#[handler]
async fn show(Data(api): Data<&Api>, Path(token): Path<String>, asked: Tongue) -> Response {
    let response = match api.hospital.playbook().await {
        Err(error) => pages::fault(&api.hospital.site, asked, "a saved form", &error),
        Ok(playbook) => match opened(api, &playbook, &token, asked).await {
            Err(response) => response,
            Ok(Opened { token, form, kept }) => {
                let typed = Typed {
                    link: Some(link(token, &kept)),
                    fields: kept.fields,
                    ..Typed::default()
                };
                page::form(api, &playbook, form, StatusCode::OK, &typed, &[])
            }
        },
    };
    pages::unindexed(response)
}

#[handler]
async fn take(
    Data(api): Data<&Api>,
    Data(limiter): Data<&Arc<Limiter>>,
    Path(token): Path<String>,
    req: &Request,
    body: Body,
) -> Response {
    let asked = Tongue::asked_by(req);
    let response = match limiter.check(Client::of(req, api.settings.trust_proxy)) {
        Err(wait_secs) => too_often(api, asked, wait_secs, false),
        Ok(()) => match api.hospital.playbook().await {
            Err(error) => pages::fault(&api.hospital.site, asked, "a saved form", &error),
            Ok(playbook) => taken(api, &playbook, &token, req, body).await,
        },
    };
    pages::unindexed(response)
}

/// What was pressed on the page behind the link.
async fn taken(api: &Api, playbook: &Playbook, token: &str, req: &Request, body: Body) -> Response {
    let asked = Tongue::asked_by(req);
    let site = &api.hospital.site;
    // Pressed a second time, the button that sent the form says again that it was sent.
    if let Ok(LinkShows::Finished(id)) = look::look_up(&api.hospital, token).await
        && let Some(form) = playbook.forms.get(&id)
    {
        return page::to_thanks(form);
    }
    let Opened { form, kept, .. } = match opened(api, playbook, token, asked).await {
        Ok(opened) => opened,
        Err(response) => return response,
    };
    let pairs = match pairs_of(api, Tongue::of(&form.language), req, body).await {
        Ok(pairs) => pairs,
        Err(response) => return response,
    };
    let mut typed = typed(form, pairs, "");
    typed.link = Some(link(token, &kept));
    if typed.trapped {
        count("trapped");
        return page::to_thanks(form);
    }
    if typed.pressed == Pressed::Forget {
        return match forget::forget(&api.hospital, token).await {
            Ok(done) => {
                api.pass_on(done);
                count("forgotten");
                forgotten(site, form)
            }
            // Another press came first, and may have sent it.
            Err(Error::Missing { .. }) => match look::look_up(&api.hospital, token).await {
                Ok(LinkShows::Finished(_)) => finished(site, form),
                _ => over(site, asked),
            },
            Err(error) => pages::failed(site, asked, "a saved form", &error),
        };
    }
    let door = Door {
        store: Store {
            api,
            playbook,
            form,
            consent_evidence: submit::evidence(api, req, submit::UNTICKED),
        },
        kept: Some(kept),
    };
    door.answer(typed).await
}

/// Where a form that a browser sent goes.
pub(super) struct Door<'a> {
    pub(super) store: Store<'a>,
    /// The saved form that it was opened with, if it came by a link.
    pub(super) kept: Option<Kept>,
}

impl Door<'_> {
    /// Sends it or saves it, and answers with the next page; with the form and what is wrong with it otherwise.
    pub(super) async fn answer(&self, typed: Typed) -> Response {
        let Store {
            api, playbook, form, ..
        } = self.store;
        let done = if !typed.wrong.is_empty() {
            Err(Error::Refused(typed.wrong.clone()))
        } else if typed.pressed == Pressed::Forget {
            // Whoever has a link was served before.
            let message = "There is no saved form here to delete.";
            Err(Error::refused(Code::Invalid, LATER, message))
        } else if typed.pressed == Pressed::Save {
            self.save(&typed).await.map(|()| page::to_saved(form))
        } else {
            let sent = self.sent(&typed);
            self.store.store(sent, None).await.map(|_| page::to_thanks(form))
        };
        match done {
            Ok(response) => response,
            Err(Error::Refused(refusals)) => {
                let status = StatusCode::UNPROCESSABLE_ENTITY;
                page::form(api, playbook, form, status, &typed, &refusals)
            }
            Err(Error::Missing { .. }) if self.kept.is_some() => {
                over(&api.hospital.site, Tongue::of(&form.language))
            }
            Err(error) => pages::failed(&api.hospital.site, Tongue::of(&form.language), "a form", &error),
        }
    }

    fn sent(&self, typed: &Typed) -> Sent {
        let sent = Sent {
            fields: typed.fields.clone(),
            consents: typed.consents.clone(),
            ..Sent::default()
        };
        match &self.kept {
            // How the visit began is known from when it was saved; the mail with the link is no source.
            Some(kept) => Sent {
                visit: kept.visit.clone(),
                external_id: kept.external_id.clone(),
                form_draft_id: Some(kept.id),
                ..sent
            },
            None => Sent {
                visit: super::visit::of_kept(&typed.kept),
                ..sent
            },
        }
    }

    async fn save(&self, typed: &Typed) -> Result<()> {
        let Store { api, form, .. } = self.store;
        let source = ConsentSource {
            form_id: Some(form.id),
            message_id: None,
        };
        let evidence: ConsentEvidence = self.store.consent_evidence.clone();
        let agreement = Phrases::of(&form.language).terms(form, self.kept.is_some());
        let saved = save::save(
            &api.hospital,
            save::SaveForm {
                form,
                sent: Sent {
                    consent_source: source,
                    consent_evidence: evidence,
                    ..self.sent(typed)
                },
                agreement: agreement.as_deref().unwrap_or_default(),
            },
        )
        .await;
        count(match &saved {
            Ok(_) => "saved",
            Err(Error::Fault(_)) => "failed",
            Err(_) => "refused",
        });
        let draft_id = api.pass_on(saved?);
        tracing::info!(form = %form.id, draft = %draft_id, "a form was saved to be finished later");
        Ok(())
    }
}

fn over(site: &Site, tongue: Tongue) -> Response {
    let say = Phrases::of(tongue.tag());
    pages::problem(site, tongue, StatusCode::GONE, say.over, say.over_text)
}

fn finished(site: &Site, form: &form::Model) -> Response {
    let say = Phrases::of(&form.language);
    ended(site, form, StatusCode::GONE, [say.finished, say.finished_text])
}

fn forgotten(site: &Site, form: &form::Model) -> Response {
    let say = Phrases::of(&form.language);
    ended(site, form, StatusCode::OK, [say.forgotten, say.forgotten_text])
}

/// The page after a saved form has ended, with the way to an empty one.
fn ended(site: &Site, form: &form::Model, status: StatusCode, said: [&str; 2]) -> Response {
    let way_on = format!("/f/{}", form.slug);
    let anew = Phrases::of(&form.language).anew;
    pages::news(site, Tongue::of(&form.language), status, said, (&way_on, anew))
}

/// What the page behind a link knows of the link.
fn link(token: &str, kept: &Kept) -> Link {
    Link {
        token: token.to_owned(),
        until: kept.until,
        agreed: kept.agreed.clone(),
    }
}
