//! How a visit began, and what that says about the source of a lead.

use entity::enums::Channel;
use entity::id::{CampaignId, PlacementId};
use entity::lead::Utm;
use entity::{campaign, form, placement};

use crate::link::Secrets;
use crate::playbook::{Playbook, fold_name};

/// Longest value of one campaign parameter in characters.
const MAX_PARAMETER_CHARS: usize = 200;

/// The click ids that ad platforms add, in the order in which they are believed.
pub const CLICK_ID_KINDS: [&str; 5] = ["gclid", "gbraid", "wbraid", "msclkid", "fbclid"];

/// A click id of an ad platform. Only its keyed hash is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClickId {
    /// One of [`CLICK_ID_KINDS`].
    pub kind: &'static str,
    /// The platform's value.
    pub value: String,
}

/// How the visit began.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Visit {
    /// Path of the first page, without its query.
    pub landing_page: Option<String>,
    /// Host of the page before.
    pub referrer_host: Option<String>,
    /// Campaign parameters.
    pub utm: Utm,
    /// Code on a mail piece, event list or placement.
    pub source_code: Option<String>,
    /// Click id of an ad platform.
    pub click_id: Option<ClickId>,
    /// Kind and keyed hash of a click id of which nothing else was kept: that of a form that was saved before.
    pub kept_click: Option<(&'static str, Vec<u8>)>,
}

impl Visit {
    /// Takes one query parameter of the landing page, if it is one that counts.
    pub fn take_parameter(&mut self, name: &str, value: &str) {
        let value = || Some(value.to_owned());
        match name {
            "utm_source" => self.utm.source = value(),
            "utm_medium" => self.utm.medium = value(),
            "utm_campaign" => self.utm.campaign = value(),
            "utm_term" => self.utm.term = value(),
            "utm_content" => self.utm.content = value(),
            "utm_id" => self.utm.id = value(),
            "code" | "source_code" => self.source_code = value(),
            _ => {
                let kind = CLICK_ID_KINDS.iter().position(|kind| *kind == name);
                let known = self
                    .click_id
                    .as_ref()
                    .and_then(|known| CLICK_ID_KINDS.iter().position(|k| *k == known.kind));
                if let Some(kind) = kind
                    && known.is_none_or(|known| kind < known)
                    && let Some(value) = value().filter(|value| !value.is_empty())
                {
                    self.click_id = Some(ClickId {
                        kind: CLICK_ID_KINDS[kind],
                        value,
                    });
                }
            }
        }
    }

    /// Which click id came along.
    #[must_use]
    pub fn click_kind(&self) -> Option<&'static str> {
        let kept = self.kept_click.as_ref().map(|(kind, _)| *kind);
        self.click_id.as_ref().map(|id| id.kind).or(kept)
    }

    /// Its keyed hash.
    #[must_use]
    pub fn click_hash(&self, secrets: &Secrets) -> Option<Vec<u8>> {
        let fresh = self.click_id.as_ref();
        fresh
            .map(|id| secrets.click_hash(&id.value).to_vec())
            .or_else(|| self.kept_click.as_ref().map(|(_, hash)| hash.clone()))
    }

    /// The same visit with every value cut to what is stored: the visitor's browser sends these, not the visitor, so
    /// an odd value is cut and never refused.
    #[must_use]
    pub fn bounded(mut self) -> Self {
        let utm = &mut self.utm;
        for value in [
            &mut utm.source,
            &mut utm.medium,
            &mut utm.campaign,
            &mut utm.term,
            &mut utm.content,
            &mut utm.id,
            &mut self.landing_page,
            &mut self.referrer_host,
            &mut self.source_code,
        ] {
            *value = value
                .take()
                .map(|text| bounded(&text))
                .filter(|text| !text.is_empty());
        }
        self.landing_page = self
            .landing_page
            .map(|page| page.split(['?', '#']).next().unwrap_or_default().to_owned());
        self.click_id = self.click_id.filter(|id| id.value.len() <= 512);
        self
    }
}

fn bounded(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control())
        .take(MAX_PARAMETER_CHARS)
        .collect::<String>()
        .trim()
        .to_owned()
}

/// The source of a lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    /// Its channel.
    pub channel: Channel,
    /// Its campaign.
    pub campaign_id: Option<CampaignId>,
    /// Its placement.
    pub placement_id: Option<PlacementId>,
}

/// Names the source: a placement's code says most, then a campaign's code, then the campaign parameters and click ids,
/// then the referrer, then the form.
pub fn source(
    visit: &Visit,
    told: Option<Channel>,
    form: Option<&form::Model>,
    playbook: &Playbook,
) -> Source {
    let placement: Option<&placement::Model> = [&visit.source_code, &visit.utm.content, &visit.utm.id]
        .into_iter()
        .flatten()
        .find_map(|code| {
            playbook
                .placements
                .get(playbook.placement_by_code.get(&fold_name(code))?)
        });
    let campaign: Option<&campaign::Model> = placement
        .map(|placement| placement.campaign_id)
        .or_else(|| {
            [&visit.source_code, &visit.utm.campaign, &visit.utm.id]
                .into_iter()
                .flatten()
                .find_map(|code| playbook.campaign_by_code.get(&fold_name(code)).copied())
        })
        .or_else(|| form.and_then(|form| form.campaign_id))
        .and_then(|id| playbook.campaigns.get(&id))
        .map(AsRef::as_ref);
    let channel = told
        .or_else(|| campaign.map(|campaign| campaign.channel))
        .or_else(|| channel_of_parameters(visit))
        .or_else(|| visit.referrer_host.as_deref().and_then(channel_of_host))
        .or_else(|| form.map(|form| form.channel))
        .unwrap_or(Channel::Website);
    Source {
        channel,
        campaign_id: campaign.map(|row| row.id),
        placement_id: placement.map(|row| row.id),
    }
}

fn channel_of_parameters(visit: &Visit) -> Option<Channel> {
    let medium = visit.utm.medium.as_deref().map(str::to_lowercase);
    match medium.as_deref() {
        Some("cpc" | "ppc" | "paid" | "paidsearch" | "paid_search" | "sem") => Some(Channel::PaidSearch),
        Some("display" | "banner" | "cpm") => Some(Channel::Display),
        Some("social" | "paid_social" | "paidsocial" | "social_paid") => Some(Channel::Social),
        Some("email" | "newsletter") => Some(Channel::Email),
        Some("organic") => Some(Channel::OrganicSearch),
        Some("event") => Some(Channel::Event),
        Some("direct_mail" | "directmail" | "post" | "print") => Some(Channel::DirectMail),
        Some("partner") => Some(Channel::Partner),
        Some("referral") => Some(Channel::Referral),
        _ => match visit.click_kind() {
            Some("fbclid") => Some(Channel::Social),
            Some(_) => Some(Channel::PaidSearch),
            None => None,
        },
    }
}

fn channel_of_host(host: &str) -> Option<Channel> {
    let is = |name: &str| host == name || host.ends_with(&format!(".{name}"));
    if [
        "google.com",
        "bing.com",
        "duckduckgo.com",
        "yahoo.com",
        "ecosia.org",
    ]
    .iter()
    .any(|name| is(name))
    {
        Some(Channel::OrganicSearch)
    } else if [
        "facebook.com",
        "instagram.com",
        "linkedin.com",
        "tiktok.com",
        "x.com",
        "nextdoor.com",
    ]
    .iter()
    .any(|name| is(name))
    {
        Some(Channel::Social)
    } else {
        None
    }
}
