//! What an operation works with: one installation's database, clock, secrets and rules.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use sea_orm::DatabaseConnection;

use crate::clock::Clock;
use crate::error::Result;
use crate::link::Secrets;
use crate::playbook::{Playbook, Playbooks};

/// How the installation presents itself to the outside.
#[derive(Clone, Debug)]
pub struct Site {
    /// Address under which the public reaches it, without a slash at the end.
    pub public_url: String,
    /// `From` of every mail.
    pub mail_from: String,
    /// The postal address that every promotional mail must show (16 CFR 316.5).
    pub postal_address: String,
    /// Name of the hospital as mails and pages show it.
    pub name: String,
}

impl Site {
    /// The right-hand side of Message-IDs: the domain that mails come from.
    pub fn mail_domain(&self) -> &str {
        let domain = self
            .mail_from
            .rsplit_once('@')
            .map_or("localhost", |(_, domain)| domain);
        domain.trim_end_matches('>')
    }
}

/// One installation. Cheap to clone.
#[derive(Clone)]
pub struct Hospital {
    /// The database.
    pub db: DatabaseConnection,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The keys.
    pub secrets: Arc<Secrets>,
    /// How it presents itself.
    pub site: Arc<Site>,
    /// The rules and lists, as last read.
    pub playbooks: Arc<Playbooks>,
}

impl Hospital {
    /// The present instant.
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// The rules and lists as they are now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn playbook(&self) -> Result<Arc<Playbook>> {
        self.playbooks.current(&self.db).await
    }
}
