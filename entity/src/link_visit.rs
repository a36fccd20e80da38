//! One visit of a link in a mail. Neither an address nor a browser is kept of it.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::id::{LinkVisitId, MessageId};

text_enum!(/// How a link was visited, as far as the request itself says.
VisitWay {
    /// Asked about without being fetched, which no browser does.
    Head = "HEAD",
    /// Fetched before anybody asked for it.
    Prefetch = "PREFETCH",
    /// Fetched by a program that names itself.
    Program = "PROGRAM",
    /// Fetched without the headers of a browser that goes to a page.
    NotNavigated = "NOT_NAVIGATED",
    /// Fetched as by a browser that goes to a page.
    Navigated = "NAVIGATED",
});

text_enum!(/// Who visited a link, as far as that can be known.
ClickVerdict {
    /// A person, by all evidence. Only these count.
    Human = "HUMAN",
    /// A program that looks at links before people do.
    Scanner = "SCANNER",
    /// It could be either.
    Unclear = "UNCLEAR",
});

text_enum!(/// What a verdict rests on.
ClickReason {
    /// The request said that it was made by a program.
    SaidSo = "SAID_SO",
    /// It came so soon after the mail server took the mail that nobody can have read it.
    TooSoon = "TOO_SOON",
    /// Another link of the same mail was visited within seconds.
    SeveralLinks = "SEVERAL_LINKS",
    /// The request did not look like that of a browser that goes to a page.
    NotNavigated = "NOT_NAVIGATED",
    /// A program visited the mail's links within seconds.
    BesideAScanner = "BESIDE_A_SCANNER",
    /// A browser went to the page, and nothing speaks for a program.
    Navigated = "NAVIGATED",
});

/// One visit of a link in a mail. Neither an address nor a browser is kept of it.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "link_visit")]
pub struct Model {
    /// The id; its order is the order of visits.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: LinkVisitId,
    /// The mail.
    pub message_id: MessageId,
    /// Which of its links: the mark that the link's token carries.
    pub link: i32,
    /// When.
    pub at: DateTime<Utc>,
    /// How, as far as the request itself says.
    pub way: VisitWay,
    /// Who it was; none until it is judged.
    pub verdict: Option<ClickVerdict>,
    /// What the verdict rests on; none until it is judged.
    pub reason: Option<ClickReason>,
}

impl ActiveModelBehavior for ActiveModel {}
