//! How closely something that is made for some leads fits one of them.

use entity::enums::LeadType;
use entity::id::ServiceLineId;

/// Whether what is for these types and lines (none named means all) is for this lead, and how closely: naming the line
/// counts for more than naming the type. The greater fits better; none does not fit.
#[must_use]
pub fn fit(
    types: &[LeadType],
    lines: &[ServiceLineId],
    lead_type: LeadType,
    line: Option<ServiceLineId>,
) -> Option<(bool, bool)> {
    let fits = (types.is_empty() || types.contains(&lead_type))
        && (lines.is_empty() || line.is_some_and(|line| lines.contains(&line)));
    fits.then_some((!lines.is_empty(), !types.is_empty()))
}
