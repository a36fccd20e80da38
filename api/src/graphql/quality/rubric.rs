//! Audit rubrics, and the figures by their criteria.

use async_graphql::SimpleObject;
use domain::quality::figures;
use entity::audit_rubric::{Criterion, Model};

use crate::graphql::vocabulary::AuditSubject;

/// A criterion of a rubric.
#[derive(SimpleObject, Clone, Debug)]
pub struct AuditCriterion {
    /// Its name within the rubric, for `reviewQualityItem`.
    key: String,
    /// What is judged.
    text: String,
    /// The most points that it gives, 1 to 10; the least are none.
    points: i32,
}

impl From<&Criterion> for AuditCriterion {
    fn from(criterion: &Criterion) -> Self {
        Self {
            key: criterion.key.clone(),
            text: criterion.text.clone(),
            points: criterion.points,
        }
    }
}

/// By which criteria work is judged.
#[derive(SimpleObject, Clone, Debug)]
pub struct AuditRubric {
    /// Its short name, for `drawQualitySample`.
    key: String,
    /// Counts its versions, from 1.
    version: i32,
    /// The name that people read.
    name: String,
    /// What it judges.
    of: AuditSubject,
    /// By what it judges, in order; at most 20.
    criteria: Vec<AuditCriterion>,
}

impl From<&Model> for AuditRubric {
    fn from(rubric: &Model) -> Self {
        Self {
            key: rubric.key.clone(),
            version: rubric.version,
            name: rubric.name.clone(),
            of: rubric.subject.into(),
            criteria: rubric.criteria.0.iter().map(AuditCriterion::from).collect(),
        }
    }
}

/// What a sample says by one criterion.
#[derive(SimpleObject, Clone, Debug)]
pub struct CriterionFigures {
    /// The criterion.
    criterion: AuditCriterion,
    /// The mean share of its points that reviews gave, from 0 to 1; null when there is no review.
    mean_share: Option<f64>,
    /// Pieces of work that two people have reviewed.
    pairs: i64,
    /// The share of these for which both gave the same points; null when there are none.
    exact_agreement: Option<f64>,
    /// Cohen's kappa with quadratic weights: 1 is perfect, 0 is what chance would do; null when it is not defined, as when
    /// both gave the same points throughout.
    weighted_kappa: Option<f64>,
}

/// What a sample says, from the pieces of work whose reviews are complete.
#[derive(SimpleObject, Clone, Debug)]
pub struct QualityFigures {
    /// Pieces of work whose reviews are complete.
    reviewed: i64,
    /// By each criterion, in the order of the rubric; at most 20.
    criteria: Vec<CriterionFigures>,
}

impl From<figures::Figures> for QualityFigures {
    fn from(found: figures::Figures) -> Self {
        let by = |one: figures::CriterionFigures| CriterionFigures {
            criterion: AuditCriterion::from(&one.criterion),
            mean_share: one.mean_share,
            pairs: count(one.agreement.pairs),
            exact_agreement: one.agreement.exact,
            weighted_kappa: one.agreement.weighted_kappa,
        };
        Self {
            reviewed: count(found.reviewed),
            criteria: found.criteria.into_iter().map(by).collect(),
        }
    }
}

fn count(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}
