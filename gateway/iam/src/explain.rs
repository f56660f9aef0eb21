//! Finds out why a question is decided as it is.

use crate::decision::Decision;
use crate::evaluate::{decide, trace};
use crate::explanation::{Explanation, Rule};
use crate::question::Question;

/// Explains a decision: as `evaluate` decides it, with what each condition saw. It costs twice a decision, and memory
/// for what is recorded, which is bounded.
pub fn explain(question: &Question<'_>) -> Explanation {
    let (decision, rule) = decide(question, true);
    let (trace, steps) = trace(question);
    let mut explanation =
        Explanation { decision, statements: trace.into_statements(), steps, ..Explanation::of_rule(question, rule) };
    explanation.bound();
    explanation
}

impl Explanation {
    /// A denial by a rule that asks no policy.
    pub fn of_rule(question: &Question<'_>, rule: Rule) -> Self {
        Self {
            action: question.action,
            resource: question.resource.arn(),
            owner: question.access().map(|access| access.owner),
            decision: Decision::Deny,
            rule,
            statements: Vec::new(),
            steps: 0,
        }
    }
}
